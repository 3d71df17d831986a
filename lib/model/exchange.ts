import { unlessAborted } from "../core/clock.ts";
import { hasCode } from "../core/errors.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { RetryPolicy } from "../core/retry.ts";
import { retry } from "../core/retry.ts";
import type { CostOf } from "./billed.ts";
import type { ModelTurn } from "./model.ts";
import type { TerminalEvent } from "./response-answer.ts";
import { endedAtRateLimit, turnFrom } from "./response-answer.ts";
import { openResponsesApi, type ApiDeps, type Line, type ResponsesApi } from "./responses-api.ts";

/** Worth a log line; nothing secret in it. */
export type ModelNote =
  | {
      readonly kind: "retry";
      readonly code: ErrorCode;
      readonly status: number | undefined;
      readonly waitMs: number;
    }
  | { readonly kind: "cancel_failed"; readonly code: ErrorCode; readonly status: number | undefined }
  | { readonly kind: "key_refetched" }
  /** The provider does not stream responses in the background: from now on they are looked at. */
  | { readonly kind: "background_stream_refused" }
  /** The provider makes no responses in the background: from now on they are streamed. */
  | { readonly kind: "background_refused" };

export interface ExchangeDeps extends ApiDeps {
  /** 0 (included) to 1 (excluded). */
  readonly random: () => number;
  /** Without a byte for this long, from the request on, the line of a generation counts as dead. Default 90 s. */
  readonly silenceMs?: number;
  /** The same for what is answered at once: a look at a stored response, a cancellation. Default 15 s. */
  readonly answerMs?: number;
  readonly onEvent?: (note: ModelNote) => void;
  /** Absent: what a response costs is not known. */
  readonly costOf?: CostOf | undefined;
}

export const defaultSilenceMs = 90_000;
export const defaultAnswerMs = 15_000;

/** For asking the model. */
export const askingPolicy: RetryPolicy = {
  attempts: 5,
  baseMs: 1_000,
  maxMs: 30_000,
  maxRetryAfterMs: Number.POSITIVE_INFINITY, // bounded by `timing.maxRetryWaitMs`
};

/**
 * One try of something with the API. A refused key is fetched anew and tried once more. The connection is closed at the
 * end in any case, and the promise settles at the signal's abort.
 * @throws RunnerError; what fetching the key throws; `signal.reason`
 */
export async function exchange<T>(
  deps: ExchangeDeps,
  { silenceMs, signal }: Line,
  work: (api: ResponsesApi) => Promise<T>,
): Promise<T> {
  const { key } = deps.client;
  const attempt = async (readyKey: () => Promise<unknown> | undefined): Promise<T> => {
    signal.throwIfAborted();
    const over = new AbortController();
    const line = { silenceMs, signal: AbortSignal.any([signal, over.signal]) };
    const run = async (): Promise<T> => {
      await readyKey();
      return await work(openResponsesApi(deps, line));
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
  deps.onEvent?.({ kind: "key_refetched" });
  return await attempt(() => key.refresh());
}

export interface Repetition {
  readonly policy: RetryPolicy;
  readonly signal: AbortSignal;
}

/** The adapter's one retry layer (the SDK's is off). */
export async function repeated<T>(
  deps: ExchangeDeps,
  { policy, signal }: Repetition,
  work: (attempt: number) => Promise<T>,
): Promise<T> {
  return await retry(
    {
      deps,
      policy,
      signal,
      onRetry: ({ code, status }, waitMs) => deps.onEvent?.({ kind: "retry", code, status, waitMs }),
    },
    work,
  );
}

/** A response that has ended, as a turn; `model` as it was asked for. @throws RunnerError as `turnFrom` does */
export function conclude(deps: ExchangeDeps, end: TerminalEvent, model?: string): ModelTurn {
  const { client, costOf } = deps;
  if (endedAtRateLimit(end.response)) deps.onRateLimited?.({ retryAfterMs: undefined });
  return turnFrom(end, { redact: client.redact, costOf, model });
}
