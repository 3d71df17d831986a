import { RunnerError } from "./errors.ts";

/** Wall clock and timers as one port, so that tests control time. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /**
   * Resolves after `ms`, however many; rejects with `signal.reason` at once when the signal aborts, and with a RangeError
   * for NaN. Leaves no listener behind.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Node fires a timer that is set for longer at once. */
const longestTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      // NaN is a bug: neither 0 nor infinity is a safe guess.
      if (Number.isNaN(ms)) return reject(new RangeError("cannot sleep for NaN ms"));
      let timer: NodeJS.Timeout;
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const wait = (leftMs: number): void => {
        const pieceMs = Math.min(leftMs, longestTimerMs);
        timer = setTimeout(() => {
          if (leftMs > pieceMs) return wait(leftMs - pieceMs);
          signal?.removeEventListener("abort", onAbort);
          resolve();
        }, pieceMs);
      };
      wait(Math.max(0, ms));
      signal?.addEventListener("abort", onAbort, { once: true });
    }),
};

/** Settles as `promise` does, or rejects with the signal's reason at its abort, whatever `promise` does then. */
export function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** Abort reason of a timer that is no longer needed. A string, because an Error with its stack costs more than the timer. */
const over = "over";

export interface TimeLimit {
  readonly clock: Clock;
  readonly limitMs: number;
  readonly signal?: AbortSignal;
  /** What is limited, for the error's sentence: "POST /leaseWorkspaceJob". */
  readonly what: string;
}

/**
 * Runs `work` with a signal that aborts after `limitMs` or with `signal`. The promise settles at the abort even if
 * `work` ignores its signal.
 * @throws RunnerError `time_limit` (retryable) at the limit; `signal.reason` when the outer signal aborts
 */
export async function withTimeLimit<T>(
  limit: TimeLimit,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { clock, limitMs, signal, what } = limit;
  signal?.throwIfAborted();
  const inner = new AbortController();
  const finished = new AbortController();
  const onOuterAbort = (): void => inner.abort(signal?.reason);
  signal?.addEventListener("abort", onOuterAbort, { once: true });
  clock.sleep(limitMs, finished.signal).then(
    () =>
      inner.abort(
        new RunnerError("time_limit", `${what} took longer than ${limitMs} ms`, { retryable: true }),
      ),
    (reason: unknown) => {
      if (reason !== over) inner.abort(reason); // an invalid limit (NaN) must end the call at once, not disable the limit
    },
  );
  try {
    return await unlessAborted(inner.signal, work(inner.signal));
  } finally {
    finished.abort(over);
    signal?.removeEventListener("abort", onOuterAbort);
  }
}

export interface Timeout {
  /** Aborts with the reason when the time is over, or with the outer signal's reason. */
  readonly signal: AbortSignal;
  /** Disarms the timer. */
  cancel(): void;
}

export interface TimeoutSettings {
  readonly afterMs: number;
  readonly reason: () => RunnerError;
  readonly outer?: AbortSignal;
}

/** A signal that aborts after a time; for work that consists of several calls. */
export function abortAfter(clock: Clock, { afterMs, reason, outer }: TimeoutSettings): Timeout {
  const controller = new AbortController();
  const cancelled = new AbortController();
  clock.sleep(Math.max(0, afterMs), cancelled.signal).then(
    () => controller.abort(reason()),
    (thrown: unknown) => {
      if (thrown !== over) controller.abort(thrown);
    },
  );
  const signal = outer ? AbortSignal.any([controller.signal, outer]) : controller.signal;
  return { signal, cancel: () => cancelled.abort(over) };
}
