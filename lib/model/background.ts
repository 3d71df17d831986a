import { hasCode, RunnerError } from "../core/errors.ts";
import type { RetryPolicy } from "../core/retry.ts";
import type { Provider } from "./exchange.ts";
import { askingPolicy, conclude, defaultAnswerMs, defaultSilenceMs, exchange, repeated } from "./exchange.ts";
import type { Generation, ModelRequest, ModelTurn, StoredTurn } from "./model.ts";
import type { BackgroundDelivery } from "./request-body.ts";
import type { ResponseHead, TerminalEvent } from "./response-answer.ts";
import { endOf, headOf, refuseWithoutPrevious, storedTurnFrom } from "./response-answer.ts";
import type { BackgroundAnswer, Refused, ResponsesApi } from "./responses-api.ts";
import { readToEnd, type Seen } from "./streaming.ts";

/** Reading a response is free, so it is retried until the signal aborts. */
const readPolicy: RetryPolicy = {
  attempts: Number.POSITIVE_INFINITY,
  baseMs: 500,
  maxMs: 5_000,
  maxRetryAfterMs: Number.POSITIVE_INFINITY,
};
/** A provider's store can lag behind, and a proxy can answer for it: a missing response counts only if it stays missing (4 to 8 s). */
const missingAfterAttempts = 5;
const unreadable = ["model_previous_response_missing", "model_contract", "model_rejected"] as const;
const isDoubtful = (error: unknown): error is RunnerError =>
  hasCode(error, "model_previous_response_missing", "model_contract");

const cancelPolicy: RetryPolicy = { attempts: 3, baseMs: 200, maxMs: 1_000, maxRetryAfterMs: 2_000 };

/** Tuned for realistic round lengths: docs/decisions/0023. */
const [firstPollMs, slowestPollMs, pollShare] = [500, 2_000, 1 / 8];

export type BackgroundResult =
  | { readonly turn: ModelTurn; readonly ranInBackground: boolean }
  /** The provider has no background mode, or its background responses cannot be read. */
  | Refused;

/**
 * Runs one round in the background: starts it, records its id, and follows it to its end, by its events, which are resumed
 * when the connection breaks, or by polling. The response outlives our process. Retries as in streaming.ts.
 */
export async function generateInBackground(
  provider: Provider,
  request: ModelRequest,
  { signal, onStarted, onToolCall, mayAsk, delivery }: Generation & { readonly delivery: BackgroundDelivery },
): Promise<BackgroundResult> {
  const started = async (response: unknown): Promise<void> => {
    const { responseId } = headOf(response);
    await cancelOnFailure(provider, { responseId, signal }, async () => {
      refuseWithoutPrevious(response, request.previousResponseId);
      await onStarted?.(responseId);
    });
  };
  return await repeated(provider, { policy: askingPolicy, signal }, async () => {
    await mayAsk?.();
    const seen: Seen = { items: [], started, onToolCall };
    const result = await startResponse(provider, { request, delivery, seen }, signal);
    if ("refusal" in result) return result;
    if ("end" in result) {
      const turn = conclude(provider, result.end, request.model);
      return { turn, ranInBackground: ranInBackground(seen) };
    }
    await started(result.response);
    const { background, status } = headOf(result.response);
    const checked = await checkReadable(provider, result.response, signal);
    if ("refusal" in checked) return checked;
    const turn = conclude(provider, await pollToEnd(provider, checked.response, signal), request.model);
    return { turn, ranInBackground: background || endOf(status) === undefined };
  });
}

interface StartRequest {
  readonly request: ModelRequest;
  readonly delivery: BackgroundDelivery;
  readonly seen: Seen;
}

type StartResult = Exclude<BackgroundAnswer, { readonly events: unknown }> | { readonly end: TerminalEvent };

/**
 * The one gap in "nothing is paid twice" (docs/reliability.md): a request that got no answer may have started a response,
 * and the API has neither an idempotency key nor a list of responses. The request is repeated, so one round may be paid
 * twice; otherwise a broken connection would fail the job.
 */
async function startResponse(
  provider: Provider,
  { request, delivery, seen }: StartRequest,
  signal: AbortSignal,
): Promise<StartResult> {
  const { silenceMs = defaultSilenceMs } = provider;
  try {
    return await exchange(provider, { signal, silenceMs }, async (api): Promise<StartResult> => {
      const answer = await api.createInBackground(request, delivery);
      return "events" in answer ? { end: await readToEnd(provider, answer.events, seen) } : answer;
    });
  } catch (error) {
    signal.throwIfAborted();
    const { response } = seen;
    // Without background mode the response ended with its connection.
    if (response === undefined || !isRetryable(error) || !ranInBackground(seen)) throw error;
    return { end: await followToEnd(provider, { ...seen, responseId: headOf(response).responseId }, signal) };
  }
}

const ranInBackground = ({ response }: Seen): boolean => headOf(response).background;
const isRetryable = (error: unknown): boolean => error instanceof RunnerError && error.retryable;

interface Started {
  readonly responseId: string;
  readonly signal: AbortSignal;
}

