import * as z from "zod";
import { attemptEventSchema, type AttemptEvent } from "../core/invoker.ts";
import { recover, type RecoverDeps, type Recovery } from "./recover.ts";
import { troubleOf, type Trouble } from "./trouble.ts";

export interface AttemptFailure {
  readonly event: AttemptEvent;
  /** Of the invocation that failed. */
  readonly requestId: string;
  readonly trouble: Trouble;
}

/** What Lambda tells an on-failure destination of an asynchronous invocation. */
export const attemptFailureSchema = z
  .looseObject({
    requestContext: z.looseObject({ requestId: z.string(), condition: z.string() }),
    requestPayload: attemptEventSchema,
    responsePayload: z
      .looseObject({ errorType: z.string().optional(), errorMessage: z.string().optional() })
      .nullish()
      .catch(undefined),
  })
  .transform(({ requestContext, requestPayload, responsePayload }): AttemptFailure => {
    const { errorType = "", errorMessage = "" } = responsePayload ?? {};
    const aged = requestContext.condition === "EventAgeExceeded";
    return {
      event: requestPayload,
      requestId: requestContext.requestId,
      trouble: aged ? "event_lost" : troubleOf(`${errorType}: ${errorMessage}`),
    };
  });

/**
 * Goes on with a run whose attempt's invocation failed. A run that has ended, whose newer attempt has been called, or whose attempt
 * is at work in another invocation (of a duplicate event) is not touched.
 * @throws RunnerError `run_store_unavailable`
 */
export async function recoverFailed(deps: RecoverDeps, failure: AttemptFailure): Promise<Recovery> {
  const { event, requestId, trouble } = failure;
  const run = await deps.runStore.read(event.pool, event.runId);
  const isOurs =
    run?.attempt === event.attempt &&
    (run.state === "leased" || (run.state === "running" && run.requestId === requestId));
  const recovery = run && isOurs ? await recover(deps, run, trouble) : "left";
  deps.log.info("recovery_ended", { ...event, reason: trouble, what: recovery, requestId });
  return recovery;
}
