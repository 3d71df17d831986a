import { RunnerError, toRunnerError } from "../core/errors.ts";
import type { RunnerKey } from "../core/secret.ts";
import type { Lease } from "../studio/schemas.ts";

/** More lease calls at once would hit rate limits without leasing faster. */
const widestBatch = 32;

export interface Leasing {
  /** Sends one lease call with this key. */
  readonly lease: (key: RunnerKey) => Promise<Lease | undefined>;
  /** A key that may take one more lease now; the lease is reserved until `lease` returns empty or fails. */
  readonly nextKey: () => RunnerKey | undefined;
  /** Awaited before each batch, so that starting the leased runs can keep up. */
  readonly beforeBatch: () => Promise<void>;
  readonly onLeased: (lease: Lease, key: RunnerKey) => void;
  readonly onNotLeased: (key: RunnerKey, error?: RunnerError) => void;
}

export interface SlowStartResult {
  readonly leased: number;
  /** What ended the slow start. `full`: no capacity or no key is left; the queue may hold more. */
  readonly end: "full" | "empty" | RunnerError;
  /** The size of the next call's first batch: after a full batch there is no need to start slowly again. */
  readonly nextWidth: number;
}

/**
 * Sends lease calls in batches of 1, 2, 4, 8 … while every call of a batch leases a job. Stops after the batch with the first
 * empty answer or error. `firstWidth`: `nextWidth` of the previous call.
 */
export async function slowStart(
  leasing: Leasing,
  capacity: number,
  firstWidth = 1,
): Promise<SlowStartResult> {
  let leased = 0;
  for (let width = firstWidth; ; width = Math.min(width * 2, widestBatch)) {
    await leasing.beforeBatch();
    const keys = takeKeys(leasing.nextKey, Math.min(width, capacity - leased));
    if (keys.length === 0) return { leased, end: "full", nextWidth: width };
    const answers = await Promise.all(keys.map((key) => leaseWith(leasing, key)));
    leased += answers.filter((answer) => answer === "leased").length;
    const error = answers.find((answer) => answer instanceof RunnerError);
    if (error instanceof RunnerError) return { leased, end: error, nextWidth: 1 };
    if (answers.includes("empty")) return { leased, end: "empty", nextWidth: 1 };
  }
}

function takeKeys(nextKey: Leasing["nextKey"], count: number): readonly RunnerKey[] {
  const keys: RunnerKey[] = [];
  while (keys.length < count) {
    const key = nextKey();
    if (!key) break;
    keys.push(key);
  }
  return keys;
}

async function leaseWith(leasing: Leasing, key: RunnerKey): Promise<"leased" | "empty" | RunnerError> {
  try {
    const lease = await leasing.lease(key);
    if (lease) leasing.onLeased(lease, key);
    else leasing.onNotLeased(key);
    return lease ? "leased" : "empty";
  } catch (thrown) {
    const error = toRunnerError(thrown);
    leasing.onNotLeased(key, error);
    return error;
  }
}
