import { hasCode, RunnerError } from "../errors.ts";
import type { RetryPolicy } from "../retry.ts";
import type { ExchangeDeps } from "./exchange.ts";
import { askingPolicy, conclude, defaultAnswerMs, defaultSilenceMs, exchange, repeated } from "./exchange.ts";
import type { Generation, ModelRequest, ModelTurn, StoredTurn } from "./model.ts";
import type { ResponseHead } from "./response-answer.ts";
import { endOf, headOf, refuseWithoutPrevious, storedTurnFrom } from "./response-answer.ts";
import type { Begun } from "./responses-api.ts";

/** Looking costs nothing, so that it is repeated until the signal ends it. */
const patience: RetryPolicy = {
  attempts: Number.POSITIVE_INFINITY,
  baseMs: 500,
  maxMs: 5_000,
  maxRetryAfterMs: Number.POSITIVE_INFINITY,
};
/** A provider's stores can lag behind its answers, and a proxy can speak for it: such news counts when it lasts (4 to 8 s). */
const believedAtAttempt = 5;
const unreadable = ["model_previous_response_missing", "model_contract", "model_rejected"] as const;
const isDoubtful = (error: unknown): error is RunnerError =>
  hasCode(error, "model_previous_response_missing", "model_contract");

const cancelPolicy: RetryPolicy = { attempts: 3, baseMs: 200, maxMs: 1_000, maxRetryAfterMs: 2_000 };

const firstPollMs = 500;
const slowestPollMs = 5_000;

export type BackgroundResult =
  | { readonly turn: ModelTurn; readonly ranInBackground: boolean }
  /** The provider does not make responses in the background, or they cannot be read. */
  | { readonly refusal: RunnerError };

/**
 * One round in the background: begun, noted, then looked at until it has ended. It outlives our process. Retries as in
 * streaming, but that a request to begin which nobody answered is not repeated (see `begin`).
 */
export async function generateInBackground(
  deps: ExchangeDeps,
  request: ModelRequest,
  { signal, onStarted, mayAsk }: Generation,
): Promise<BackgroundResult> {
  return await repeated(deps, { policy: askingPolicy, signal }, async () => {
    await mayAsk?.();
    const begun = await begin(deps, request, signal);
    if ("refusal" in begun) return begun;
    const head = headOf(begun.response);
    await orCancelled(deps, { responseId: head.responseId, signal }, async () => {
      refuseWithoutPrevious(begun.response, request.previousResponseId);
      await onStarted?.(head.responseId);
    });
    const ranInBackground = head.background || endOf(head.status) === undefined;
    const first = await firstLook(deps, begun.response, signal);
    if ("refusal" in first) return first;
    return { turn: await turnAtEnd(deps, first.response, signal), ranInBackground };
  });
}

/**
 * The one gap in "nothing is paid twice" (docs/reliability.md): a request to begin that went out and was not answered may
 * have begun a response, and there is no documented idempotency key and no list of responses to look it up in. It is
 * repeated: one round may be paid twice, where else a job would fail for a broken connection.
 */
async function begin(deps: ExchangeDeps, request: ModelRequest, signal: AbortSignal): Promise<Begun> {
  const { silenceMs = defaultSilenceMs } = deps;
  return await exchange(deps, { signal, silenceMs }, (api) => api.begin(request));
}

interface Started {
  readonly responseId: string;
  readonly signal: AbortSignal;
}

/** A response that is of no use, or that nobody will find again since it could not be noted, need not go on. */
async function orCancelled(
  deps: ExchangeDeps,
  { responseId, signal }: Started,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    // At an abort the note may have been made: the next leg decides.
    if (!signal.aborted) await cancelResponse(deps, responseId, signal);
    throw error;
  }
}

/** Shows whether this provider lets its responses in the background be read at all. */
async function firstLook(deps: ExchangeDeps, response: unknown, signal: AbortSignal): Promise<Begun> {
  const { status, responseId } = headOf(response);
  if (endOf(status) !== undefined) return { response };
  await deps.clock.sleep(pollWaitMs(0, deps.random), signal);
  try {
    return { response: await look(deps, responseId, signal) };
  } catch (error) {
    signal.throwIfAborted();
    if (!hasCode(error, ...unreadable)) throw error;
    await cancelResponse(deps, responseId, signal);
    return { refusal: error };
  }
}

/** @throws RunnerError as `Model.follow` does */
export async function followResponse(
  deps: ExchangeDeps,
  responseId: string,
  signal: AbortSignal,
): Promise<ModelTurn> {
  const response = await ended(deps, await look(deps, responseId, signal), signal);
  if (headOf(response).status === "cancelled") throw cancelledByAnother();
  return conclusionOf(deps, response);
}

/** A run that lost its lease cancels what the next run of the job may follow already: that round can be asked for again. */
const cancelledByAnother = (): RunnerError =>
  new RunnerError("model_failed", "the response was cancelled, as by a run that lost its lease", {
    retryable: true,
  });

/** @throws RunnerError as `Model.retrieve` does */
export async function retrieveResponse(
  deps: ExchangeDeps,
  responseId: string,
  signal: AbortSignal,
): Promise<StoredTurn> {
  return storedTurnFrom(await look(deps, responseId, signal));
}

/** Never throws but `signal.reason`: a response that has ended, or is gone, is as good as cancelled. */
export async function cancelResponse(
  deps: ExchangeDeps,
  responseId: string,
  signal: AbortSignal,
): Promise<void> {
  const silenceMs = deps.answerMs ?? defaultAnswerMs;
  try {
    await repeated(deps, { policy: cancelPolicy, signal }, () =>
      exchange(deps, { signal, silenceMs }, (api) => api.cancel(responseId)),
    );
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof RunnerError)) throw error;
    deps.onEvent?.({ kind: "cancel_failed", code: error.code, status: error.status });
  }
}

async function turnAtEnd(deps: ExchangeDeps, first: unknown, signal: AbortSignal): Promise<ModelTurn> {
  return conclusionOf(deps, await ended(deps, first, signal));
}

const conclusionOf = (deps: ExchangeDeps, response: unknown): ModelTurn =>
  conclude(deps, { outcome: endOf(headOf(response).status) ?? "completed", response, items: [] });

/** The response as it is once it has ended. */
async function ended(deps: ExchangeDeps, first: unknown, signal: AbortSignal): Promise<unknown> {
  let response = first;
  let head: ResponseHead = headOf(response);
  for (let waitedMs = 0; endOf(head.status) === undefined; head = headOf(response)) {
    const waitMs = pollWaitMs(waitedMs, deps.random);
    await deps.clock.sleep(waitMs, signal);
    waitedMs += waitMs;
    response = await look(deps, head.responseId, signal);
  }
  return response;
}

/** A quarter of the time waited so far: what is slow is looked at seldom, and nothing is noticed much too late. */
function pollWaitMs(waitedMs: number, random: () => number): number {
  const ceilingMs = Math.min(slowestPollMs, Math.max(firstPollMs, waitedMs / 4));
  return Math.round(ceilingMs * (1 - random() / 5));
}

async function look(deps: ExchangeDeps, responseId: string, signal: AbortSignal): Promise<unknown> {
  const silenceMs = deps.answerMs ?? defaultAnswerMs;
  return await repeated(deps, { policy: patience, signal }, async (attempt) => {
    try {
      const response = await exchange(deps, { signal, silenceMs }, (api) => api.retrieve(responseId));
      headOf(response);
      return response;
    } catch (error) {
      if (!isDoubtful(error)) throw error;
      throw new RunnerError(error.code, error.message, { retryable: attempt < believedAtAttempt });
    }
  });
}
