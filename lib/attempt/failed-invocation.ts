import * as z from "zod";
import { attemptEventSchema, type AttemptEvent } from "../adapters/lambda.ts";
import { recover, type RecoveryPorts, type Recovery } from "./recover.ts";
import { failureOf, type AttemptFailure } from "./attempt-failure.ts";

export interface FailedInvocation {
  readonly event: AttemptEvent;
  /** Of the invocation that failed. */
  readonly requestId: string;
  readonly failure: AttemptFailure;
}

/** The record that Lambda sends to the on-failure destination of an asynchronous invocation. */
export const failedInvocationSchema = z
  .looseObject({
    requestContext: z.looseObject({ requestId: z.string(), condition: z.string() }),
    requestPayload: attemptEventSchema,
    responsePayload: z
      .looseObject({ errorType: z.string().optional(), errorMessage: z.string().optional() })
      .nullish()
      .catch(undefined),
  })
  .transform(({ requestContext, requestPayload, responsePayload }): FailedInvocation => {
    const { errorType = "", errorMessage = "" } = responsePayload ?? {};
    const aged = requestContext.condition === "EventAgeExceeded";
    return {
      event: requestPayload,
      requestId: requestContext.requestId,
      failure: aged ? "event_lost" : failureOf(`${errorType}: ${errorMessage}`),
    };
  });

/**
 * Recovers a run after the invocation of its attempt failed. Leaves the run alone if it is finished, if a newer attempt was started,
 * or if the attempt runs in another invocation (of a duplicate event).
 * @throws RunnerError `run_store_unavailable`
 */
export async function recoverFailed(ports: RecoveryPorts, failed: FailedInvocation): Promise<Recovery> {
  const { event, requestId, failure } = failed;
  const run = await ports.runStore.read(event.pool, event.runId);
  const isOurs =
    run?.attempt === event.attempt &&
    (run.state === "leased" || (run.state === "running" && run.requestId === requestId));
  const recovery = run && isOurs ? await recover(ports, run, failure) : "left";
  ports.log.info("recovery_ended", { ...event, reason: failure, what: recovery, requestId });
  return recovery;
}
