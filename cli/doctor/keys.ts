import { hasCode } from "../../lib/core/errors.ts";
import { parseAccount, signIn } from "../../lib/rotation/sign-in.ts";
import type { RunnerKey } from "../../lib/core/secret.ts";
import { parseModelKey, parseRunnerKeys } from "../../lib/keys/secrets.ts";
import { attempt, valueOf } from "../attempt.ts";
import type { Context } from "../context.ts";
import { asSentence } from "../../lib/core/text.ts";
import { count } from "../format.ts";
import { insteadOfKey } from "../key-names.ts";
import type { ModelAnswer } from "../model.ts";
import type { StackPool } from "../stack.ts";
import { askForRefused } from "../studio.ts";
import { perPool, type Check, type Facts, type Finding } from "./check.ts";

/** Checks that the stack's secrets exist, are well formed, and are accepted by Studio or the provider. */
export const keyChecks: readonly Check[] = [
  perPool("runner-keys", "Runner keys", async ({ context }, pool) =>
    judgeSecret(context, {
      name: "runner-keys",
      secretId: pool.output("KeysSecret"),
      parse: parseRunnerKeys,
      good: (keys) => `${count(keys.length, "key")}: ${keys.map(({ id }) => id).join(", ")}`,
    }),
  ),
  perPool("runner-keys-accepted", "Runner keys at Studio", judgeRunnerKeys),
  perPool("rotation", "Rotation", judgeRotation),
  {
    id: "model-key",
    title: "Model key",
    needs: ["stack"],
    run: async ({ context, stack }) => {
      const deployed = await stack();
      const instead = insteadOfKey(deployed.settings);
      if (instead !== undefined) return noneStored(instead);
      const secretId = deployed.output("ModelKeySecret");
      return judgeSecret(context, { name: "model-key", secretId, parse: parseModelKey, good: isStored });
    },
  },
  {
    id: "model-key-accepted",
    title: "Model key at provider",
    needs: ["stack"],
    run: async ({ context, stack, model }) => {
      const instead = insteadOfKey((await stack()).settings);
      if (instead !== undefined) return noneStored(instead);
      const answer = await model().catch((error: unknown) => {
        if (hasCode(error, "secret_missing", "secret_malformed")) return undefined;
        throw error;
      });
      return answer ? findingOf(answer.kind, context) : nothingToTry;
    },
  },
  perPool("account-key", "Account key", async ({ context }, pool) => {
    const secretId = pool.optional("AccountSecret");
    if (secretId === undefined) return { outcome: "skipped", finding: "the pool has no rotator" };
    return judgeSecret(context, { name: "account-key", secretId, parse: parseAccount, good: isStored });
  }),
  perPool("account-key-accepted", "Account key sign-in", judgeSignIn),
];

const isStored = (): string => "stored and well formed";

const noneStored = (instead: string): Finding => ({
  outcome: "skipped",
  finding: `none is stored: ${instead}`,
});
const nothingToTry: Finding = { outcome: "skipped", finding: "there is no well formed key to try" };

function findingOf(kind: ModelAnswer["kind"], { commandLine }: Context): Finding {
  const finding = answerFindings[kind];
  const remedy = `Store another one: ${commandLine("secrets set model-key")}`;
  return kind === "refused" ? { ...finding, remedy } : finding;
}

const answerFindings: Readonly<Record<ModelAnswer["kind"], Finding>> = {
  available: { outcome: "ok", finding: "accepted" },
  unseen: { outcome: "ok", finding: "accepted" },
  untold: {
    outcome: "ok",
    finding: "accepted, but it may not read about models, so access to the model was not checked",
  },
  refused: { outcome: "fail", finding: "the provider refuses it" },
};

interface Kept<T> {
  readonly name: string;
  readonly secretId: string;
  readonly parse: (text: string, where: string) => T;
  /** Describes a good value without showing any of it. */
  readonly good: (parsed: T) => string;
}

async function judgeSecret<T>(context: Context, { name, secretId, parse, good }: Kept<T>): Promise<Finding> {
  const secrets = await context.secrets();
  const remedy = context.commandLine(`secrets set ${name}`);
  const { AWSCURRENT } = await secrets.stages(secretId);
  if (AWSCURRENT === undefined) return { outcome: "fail", finding: "no value is stored yet", remedy };
  try {
    return { outcome: "ok", finding: good(parse(await secrets.read(secretId), name)) };
  } catch (error) {
    if (!hasCode(error, "secret_malformed")) throw error;
    return { outcome: "fail", finding: asSentence(error.message), remedy };
  }
}

async function judgeRunnerKeys({ context, stack }: Facts, pool: StackPool): Promise<Finding> {
  const { settings } = await stack();
  const keys = await readKeys(context, pool);
  if (keys.length === 0) return nothingToTry;
  const refused = await askForRefused(context, settings, keys);
  if (refused.length === 0) return { outcome: "ok", finding: "all accepted" };
  const remedy = `Store others: ${context.commandLine("secrets set runner-keys")}, or ${context.commandLine("rotate")}`;
  return { outcome: "fail", finding: `Studio refuses ${refused.join(", ")}`, remedy };
}

/**
 * Signs in as the rotator does, and creates nothing. Stores a refresh token that the sign-in renewed, because
 * the old one may stop working.
 */
async function judgeSignIn({ context, stack }: Facts, pool: StackPool): Promise<Finding> {
  const secretId = pool.optional("AccountSecret");
  if (secretId === undefined) return { outcome: "skipped", finding: "the pool has no rotator" };
  const [secrets, { settings }] = await Promise.all([context.secrets(), stack()]);
  const { fetch, clock, random } = context;
  try {
    await signIn({ secrets, fetch, clock, random, secretId, baseUrl: settings.studio.signInUrl });
    return { outcome: "ok", finding: "accepted" };
  } catch (error) {
    if (hasCode(error, "secret_missing", "secret_malformed")) return nothingToTry;
    if (!hasCode(error, "sign_in_refused")) throw error;
    const finding = `the sign-in refuses it, so no key can be created or revoked: ${error.message}`;
    return { outcome: "fail", finding, remedy: context.commandLine("secrets set account-key") };
  }
}

async function readKeys(context: Context, pool: StackPool): Promise<readonly RunnerKey[]> {
  const read = async (): Promise<readonly RunnerKey[]> =>
    parseRunnerKeys(await (await context.secrets()).read(pool.output("KeysSecret")), "runner-keys");
  return valueOf(await attempt(read)) ?? [];
}

async function judgeRotation({ context }: Facts, pool: StackPool): Promise<Finding> {
  const secretId = pool.output("KeysSecret");
  const { AWSPENDING, AWSCURRENT, AWSPREVIOUS } = await (await context.secrets()).stages(secretId);
  // AWSPENDING may stay on the current or previous version after a rotation.
  const isOver = AWSPENDING === undefined || AWSPENDING === AWSCURRENT || AWSPENDING === AWSPREVIOUS;
  if (isOver) return { outcome: "ok", finding: "none is pending" };
  return {
    outcome: "warn",
    finding: "new keys are pending: a rotation is running, or was interrupted",
    remedy: `If none is running: ${context.commandLine("rotate")}, or aws secretsmanager cancel-rotate-secret --secret-id ${secretId}`,
  };
}
