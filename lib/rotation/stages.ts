import { hasCode, RunnerError } from "../core/errors.ts";
import type { KnownInstances } from "../runs/rotation.ts";
import {
  renderRunnerSecret,
  tryParseRunnerSecret,
  type RetiredKey,
  type RunnerInstance,
  type RunnerSecret,
} from "../keys/runner-secret.ts";
import type { RunnerKey } from "../core/secret.ts";
import type { SecretStore, Stage } from "../adapters/secrets-manager.ts";
import { timing } from "../core/timing.ts";
import type { RotationPorts } from "./ports.ts";

export type StagePorts = Pick<RotationPorts, "store" | "runStore" | "rotation" | "clock">;

/** A secret at one moment. A new value is derived from it and may replace only this version. */
export interface Present {
  /** The version id of AWSCURRENT; `undefined`: there is none yet. */
  readonly versionId: string | undefined;
  readonly current: RunnerSecret;
  readonly previous: RunnerSecret;
}

/**
 * Reads the secret. A missing or malformed value counts as empty.
 * @throws RunnerError `secrets_unavailable`, `secret_missing`
 */
export async function readPresent(store: SecretStore, secretId: string): Promise<Present> {
  const { AWSCURRENT, AWSPREVIOUS } = await store.stages(secretId);
  const read = async (versionId: string | undefined): Promise<RunnerSecret> =>
    tryParseRunnerSecret(versionId && (await store.readVersion(secretId, versionId)), secretId);
  const [current, previous] = await Promise.all([read(AWSCURRENT), read(AWSPREVIOUS)]);
  return { versionId: AWSCURRENT, current, previous };
}

export interface NewKeys {
  readonly pool: string;
  readonly secretId: string;
  readonly keys: readonly RunnerKey[];
  /** The instances of those keys whose instance at Studio is known. Only these can be revoked later. */
  readonly instances: readonly RunnerInstance[];
  /** The value that the keys replace. */
  readonly present: Present;
}

export interface Version {
  readonly secretId: string;
  /** 32 to 64 characters. */
  readonly versionId: string;
}

/**
 * Stores new keys as a version that is not in use yet. The version also contains the previous keys as retired
 * ones, each until no open run has used it for a while, because a dispatch cycle may still lease with a key
 * that it read before. Safe to repeat. `taken`: the version already has other keys.
 * @throws RunnerError `key_refused` for a key that is being revoked; `run_store_unavailable`,
 * `secrets_unavailable`
 */
export async function stageKey(
  ports: StagePorts,
  given: NewKeys & Version,
  stage: "AWSPENDING" | "STUDIO_RUNNER_CLI",
): Promise<"stored" | "taken"> {
  const { store, runStore, clock } = ports;
  const { pool, secretId, versionId, keys, instances, present } = given;
  const inUse = new Set((await runStore.openRuns(pool)).map(({ keyId }) => keyId));
  const retired = retire(given, inUse, clock.now());
  await recordInstances(ports, given);
  const text = renderRunnerSecret({ keys, retired, instances, replaces: present.versionId });
  return store.putStaged(secretId, { versionId, text, stage });
}

function retire(
  { keys, present: { current, previous } }: NewKeys,
  inUse: ReadonlySet<string>,
  nowMs: number,
): readonly RetiredKey[] {
  const known = new Set(keys.map(({ id }) => id));
  const isNew = ({ id }: RunnerKey): boolean => !known.has(id) && Boolean(known.add(id));
  const untilNow = current.keys.filter(isNew);
  const before: readonly RetiredKey[] = [...current.retired, ...previous.keys, ...previous.retired];
  return [
    ...untilNow,
    ...before.filter(isNew).flatMap(({ id, value, unusedSinceMs = nowMs }) => {
      if (inUse.has(id)) return [{ id, value }];
      return nowMs - unusedSinceMs < timing.revokeAfterMs ? [{ id, value, unusedSinceMs }] : [];
    }),
  ];
}

