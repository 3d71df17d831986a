import * as z from "zod";
import { signIn } from "../../lib/rotation/sign-in.ts";
import { parseRunnerSecret } from "../../lib/keys/runner-secret.ts";
import { parseModelKey } from "../../lib/keys/secrets.ts";
import { defineCommand, type Command } from "../command.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { keyNames, keyTable, type KeyName } from "../key-names.ts";
import { askModel, isOpenAi, providerUrl } from "../model.ts";
import { noValueArgument, readSecret } from "../read-secret.ts";
import { storeRunnerKeys, storeText, type Stored } from "../store-keys.ts";
import { askForRefused } from "../studio.ts";
import { choice } from "../values.ts";

export const secretsSet: Command = defineCommand({
  name: "secrets set",
  summary: "Tries and stores a key, used from the next cycle on without a deploy",
  details:
    "Reads the value from standard input or a hidden prompt, never from an argument. Tries it at Studio or at the model's provider " +
    "first and does not store a refused key (exit code 1). Running jobs finish with the key that leased them.",
  arguments: [{ name: "name", meaning: keyNames.join(", "), choices: keyNames }],
  noMore: noValueArgument,
  options: [{ flags: "--no-try", meaning: "store the key without trying it" }],
  examples: [
    { line: "secrets set runner-keys < runner-keys.txt", shows: "one key, or a JSON list of keys" },
    { line: "secrets set model-key", shows: "asks for the key without showing it" },
    { line: "secrets set account-key --pool europe < account.json", shows: "what the rotator signs in with" },
  ],
  input: z.object({ name: choice(keyNames), try: z.boolean().default(true) }),
  run: async (context, { name, try: wantsTry }) => {
    const { what, parse, find } = keyTable[name];
    const secretId = await find(context);
    const { text } = await readSecret(context, { what, name, parse });
    const { store, attempt } = handlers[name];
    const tried = wantsTry ? await attempt(context, text) : { text };
    const { versionId } = await store(context, secretId, tried.text);
    const note = tried.note ?? null;
    const data = { secret: name, secretId, versionId, tried: wantsTry, note };
    const done = wantsTry ? "Tried and stored" : "Stored without being tried";
    const render = (): string => `${done}: ${name}, version ${versionId}.${note === null ? "" : `\n${note}`}`;
    return { data, text: render, exit: note === null ? "ok" : "finding" };
  },
});

/**
 * The result of trying a key: the text to store (the provider may have renewed it), and a note for the user.
 */
interface Tried {
  readonly text: string;
  readonly note?: string;
}

interface Handler {
  /** @throws CliError `refused`, `check_failed`; then nothing is stored */
  readonly attempt: (context: Context, text: string) => Promise<Tried>;
  readonly store: (context: Context, secretId: string, text: string) => Promise<Stored>;
}

const nothingStored = "Nothing was stored.";

const handlers: Readonly<Record<KeyName, Handler>> = {
  "runner-keys": {
    attempt: async (context, text) => {
      const { settings } = await context.stack();
      const { keys } = parseRunnerSecret(text, "runner-keys");
      const refused = await withoutAnswer(() => askForRefused(context, settings, keys));
      if (refused.length === 0) return { text };
      throw new CliError(
        "refused",
        `Studio at ${settings.studio.baseUrl} refuses the runner key ${refused.join(", ")}.`,
        {
          remedy: `${nothingStored} Check the key on Studio's page: it may be revoked, or belong to another Studio.`,
        },
      );
    },
    store: async (context, secretId, text) => {
      const { name: pool } = await context.pool();
      return storeRunnerKeys(context, { pool, secretId, secret: parseRunnerSecret(text, secretId) });
    },
  },
  "model-key": {
    attempt: async (context, text) => {
      const { settings } = await context.stack();
      const answer = await withoutAnswer(() => askModel(context, settings, parseModelKey(text, "model-key")));
      if (answer.kind === "refused")
        throw new CliError("refused", `The model's provider at ${providerUrl(settings)} refuses this key.`, {
          remedy: nothingStored,
        });
      if (answer.kind !== "unseen" || !isOpenAi(settings)) return { text };
      const { model } = settings.inference;
      return {
        text,
        note: `The provider accepts it, but it has no access to the model "${model}" (inference.model): jobs will fail.`,
      };
    },
    store: storeText,
  },
  "account-key": {
    attempt: async (context, text) => {
      const { studio } = (await context.stack()).settings;
      let kept = text;
      const secrets = {
        read: () => Promise.resolve(text),
        put: (_id: string, renewed: string) => Promise.resolve(void (kept = renewed)),
      };
      const { fetch, clock, random } = context;
      const where = { secretId: "account-key", baseUrl: studio.signInUrl };
      await withoutAnswer(() => signIn({ secrets, fetch, clock, random, ...where }));
      return { text: kept };
    },
    store: storeText,
  },
};

/** Rejects with a remedy if the key could not be tried, so that nobody stores an untried key by accident. */
async function withoutAnswer<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== "check_failed") throw error;
    throw new CliError("check_failed", error.message, {
      remedy: `${nothingStored} Try again, or store it without trying: --no-try`,
      cause: error,
    });
  }
}
