import { hasCode, RunnerError } from "../core/errors.ts";
import type { RunnerKeys } from "../keys/runner-keys.ts";
import type { RunnerKey } from "../core/secret.ts";
import type { Context } from "../studio/schemas.ts";
import type { CompletePayload, JobCall, Studio, SummaryUpdate } from "../studio/studio.ts";

/** Studio as one attempt sees it: its workspace and the key that took the lease are bound. Errors as `Studio`'s. */
export interface StudioJob {
  context(signal: AbortSignal): Promise<Context>;
  heartbeat(signal: AbortSignal): Promise<{ readonly leaseExpiresAtMs: number | undefined }>;
  updateSummary(update: SummaryUpdate, signal: AbortSignal): Promise<void>;
  complete(payload: CompletePayload, signal: AbortSignal): Promise<void>;
  fail(reason: string, signal: AbortSignal): Promise<void>;
}

export interface StudioJobDeps {
  readonly studio: Studio;
  readonly keys: RunnerKeys;
}

/** A refused key is looked for anew, in both stages; when that does not help, `key_refused` goes out. */
export function bindJob(
  deps: StudioJobDeps,
  job: { readonly workspaceId: string; readonly keyId: string },
): StudioJob {
  let current: Promise<RunnerKey> | undefined;

  async function withKey<T>(signal: AbortSignal, send: (call: JobCall) => Promise<T>): Promise<T> {
    current ??= keyOfLease(deps.keys, job.keyId, signal);
    const key = await current.catch((error: unknown) => {
      current = undefined;
      throw error;
    });
    try {
      return await send({ key, signal, workspaceId: job.workspaceId });
    } catch (error) {
      if (!hasCode(error, "key_refused")) throw error;
      const fresh = await anotherKey(deps.keys, { keyId: job.keyId, refused: key }, signal);
      if (fresh === undefined) throw error;
      current = Promise.resolve(fresh);
      return send({ key: fresh, signal, workspaceId: job.workspaceId });
    }
  }

  return {
    context: (signal) => withKey(signal, (call) => deps.studio.context(call)),
    heartbeat: (signal) => withKey(signal, (call) => deps.studio.heartbeat(call)),
    updateSummary: (update, signal) => withKey(signal, (call) => deps.studio.updateSummary(call, update)),
    complete: (payload, signal) => withKey(signal, (call) => deps.studio.complete(call, payload)),
    fail: (reason, signal) => withKey(signal, (call) => deps.studio.fail(call, reason)),
  };
}

const byId = (keys: readonly RunnerKey[], keyId: string): RunnerKey | undefined =>
  keys.find(({ id }) => id === keyId);

/**
 * The key that took the lease. One that our cache does not have is newer than the cache, or was rotated away since; only
 * when it is nowhere any more is another key of the pool tried in its place.
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
 * The lease's key with another secret. Another of the pool's keys is tried only where the lease's is in neither stage any
 * more: while it is there, Studio may accept it again, and to a key that does not hold the lease it says that the lease is
 * lost.
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