/**
 * Records the instances that the secret names, so that they can be revoked later. Resets the unused time of
 * keys that are or become current.
 * @throws RunnerError `key_refused` if one of the keys is being revoked
 */
async function recordInstances({ rotation }: StagePorts, { pool, keys, present }: NewKeys): Promise<void> {
  const { current, previous } = present;
  const leasing = new Set([...keys, ...current.keys].map(({ id }) => id));
  const change = (known: KnownInstances): KnownInstances => {
    const gone = known.find(
      ({ credentialId, isRevoking }) => isRevoking && keys.some(({ id }) => id === credentialId),
    );
    if (gone) throw new RunnerError("key_refused", `the runner key ${gone.credentialId} is being revoked`);
    const all = new Map(
      [...current.instances, ...previous.instances, ...known].map((one) => [one.instanceId, one]),
    );
    return [...all.values()].map(({ unusedSinceMs, ...one }: KnownInstances[number]) =>
      unusedSinceMs === undefined || leasing.has(one.credentialId) ? one : { ...one, unusedSinceMs },
    );
  };
  const known = await rotation.read(pool);
  if (JSON.stringify(change(known)) !== JSON.stringify(known)) await rotation.change(pool, change);
}

/**
 * Makes a version current, if the version that it replaces still is. The next dispatch cycle leases with its
 * keys. `false`: another value is current and stays. Safe to repeat.
 * @throws RunnerError `secrets_unavailable`
 */
export const promote = (
  store: SecretStore,
  { secretId, versionId, replaces }: Version & { readonly replaces: string | undefined },
): Promise<boolean> => move(store, secretId, { stage: "AWSCURRENT", to: versionId, from: replaces });

/** Removes AWSPENDING from a version that will never become current. */
export async function dropPending(store: SecretStore, { secretId, versionId }: Version): Promise<void> {
  const { AWSPENDING } = await store.stages(secretId);
  if (AWSPENDING === versionId) await move(store, secretId, { stage: "AWSPENDING", from: versionId });
}

interface Move {
  readonly stage: Stage;
  readonly to?: string;
  readonly from: string | undefined;
}

/**
 * Moves a label. `false`: the label is on another version. A move whose first answer was lost also fails, so
 * the label is read after a failure.
 */
async function move(store: SecretStore, secretId: string, { stage, to, from }: Move): Promise<boolean> {
  try {
    await store.moveStage(secretId, { stage, to, from });
    return true;
  } catch (error) {
    if (!hasCode(error, "secrets_unavailable")) throw error;
    const holder = (await store.stages(secretId))[stage];
    if (holder === from) throw error;
    return holder === to;
  }
}

/**
 * Stores new keys and makes them current. `false`: another value is current and stays.
 * @throws RunnerError as `stageKey`
 */
export async function replaceKeys(ports: StagePorts, given: NewKeys & Version): Promise<boolean> {
  await stageKey(ports, given, "STUDIO_RUNNER_CLI");
  return promote(ports.store, { ...given, replaces: given.present.versionId });
}

const maxTries = 5;

/**
 * Like `replaceKeys`, but replaces any current value, and tries again if another writer was faster. Returns
 * the new version's id.
 * @throws RunnerError as `stageKey`; `rotation_superseded` if another writer was faster every time
 */
export async function setKeys(
  ports: StagePorts & Pick<RotationPorts, "newId">,
  given: Omit<NewKeys, "present">,
): Promise<string> {
  const { secretId } = given;
  for (let tried = 0; tried < maxTries; tried++) {
    const present = await readPresent(ports.store, secretId);
    const versionId = ports.newId();
    if (await replaceKeys(ports, { ...given, versionId, present })) return versionId;
  }
  const sentence = `the secret "${secretId}" keeps changing: the new keys are not in use, try again`;
  throw new RunnerError("rotation_superseded", sentence);
}
