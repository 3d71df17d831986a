import * as z from "zod";
import { legEventSchema, type LegEvent } from "../core/invoker.ts";
import { recover, type RecoverDeps, type Recovery } from "./recover.ts";
import { troubleOf, type Trouble } from "./trouble.ts";

export interface LegFailure {
  readonly event: LegEvent;
  /** Of the invocation that failed. */
  readonly requestId: string;
  readonly trouble: Trouble;
}

/** What Lambda tells an on-failure destination of an asynchronous invocation. */
export const legFailureSchema = z
  .looseObject({
    requestContext: z.looseObject({ requestId: z.string(), condition: z.string() }),
    requestPayload: legEventSchema,
    responsePayload: z
      .looseObject({ errorType: z.string().optional(), errorMessage: z.string().optional() })
      .nullish()
      .catch(undefined),
  })
  .transform(({ requestContext, requestPayload, responsePayload }): LegFailure => {
    const { errorType = "", errorMessage = "" } = responsePayload ?? {};
    const aged = requestContext.condition === "EventAgeExceeded";
    return {
      event: requestPayload,
      requestId: requestContext.requestId,
      trouble: aged ? "event_lost" : troubleOf(`${errorType}: ${errorMessage}`),
    };
  });

/**
 * Goes on with a run whose leg's invocation failed. A run that has ended, whose newer leg has been called, or whose leg
 * is at work in another invocation (of a duplicate event) is not touched.
 * @throws RunnerError `ledger_unavailable`
 */
export async function settle(deps: RecoverDeps, failure: LegFailure): Promise<Recovery> {
  const { event, requestId, trouble } = failure;
  const run = await deps.ledger.read(event.pool, event.runId);
  const isOurs =
    run?.leg === event.leg &&
    (run.state === "leased" || (run.state === "running" && run.requestId === requestId));
  const recovery = run && isOurs ? await recover(deps, run, trouble) : "left";
  deps.log.info("leg_settled", { ...event, reason: trouble, what: recovery, requestId });
  return recovery;
}
