import { hasCode } from "../errors.ts";
import type { ErrorCode } from "../errors.ts";
import { redactor, type Redact } from "../redact.ts";
import type { RetryPolicy } from "../retry.ts";
import { retry } from "../retry.ts";
import type { Secret } from "../secret.ts";
import type { ModelTurn } from "./model.ts";
import type { TerminalEvent } from "./response-answer.ts";
import { endedAtRateLimit, turnFrom } from "./response-answer.ts";
import type { ApiDeps, ResponsesApi } from "./responses-api.ts";
import type { SilenceLimit } from "./silence.ts";
import { withSilenceLimit } from "./silence.ts";

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
  /** The provider makes no responses in the background: from now on they are streamed. */
  | { readonly kind: "background_refused" };

export interface ExchangeDeps extends ApiDeps {
  readonly apiKey: {
    get(signal?: AbortSignal): Promise<Secret>;
    /** Past the cache: called once after the provider refused the cached key. */
    refresh(signal?: AbortSignal): Promise<Secret>;
  };
  /** 0 (included) to 1 (excluded). */
  readonly random: () => number;
  /** Without a byte for this long, from the request on, the line of a generation counts as dead. Default 90 s. */
  readonly silenceMs?: number;
  /** The same for what is answered at once: a look at a stored response, a cancellation. Default 15 s. */
  readonly answerMs?: number;
  readonly onEvent?: (note: ModelNote) => void;
}

/** The same deps, with what takes the keys out of a text that were sent last. */
export interface ModelDeps extends ExchangeDeps {
  readonly redact: Redact;
}

/** A key is renewed now and then: what is said of the one before it may still come. */
const rememberedKeys = 3;

export function rememberKeys<D extends ExchangeDeps>(deps: D): D & ModelDeps {
  const sent: string[] = [];
  const note = async (key: Promise<Secret>): Promise<Secret> => {
    const value = (await key).reveal();
    if (!sent.includes(value)) sent.splice(0, sent.length, value, ...sent.slice(0, rememberedKeys - 1));
    return key;
  };
  return {
    ...deps,
    apiKey: {
      get: (signal) => note(deps.apiKey.get(signal)),
      refresh: (signal) => note(deps.apiKey.refresh(signal)),
    },
    redact: (text) => sent.reduce((rest, key) => redactor(key)(rest), text),
  };
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

/** Not needed before the first round: loaded when first used, or while Studio answers. */
export const loadResponsesApi = () => import("./responses-api.ts");

/** One try of something with the API. A refused key is fetched anew and tried once more. */
export async function exchange<T>(
  deps: ExchangeDeps,
  limit: Omit<SilenceLimit, "clock">,
  work: (api: ResponsesApi) => Promise<T>,
): Promise<T> {
  const attempt = async (key: Secret): Promise<T> => {
    const { openResponsesApi } = await loadResponsesApi();
    return await withSilenceLimit({ ...limit, clock: deps.clock }, (line) =>
      work(openResponsesApi(deps, key, line)),
    );
  };
  try {
    return await attempt(await deps.apiKey.get(limit.signal));
  } catch (error) {
    if (!hasCode(error, "model_key_refused")) throw error;
  }
  deps.onEvent?.({ kind: "key_refetched" });
  return await attempt(await deps.apiKey.refresh(limit.signal));
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

/** A response that has ended, as a turn. @throws RunnerError as `turnFrom` does */
export function conclude(deps: ModelDeps, end: TerminalEvent): ModelTurn {
  if (endedAtRateLimit(end.response)) deps.onRateLimited?.({ retryAfterMs: undefined });
  return turnFrom(end, deps.redact);
}
