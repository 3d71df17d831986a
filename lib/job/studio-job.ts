import { hasCode, RunnerError } from "../errors.ts";
import type { RunnerKey } from "../secret.ts";
import type { Context } from "../studio/schemas.ts";
import type { CompletePayload, JobCall, Studio, SummaryUpdate } from "../studio/studio.ts";

/** The runner keys of a pool, cached (lib/secrets.ts). */
export interface RunnerKeys {
  get(signal?: AbortSignal): Promise<readonly RunnerKey[]>;
  refresh(signal?: AbortSignal): Promise<readonly RunnerKey[]>;
}

/** Studio as one leg sees it: its workspace and the key that took the lease are bound. Errors as `Studio`'s. */
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

/** A refused key is read again from its secret once per leg; when that does not help, `key_refused` goes out. */
export function bindJob(
  deps: StudioJobDeps,
  job: { readonly workspaceId: string; readonly keyId: string },
): StudioJob {
  let current: Promise<RunnerKey> | undefined;
  let refetched = false;

  async function withKey<T>(signal: AbortSignal, send: (call: JobCall) => Promise<T>): Promise<T> {
    current ??= keyOfLease(deps.keys, job.keyId, signal);
    const key = await current.catch((error: unknown) => {
      current = undefined;
      throw error;
    });
    try {
      return await send({ key, signal, workspaceId: job.workspaceId });
    } catch (error) {
      if (!hasCode(error, "key_refused") || refetched) throw error;
      const fresh = pickKey(await deps.keys.refresh(signal), job.keyId);
      refetched = true;
      if (fresh.value.reveal() === key.value.reveal()) throw error;
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

/** A key that our cache does not have may be newer than the cache: it took the lease, so that it is in the secret. */
async function keyOfLease(keys: RunnerKeys, keyId: string, signal: AbortSignal): Promise<RunnerKey> {
  const known = (await keys.get(signal)).find(({ id }) => id === keyId);
  return known ?? pickKey(await keys.refresh(signal), keyId);
}

/** The key that took the lease; another of the pool's keys when it has been rotated away. */
function pickKey(keys: readonly RunnerKey[], keyId: string): RunnerKey {
  const key = keys.find(({ id }) => id === keyId) ?? keys[0];
  if (!key) throw new RunnerError("secret_missing", "the pool's secret holds no runner key");
  return key;
}
