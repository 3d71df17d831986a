import { hasCode } from "../core/errors.ts";
import type { KnownInstance, KnownInstances } from "../runs/rotation.ts";
import { parseRunnerSecret, tryParseRunnerSecret, type RunnerInstance } from "../keys/runner-secret.ts";
import type { RotationPorts } from "./ports.ts";
import { dropPending } from "./stages.ts";

export type RevokePorts = Pick<
  RotationPorts,
  "store" | "runStore" | "rotation" | "studio" | "signIn" | "clock" | "log"
>;

export interface RevokeSettings {
  readonly pool: string;
  readonly secretId: string;
  /**
   * How long a key must have been unused before it is revoked. Longer than a dispatch cycle, which may still
   * lease with a key that it read at its start, and long enough for a rollback to the key.
   */
  readonly revokeAfterMs: number;
}

export interface RevokeSummary {
  /** Credential ids. */
  readonly revoked: readonly string[];
  /** Credential ids of keys that have not been unused for long enough. */
  readonly waiting: readonly string[];
}

/**
 * Revokes every known instance whose key is no longer used: it is not in AWSCURRENT or AWSPENDING, and no
 * open run has it. Safe to repeat and to interrupt, because it looks at the present state only.
 * @throws RunnerError `secret_missing`, `secret_malformed`, `secrets_unavailable`, `run_store_unavailable`,
 * and what `signIn` and Studio throw; instances that are not revoked yet stay recorded
 */
export async function revokeUnused(ports: RevokePorts, settings: RevokeSettings): Promise<RevokeSummary> {
  const { clock, rotation } = ports;
  const { pool, revokeAfterMs } = settings;
  const use = await lookAtUse(ports, settings);
  const nowMs = clock.now();
  const change = (known: KnownInstances): KnownInstances => mark(known, use, { nowMs, revokeAfterMs });
  const before = await rotation.read(pool);
  const isChanged = JSON.stringify(change(before)) !== JSON.stringify(before);
  const known = isChanged ? await rotation.change(pool, change) : before;
  const unused = known.filter(
    ({ revokedAtMs, unusedSinceMs }) => revokedAtMs === undefined && unusedSinceMs !== undefined,
  );
  const due = unused.filter(({ isRevoking }) => isRevoking);
  if (due.length > 0) await revokeAll(ports, pool, due);
  return { revoked: ids(due), waiting: ids(unused.filter((one) => !due.includes(one))) };
}

const ids = (instances: KnownInstances): readonly string[] =>
  instances.map(({ credentialId }) => credentialId);

interface Use {
  /** Credential ids of keys that are in use. */
  readonly used: ReadonlySet<string>;
  /** Instances that the secret names, in any stage. */
  readonly named: readonly RunnerInstance[];
}

async function lookAtUse({ store, runStore }: RevokePorts, { pool, secretId }: RevokeSettings): Promise<Use> {
  const { AWSCURRENT, AWSPENDING, AWSPREVIOUS } = await store.stages(secretId);
  const read = (versionId: string | undefined): Promise<string | undefined> =>
    versionId === undefined ? Promise.resolve(undefined) : store.readVersion(secretId, versionId);
  const [current, pending, previous, open] = await Promise.all([
    read(AWSCURRENT),
    read(AWSPENDING),
    read(AWSPREVIOUS),
    runStore.openRuns(pool),
  ]);
  // If the current value is unreadable, the keys in use are unknown, so this throws.
  const present = parseRunnerSecret(current ?? "", secretId);
  const next = tryParseRunnerSecret(pending, secretId);
  const last = tryParseRunnerSecret(previous, secretId);
  const isOver = AWSPENDING === AWSCURRENT || next.replaces !== AWSCURRENT;
  // This version can never become current and would block the next rotation. A version without a value is
  // still being created.
  if (AWSPENDING !== undefined && AWSPENDING !== AWSCURRENT && pending !== undefined && isOver)
    await dropPending(store, { secretId, versionId: AWSPENDING });
  const keyIds = [...present.keys, ...(isOver ? [] : next.keys)].map(({ id }) => id);
  return {
    used: new Set([...keyIds, ...open.map(({ keyId }) => keyId)]),
    named: [...present.instances, ...next.instances, ...last.instances],
  };
}

interface When {
  readonly nowMs: number;
  readonly revokeAfterMs: number;
}

/**
 * Returns all known instances with the time since which each has been unused, and whether it is due for
 * revocation. Drops revoked instances that the secret no longer names.
 */
function mark(known: KnownInstances, { used, named }: Use, { nowMs, revokeAfterMs }: When): KnownInstances {
  const all = new Map([...named, ...known].map((one): [string, KnownInstance] => [one.instanceId, one]));
  return [...all.values()]
    .filter(
      ({ revokedAtMs, instanceId }) =>
        revokedAtMs === undefined || named.some((one) => one.instanceId === instanceId),
    )
    .map(({ unusedSinceMs = nowMs, isRevoking, ...instance }): KnownInstance => {
      if (used.has(instance.credentialId)) return instance;
      const isDue = isRevoking === true || nowMs - unusedSinceMs >= revokeAfterMs;
      return { ...instance, unusedSinceMs, ...(isDue ? { isRevoking: true } : {}) };
    });
}

async function revokeAll(ports: RevokePorts, pool: string, due: KnownInstances): Promise<void> {
  const accountToken = await ports.signIn();
  for (const { instanceId, credentialId } of due) {
    try {
      await ports.studio.revokeRunnerInstance(
        { accountToken, signal: new AbortController().signal },
        instanceId,
      );
    } catch (error) {
      // The instance is already gone: it was revoked on Studio's page, or before a crash of the rotator.
      if (!hasCode(error, "studio_rejected") || error.status !== 404) throw error;
    }
    ports.log.info("key_revoked", { pool, keyId: credentialId });
    const revokedAtMs = ports.clock.now();
    await ports.rotation.change(pool, (known) =>
      known.map((one) => (one.instanceId === instanceId ? { ...one, revokedAtMs } : one)),
    );
  }
}