/** Cancels a response that cannot be used, or whose id could not be recorded. */
async function cancelOnFailure(
  provider: Provider,
  { responseId, signal }: Started,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    // After an abort the id may have been recorded: the next attempt decides.
    if (!signal.aborted) await cancelResponse(provider, responseId, signal);
    throw error;
  }
}

/** Checks whether this provider's background responses can be read at all. */
async function checkReadable(
  provider: Provider,
  response: unknown,
  signal: AbortSignal,
): Promise<{ readonly response: unknown } | Refused> {
  const { status, responseId } = headOf(response);
  if (endOf(status) !== undefined) return { response };
  await provider.clock.sleep(pollWaitMs(0, provider.random), signal);
  try {
    return { response: await readResponse(provider, responseId, signal) };
  } catch (error) {
    signal.throwIfAborted();
    if (!hasCode(error, ...unreadable)) throw error;
    await cancelResponse(provider, responseId, signal);
    return { refusal: error, of: "background" };
  }
}

/** @throws RunnerError as `Model.follow` does */
export async function followResponse(
  provider: Provider,
  responseId: string,
  signal: AbortSignal,
): Promise<ModelTurn> {
  const end = await followToEnd(provider, { responseId, items: [] }, signal);
  if (headOf(end.response).status === "cancelled") throw cancelledByAnother();
  return conclude(provider, end);
}

/** A response can be cancelled by a run that lost its lease while the job's next run follows it. That round can be requested again. */
const cancelledByAnother = (): RunnerError =>
  new RunnerError("model_failed", "the response was cancelled, as by a run that lost its lease", {
    retryable: true,
  });

/** @throws RunnerError as `Model.retrieve` does */
export async function retrieveResponse(
  provider: Provider,
  responseId: string,
  signal: AbortSignal,
): Promise<StoredTurn> {
  return storedTurnFrom(await readResponse(provider, responseId, signal), provider);
}

/** Throws only `signal.reason`: a response that ended or is gone counts as cancelled. */
export async function cancelResponse(
  provider: Provider,
  responseId: string,
  signal: AbortSignal,
): Promise<void> {
  const silenceMs = provider.answerMs ?? defaultAnswerMs;
  try {
    await repeated(provider, { policy: cancelPolicy, signal }, () =>
      exchange(provider, { signal, silenceMs }, (api) => api.cancel(responseId)),
    );
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof RunnerError)) throw error;
    provider.onEvent?.({ kind: "cancel_failed", code: error.code, status: error.status });
  }
}

/**
 * Reads the response's events from the last one that was seen, again after each break, until the response ends. If the
 * provider has no events for it, polls instead.
 */
async function followToEnd(
  provider: Provider,
  seen: Seen & { readonly responseId: string },
  signal: AbortSignal,
): Promise<TerminalEvent> {
  const { silenceMs = defaultSilenceMs } = provider;
  const readEvents = async (api: ResponsesApi): Promise<TerminalEvent> =>
    readToEnd(provider, await api.events(seen.responseId, seen.after), seen);
  return await repeated(provider, { policy: readPolicy, signal }, async () => {
    const response = await readResponse(provider, seen.responseId, signal);
    const outcome = endOf(headOf(response).status);
    if (outcome !== undefined) return { outcome, response, items: seen.items };
    try {
      return await exchange(provider, { signal, silenceMs }, readEvents);
    } catch (error) {
      signal.throwIfAborted();
      if (!hasCode(error, ...unreadable)) throw error;
      return await pollToEnd(provider, response, signal);
    }
  });
}

/** Polls the response until it ends. */
async function pollToEnd(provider: Provider, first: unknown, signal: AbortSignal): Promise<TerminalEvent> {
  let response = first;
  let head: ResponseHead = headOf(response);
  for (let waitedMs = 0; endOf(head.status) === undefined; head = headOf(response)) {
    const waitMs = pollWaitMs(waitedMs, provider.random);
    await provider.clock.sleep(waitMs, signal);
    waitedMs += waitMs;
    response = await readResponse(provider, head.responseId, signal);
  }
  return { outcome: endOf(head.status) ?? "completed", response, items: [] };
}

/** A share of the time waited so far: a slow response is polled less often, and its end is still noticed soon. */
function pollWaitMs(waitedMs: number, random: () => number): number {
  const ceilingMs = Math.min(slowestPollMs, Math.max(firstPollMs, waitedMs * pollShare));
  return Math.round(ceilingMs * (1 - random() / 5));
}

async function readResponse(provider: Provider, responseId: string, signal: AbortSignal): Promise<unknown> {
  const silenceMs = provider.answerMs ?? defaultAnswerMs;
  return await repeated(provider, { policy: readPolicy, signal }, async (attempt) => {
    try {
      const response = await exchange(provider, { signal, silenceMs }, (api) => api.retrieve(responseId));
      headOf(response);
      return response;
    } catch (error) {
      if (!isDoubtful(error)) throw error;
      throw new RunnerError(error.code, error.message, { retryable: attempt < missingAfterAttempts });
    }
  });
}
