import { unlessAborted } from "../core/clock.ts";
import { hasCode } from "../core/errors.ts";
import type { ErrorCode } from "../core/errors.ts";
import { type RetryPolicy, retry } from "../core/retry.ts";
import type { CostOf } from "./billed.ts";
import type { ModelTurn } from "./model.ts";
import type { TerminalEvent } from "./response-answer.ts";
import { endedAtRateLimit, turnFrom } from "./response-answer.ts";
import { openResponsesApi, type ApiOptions, type Line, type ResponsesApi } from "./responses-api.ts";

/** Worth a log line; nothing secret in it. */
export type ModelNote =
  | {
      readonly kind: "retry";
      readonly code: ErrorCode;
      readonly status: number | undefined;
      readonly explanation: string;
      readonly waitMs: number;
    }
  | { readonly kind: "cancel_failed"; readonly code: ErrorCode; readonly status: number | undefined }
  | { readonly kind: "key_refetched" }
  /** The provider does not stream background responses: they are polled from now on. */
  | { readonly kind: "background_stream_refused" }
  /** The provider has no background mode: responses are streamed from now on. */
  | { readonly kind: "background_refused" };

export interface Provider extends ApiOptions {
  /** 0 (included) to 1 (excluded). */
  readonly random: () => number;
  /** A generation's connection counts as dead after this long without a byte, from the request on. Default 90 s. */
  readonly silenceMs?: number;
  /** The same for requests that are answered at once: reading a stored response, cancelling one. Default 15 s. */
  readonly answerMs?: number;
  readonly onEvent?: (note: ModelNote) => void;
  /** Absent: costs are unknown. */
  readonly costOf?: CostOf | undefined;
}

export const defaultSilenceMs = 90_000;
export const defaultAnswerMs = 15_000;

/** For requests to the model. */
export const askingPolicy: RetryPolicy = {
  attempts: 5,
  baseMs: 1_000,
  maxMs: 30_000,
  maxRetryAfterMs: Number.POSITIVE_INFINITY, // bounded by `timing.maxRetryWaitMs`
};

/**
 * Makes one try of an exchange with the API. If the key is refused, fetches it again and tries once more. Always closes the
 * connection at the end. The promise settles when the signal aborts.
 * @throws RunnerError; what fetching the key throws; `signal.reason`
 */
export async function exchange<T>(
  provider: Provider,
  { silenceMs, signal }: Line,
  work: (api: ResponsesApi) => Promise<T>,
): Promise<T> {
  const { key } = provider.client;
  const attempt = async (readyKey: () => Promise<unknown> | undefined): Promise<T> => {
    signal.throwIfAborted();
    const over = new AbortController();
    const line = { silenceMs, signal: AbortSignal.any([signal, over.signal]) };
    const run = async (): Promise<T> => {
      await readyKey();
      return await work(openResponsesApi(provider, line));
    };
    try {
      return await unlessAborted(signal, run());
    } finally {
      over.abort("over");
    }
  };
  try {
    return await attempt(() => key?.get());
  } catch (error) {
    signal.throwIfAborted();
    if (key === undefined || !hasCode(error, "model_key_refused")) throw error;
  }
  provider.onEvent?.({ kind: "key_refetched" });
  return await attempt(() => key.refresh());
}

export interface Repetition {
  readonly policy: RetryPolicy;
  readonly signal: AbortSignal;
}

/** The adapter's one retry layer (the SDK's is off). */
export async function repeated<T>(
  { clock, random, onEvent }: Provider,
  { policy, signal }: Repetition,
  work: (attempt: number) => Promise<T>,
): Promise<T> {
  return await retry(
    {
      clock,
      random,
      policy,
      signal,
      onRetry: ({ code, status, message: explanation }, waitMs) =>
        onEvent?.({ kind: "retry", code, status, explanation, waitMs }),
    },
    work,
  );
}

/** Converts a response that ended to a turn; `model` is the requested one. @throws RunnerError as `turnFrom` does */
export function conclude(provider: Provider, end: TerminalEvent, model?: string): ModelTurn {
  const { client, costOf } = provider;
  if (endedAtRateLimit(end.response)) provider.onRateLimited?.({ retryAfterMs: undefined });
  return turnFrom(end, { redact: client.redact, costOf, model });
}
