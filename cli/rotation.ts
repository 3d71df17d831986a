import { hasCode } from "../lib/core/errors.ts";
import { createRotationRow, type RotationRow } from "../lib/runs/rotation.ts";
import type { MintPorts } from "../lib/rotation/mint.ts";
import type { RevokePorts } from "../lib/rotation/revoke.ts";
import { signIn } from "../lib/rotation/sign-in.ts";
import { readPresent, type Present } from "../lib/rotation/stages.ts";
import { splitByKind, type Replaceable } from "../lib/keys/runner-secret.ts";
import type { RunnerKind } from "../lib/studio/studio.ts";
import type { Context } from "./context.ts";
import { CliError } from "./errors.ts";
import { asSentence } from "../lib/core/text.ts";
import { keyTable } from "./key-names.ts";
import { connectStudio } from "./studio.ts";
import { unlogged } from "./unlogged.ts";

/** What minting and revoking keys needs. @throws CliError `refused` if the pool has no account key */
export async function adminPorts(context: Context): Promise<MintPorts & RevokePorts> {
  const { fetch, clock, random } = context;
  const accountId = await keyTable["account-key"].find(context);
  const [{ settings }, { runs, table }, store] = await Promise.all([
    context.stack(),
    context.runStore(),
    context.secrets(),
  ]);
  const at = { secretId: accountId, baseUrl: settings.studio.signInUrl };
  const studio = connectStudio(context, settings);
  const account = { secretId: accountId, setAgain: context.commandLine("secrets set account-key") };
  return {
    store,
    runStore: runs,
    rotation: createRotationRow(table),
    studio: {
      ...studio,
      createRunnerInstance: (...call) => asAccount(account, studio.createRunnerInstance(...call)),
      revokeRunnerInstance: (...call) => asAccount(account, studio.revokeRunnerInstance(...call)),
    },
    signIn: () => asAccount(account, signIn({ secrets: store, fetch, clock, random, ...at })),
    clock,
    log: unlogged,
  };
}

interface Account {
  readonly secretId: string;
  /** The command that stores another account key, to copy. */
  readonly setAgain: string;
}

/** Says in the error that a refusal is about the account key, not a runner key. */
async function asAccount<T>({ secretId, setAgain }: Account, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!hasCode(error, "sign_in_refused", "key_refused")) throw error;
    const { code, message } = error;
    const named =
      code === "key_refused" ? `the account key in the secret "${secretId}" is refused: ${message}` : message;
    const remedy = `No runner key was changed. Sign in to Studio again: ${setAgain}`;
    throw new CliError("refused", asSentence(named), { remedy, cause: error });
  }
}

export interface OldKey {
  readonly keyId: string;
  /** Whether the runner knows the key's instance at Studio and can revoke it. */
  readonly revocable: boolean;
}

export interface PresentKeys {
  readonly present: Present;
  readonly old: readonly OldKey[];
  /** Keys of another kind than the pool's, which stay. */
  readonly kept: Replaceable["kept"];
}

/** The pool's present keys, which the rotation makes old. @throws CliError `refused` if there are none yet */
export async function presentKeys(
  context: Context,
  { pool, kind, secretId, rotation }: PoolSecret,
): Promise<PresentKeys> {
  const store = await context.secrets();
  const [present, known] = await Promise.all([readPresent(store, secretId), rotation.read(pool)]);
  const { keys, instances } = present.current;
  if (keys.length === 0) {
    const remedy = `Store the first ones: ${context.commandLine("secrets set runner-keys")}`;
    throw new CliError("refused", `Pool ${pool} has no runner keys to rotate.`, { remedy });
  }
  const revocable = new Set([...instances, ...known].map(({ credentialId }) => credentialId));
  const { replaced, kept } = splitByKind({ keys, instances }, kind);
  return { present, old: replaced.map(({ id }) => ({ keyId: id, revocable: revocable.has(id) })), kept };
}

export interface PoolSecret {
  readonly pool: string;
  readonly kind: RunnerKind;
  readonly secretId: string;
  readonly rotation: RotationRow;
}
