import { hasCode, RunnerError } from "../core/errors.ts";
import type { RunnerKeys } from "../keys/runner-keys.ts";
import type { RunnerKey } from "../core/secret.ts";
import type { Context } from "../studio/schemas.ts";
import type { CompletePayload, JobCall, SummaryUpdate } from "../studio/studio.ts";
import type { Ports } from "./ports.ts";

/** Studio for one attempt, with the workspace and the lease's key bound. Throws as `Studio` does. */
export interface StudioJob {
  context(signal: AbortSignal): Promise<Context>;
  heartbeat(signal: AbortSignal): Promise<{ readonly leaseExpiresAtMs: number | undefined }>;
  updateSummary(update: SummaryUpdate, signal: AbortSignal): Promise<void>;
  complete(payload: CompletePayload, signal: AbortSignal): Promise<void>;
  fail(reason: string, signal: AbortSignal): Promise<void>;
}

/** If the key is refused, reads both stages of the secret again; throws `key_refused` if that does not help. */
export function bindJob(
  { studio, keys }: Pick<Ports, "studio" | "keys">,
  job: { readonly workspaceId: string; readonly keyId: string },
): StudioJob {
  let current: Promise<RunnerKey> | undefined;

  async function withKey<T>(signal: AbortSignal, send: (call: JobCall) => Promise<T>): Promise<T> {
    current ??= keyOfLease(keys, job.keyId, signal);
    const key = await current.catch((error: unknown) => {
      current = undefined;
      throw error;
    });
    try {
      return await send({ key, signal, workspaceId: job.workspaceId });
    } catch (error) {
      if (!hasCode(error, "key_refused")) throw error;
      const fresh = await anotherKey(keys, { keyId: job.keyId, refused: key }, signal);
      if (fresh === undefined) throw error;
      current = Promise.resolve(fresh);
      return send({ key: fresh, signal, workspaceId: job.workspaceId });
    }
  }

  return {
    context: (signal) => withKey(signal, (call) => studio.context(call)),
    heartbeat: (signal) => withKey(signal, (call) => studio.heartbeat(call)),
    updateSummary: (update, signal) => withKey(signal, (call) => studio.updateSummary(call, update)),
    complete: (payload, signal) => withKey(signal, (call) => studio.complete(call, payload)),
    fail: (reason, signal) => withKey(signal, (call) => studio.fail(call, reason)),
  };
}

const byId = (keys: readonly RunnerKey[], keyId: string): RunnerKey | undefined =>
  keys.find(({ id }) => id === keyId);

/**
 * The key that took the lease. If the cache does not have it, the key is newer than the cache or was rotated. Another key of the pool
 * is tried only if the secret does not hold it in any stage.
 */
async function keyOfLease(keys: RunnerKeys, keyId: string, signal: AbortSignal): Promise<RunnerKey> {
  const known = byId(await keys.get(signal), keyId);
  if (known) return known;
  const present = await keys.refresh(signal);
  const key = byId(present, keyId) ?? byId(await keys.retired(signal), keyId) ?? present[0];
  if (!key) throw new RunnerError("secret_missing", "the pool's secret holds no runner key");
  return key;
}

interface Refusal {
  readonly keyId: string;
  readonly refused: RunnerKey;
}

/**
 * The lease's key with a new secret value. Another key of the pool is tried only if the lease's key is in neither stage: while it is
 * there, Studio may accept it again, and Studio answers a key that does not hold the lease that the lease is lost.
 */
async function anotherKey(
  keys: RunnerKeys,
  { keyId, refused }: Refusal,
  signal: AbortSignal,
): Promise<RunnerKey | undefined> {
  const present = await keys.refresh(signal);
  const retired = await keys.retired(signal);
  const own = [...present, ...retired].filter(({ id }) => id === keyId);
  return (own.length > 0 ? own : present).find(({ value }) => value.reveal() !== refused.value.reveal());
}
