import type { Clock } from "./clock.ts";
import { RunnerError } from "./errors.ts";

/** How often and how patiently a call is repeated. Pure data: each route and adapter declares its own. */
export interface RetryPolicy {
  /** Tries in all, the first included. */
  readonly attempts: number;
  readonly baseMs: number;
  readonly maxMs: number;
  /** A longer Retry-After than this is not waited for: the error goes to the caller. */
  readonly maxRetryAfterMs: number;
}

export const noRetry: RetryPolicy = { attempts: 1, baseMs: 0, maxMs: 0, maxRetryAfterMs: 0 };

export interface RetryDeps {
  readonly clock: Clock;
  /** 0 (included) to 1 (excluded). */
  readonly random: () => number;
}

/** Wait before try `attempt + 1`: Retry-After where the other side gave one, else exponential with full jitter above half. */
export function backoffMs(policy: RetryPolicy, attempt: number, random: () => number): number {
  const ceilingMs = Math.min(policy.maxMs, policy.baseMs * 2 ** (attempt - 1));
  return Math.round(ceilingMs * (0.5 + random() / 2));
}

export interface RetryContext {
  readonly deps: RetryDeps;
  readonly policy: RetryPolicy;
  readonly signal?: AbortSignal;
  readonly onRetry?: (error: RunnerError, waitMs: number) => void;
}

/**
 * Repeats `work` while it throws a retryable RunnerError. Anything else, a bug included, goes out at once.
 * @throws the last error, or `signal.reason` when aborted while waiting
 */
export async function retry<T>(context: RetryContext, work: (attempt: number) => Promise<T>): Promise<T> {
  const { deps, policy, signal } = context;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof RunnerError) || !error.retryable || attempt >= policy.attempts) throw error;
      if ((error.retryAfterMs ?? 0) > policy.maxRetryAfterMs) throw error;
      const waitMs = error.retryAfterMs ?? backoffMs(policy, attempt, deps.random);
      context.onRetry?.(error, waitMs);
      await deps.clock.sleep(waitMs, signal);
    }
  }
}
