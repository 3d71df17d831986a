import { RunnerError } from "../errors.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { RotationRow } from "../ledger/rotation.ts";
import {
  renderRunnerSecret,
  tryParseRunnerSecret,
  type RunnerInstance,
  type RunnerSecret,
} from "../runner-secret.ts";
import type { RunnerKey } from "../secret.ts";
import type { SecretStore, Stage } from "../secret-store.ts";

export interface StageKeyDeps {
  readonly store: SecretStore;
  readonly ledger: Pick<Ledger, "openRuns">;
  readonly rotation: RotationRow;
}

export interface NewKeys {
  readonly pool: string;
  readonly secretId: string;
  /** Of the new version: 32 to 64 characters. */
  readonly versionId: string;
  readonly keys: readonly RunnerKey[];
  /** Of those keys whose instance at Studio is known: only these can be revoked some day. */
  readonly instances: readonly RunnerInstance[];
}

/** Nothing of a value that is missing or malformed. */
export async function readRunnerSecret(
  store: SecretStore,
  secretId: string,
  stage: Stage,
): Promise<RunnerSecret> {
  return tryParseRunnerSecret(await store.readStage(secretId, stage), secretId);
}

/**
 * Stores new keys as AWSPENDING: nobody uses them yet. With them go those older keys that running jobs were leased with
 * and that would fall out of AWSPREVIOUS by this rotation; and instances that the secret names are noted, so that the
 * rotator knows what to revoke once they fall out. Safe to repeat; `taken`: the version has other keys already.
 * @throws RunnerError `ledger_unavailable`, `secrets_unavailable`
 */
export async function stageKey(deps: StageKeyDeps, given: NewKeys): Promise<"stored" | "taken"> {
  const { store, ledger } = deps;
  const { pool, secretId, versionId, keys, instances } = given;
  const [current, previous, open] = await Promise.all([
    readRunnerSecret(store, secretId, "AWSCURRENT"),
    readRunnerSecret(store, secretId, "AWSPREVIOUS"),
    ledger.openRuns(pool),
  ]);
  const inUse = new Set(open.map(({ keyId }) => keyId));
  // What is current becomes AWSPREVIOUS by itself.
  const atHand = new Set([...keys, ...current.keys].map(({ id }) => id));
  const older = [...current.retired, ...previous.keys, ...previous.retired];
  const retired = older.filter(
    ({ id }, at) => inUse.has(id) && !atHand.has(id) && older.findIndex((other) => other.id === id) === at,
  );
  await note(deps, pool, [...current.instances, ...previous.instances]);
  return store.putPending(secretId, { versionId, text: renderRunnerSecret({ keys, retired, instances }) });
}

async function note(
  { rotation }: StageKeyDeps,
  pool: string,
  instances: readonly RunnerInstance[],
): Promise<void> {
  const known = new Set((await rotation.read(pool)).map(({ instanceId }) => instanceId));
  const unknown = instances.filter(({ instanceId }) => !known.has(instanceId));
  if (unknown.length > 0) await rotation.change(pool, (present) => [...present, ...unknown]);
}

export interface Version {
  readonly secretId: string;
  readonly versionId: string;
}

/**
 * Makes a version the present one. From the next dispatch window on its keys lease. Gives the version that was present
 * before, to roll back to. Safe to repeat.
 * @throws RunnerError `secrets_unavailable`, also when another hand has moved the label at the same time
 */
export async function promote(
  store: SecretStore,
  { secretId, versionId }: Version,
): Promise<{ readonly previousVersionId: string | undefined }> {
  const { AWSCURRENT, AWSPREVIOUS } = await store.stages(secretId);
  if (AWSCURRENT === versionId) return { previousVersionId: AWSPREVIOUS };
  await store.moveStage(secretId, { stage: "AWSCURRENT", to: versionId, from: AWSCURRENT });
  return { previousVersionId: AWSCURRENT };
}

/** Takes AWSPENDING off a version: of one that is present by now, or will never be. Not within Secrets Manager's own rotation. */
export async function dropPending(store: SecretStore, { secretId, versionId }: Version): Promise<void> {
  const { AWSPENDING } = await store.stages(secretId);
  if (AWSPENDING === versionId) await store.moveStage(secretId, { stage: "AWSPENDING", from: versionId });
}

/**
 * Puts the version before back in its place. Where a third version is present by now nothing is touched, and `false` is
 * given. Safe to repeat.
 * @throws RunnerError `secrets_unavailable`; `secret_missing` where there was no version before
 */
export async function rollBack(
  store: SecretStore,
  { secretId, versionId, previousVersionId }: Version & { readonly previousVersionId: string | undefined },
): Promise<boolean> {
  if (previousVersionId === undefined)
    throw new RunnerError("secret_missing", `the secret "${secretId}" had no value before this one`);
  const { AWSCURRENT } = await store.stages(secretId);
  if (AWSCURRENT === previousVersionId) return true;
  if (AWSCURRENT !== versionId) return false;
  await store.moveStage(secretId, { stage: "AWSCURRENT", to: previousVersionId, from: versionId });
  return true;
}
