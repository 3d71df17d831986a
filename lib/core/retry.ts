import type { Clock } from "./clock.ts";
import { RunnerError } from "./errors.ts";
import { timing } from "./timing.ts";

/** How the waits between tries grow: doubling from `baseMs` to `maxMs`. */
export interface Pace {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** How often a call is retried, and with which waits. Each route and adapter declares its own. */
export interface RetryPolicy extends Pace {
  /** Tries in all, the first included. */
  readonly attempts: number;
  /** If Retry-After is longer than this, the error goes to the caller without a retry. */
  readonly maxRetryAfterMs: number;
}

export const noRetry: RetryPolicy = { attempts: 1, baseMs: 0, maxMs: 0, maxRetryAfterMs: 0 };

/** The number of the try that failed, from 1, and the wait that the server asked for (Retry-After). */
export interface Failed {
  readonly attempt: number;
  readonly askedMs: number | undefined;
}

/**
 * The wait before try `attempt + 1`. Every wait before a retry is computed here: as long as the server asked, but at least
 * our own exponential back-off (jittered between half and whole), so that Retry-After: 0 causes no hot loop,
 * and at most `timing.maxRetryWaitMs`.
 */
export function retryWaitMs(pace: Pace, { attempt, askedMs = 0 }: Failed, random: () => number): number {
  const fullMs = Math.min(pace.maxMs, pace.baseMs * 2 ** (attempt - 1));
  const backoffMs = Math.round(fullMs * (0.5 + random() / 2));
  return Math.min(timing.maxRetryWaitMs, Math.max(backoffMs, askedMs));
}

const rateLimitPace: Pace = { baseMs: 1_000, maxMs: 60_000 };

/** How long a pool waits after a number of 429s in a row. */
export function rateLimitWaitMs({ attempt, askedMs }: Failed, random: () => number): number {
  return retryWaitMs(rateLimitPace, { attempt, askedMs: askedMs ?? timing.rateLimitMs }, random);
}

export interface RetryContext {
  readonly clock: Clock;
  /** 0 (included) to 1 (excluded). */
  readonly random: () => number;
  readonly policy: RetryPolicy;
  readonly signal?: AbortSignal;
  readonly onRetry?: (error: RunnerError, waitMs: number) => void;
}

/**
 * Repeats `work` while it throws a retryable RunnerError. Anything else, such as a bug, is thrown at once.
 * @throws the last error, or `signal.reason` when aborted while waiting
 */
export async function retry<T>(context: RetryContext, work: (attempt: number) => Promise<T>): Promise<T> {
  const { clock, random, policy, signal } = context;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof RunnerError) || !error.retryable || attempt >= policy.attempts) throw error;
      if ((error.retryAfterMs ?? 0) > policy.maxRetryAfterMs) throw error;
      const waitMs = retryWaitMs(policy, { attempt, askedMs: error.retryAfterMs }, random);
      context.onRetry?.(error, waitMs);
      await clock.sleep(waitMs, signal);
    }
  }
}

/** Reads one header of an answer by its lower-case name. */
export type HeaderReader = (name: string) => string | null | undefined;

/**
 * How long the other side asks us to wait, in milliseconds: `retry-after-ms` (OpenAI's own), else `Retry-After` as
 * seconds or as an HTTP date, counted from `nowMs` (by the sender's clock if it is known). From 0 to
 * `timing.maxRetryWaitMs`; `undefined` if it says nothing usable.
 */
export function readRetryAfterMs(header: HeaderReader, nowMs: number): number | undefined {
  return scaled(header("retry-after-ms"), 1) ?? parseRetryAfter(header("retry-after"), nowMs);
}

/** A `Retry-After` header, seconds or an HTTP date; bounded as `readRetryAfterMs`. */
export function parseRetryAfter(value: string | null | undefined, nowMs: number): number | undefined {
  const text = value?.trim() ?? "";
  const atMs = /^[A-Z][a-z]+,? .* GMT$/.test(text) ? Date.parse(text) : Number.NaN;
  return scaled(text, 1_000) ?? bounded(atMs - nowMs);
}

function scaled(value: string | null | undefined, unitMs: number): number | undefined {
  const text = value?.trim() ?? "";
  return /^\d+(?:\.\d+)?$/.test(text) ? bounded(Number(text) * unitMs) : undefined;
}

const bounded = (ms: number): number | undefined =>
  Number.isNaN(ms) ? undefined : Math.round(Math.min(Math.max(0, ms), timing.maxRetryWaitMs));
