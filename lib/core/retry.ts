import type { Clock } from "./clock.ts";
import { RunnerError } from "./errors.ts";
import { timing } from "./timing.ts";

/** How the waits between attempts grow: doubling from the first to the last of these. */
export interface Pace {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** How often and how patiently a call is repeated. Pure data: each route and adapter declares its own. */
export interface RetryPolicy extends Pace {
  /** Tries in all, the first included. */
  readonly attempts: number;
  /** A longer Retry-After than this is not waited for: the error goes to the caller. */
  readonly maxRetryAfterMs: number;
}

export const noRetry: RetryPolicy = { attempts: 1, baseMs: 0, maxMs: 0, maxRetryAfterMs: 0 };

export interface RetryDeps {
  readonly clock: Clock;
  /** 0 (included) to 1 (excluded). */
  readonly random: () => number;
}

/** What failed: the attempt's number, from 1, and the wait that the other side asked for (Retry-After). */
export interface Failed {
  readonly attempt: number;
  readonly askedMs: number | undefined;
}

/**
 * The wait before attempt `attempt + 1`. Every wait before a repetition is computed here: as long as asked, but no
 * shorter than our own exponential back-off (jittered between half and whole), so that Retry-After: 0 makes no hot loop,
 * and no longer than `timing.maxRetryWaitMs`.
 */
export function retryWaitMs(pace: Pace, { attempt, askedMs = 0 }: Failed, random: () => number): number {
  const fullMs = Math.min(pace.maxMs, pace.baseMs * 2 ** (attempt - 1));
  const backoffMs = Math.round(fullMs * (0.5 + random() / 2));
  return Math.min(timing.maxRetryWaitMs, Math.max(backoffMs, askedMs));
}

const rateLimitPace: Pace = { baseMs: 1_000, maxMs: 60_000 };

/** How long a pool holds back after 429s in a row, `attempt` so far. */
export function rateLimitWaitMs({ attempt, askedMs }: Failed, random: () => number): number {
  return retryWaitMs(rateLimitPace, { attempt, askedMs: askedMs ?? timing.rateLimitMs }, random);
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
      const waitMs = retryWaitMs(policy, { attempt, askedMs: error.retryAfterMs }, deps.random);
      context.onRetry?.(error, waitMs);
      await deps.clock.sleep(waitMs, signal);
    }
  }
}
