import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { parseLegEvent } from "../lib/job/leg-event.ts";
import { runLeg, type LegResult } from "../lib/job/leg.ts";
import { processor } from "./wiring.ts";

/** One leg of one run. A defect of ours is rethrown once its job has been reported, so that the function's alarm fires. */
export const handler = middy().handler(async (event: unknown, context: Context): Promise<LegResult> => {
  const result = await runLeg(processor(), parseLegEvent(event), {
    remainingMs: context.getRemainingTimeInMillis(),
    requestId: context.awsRequestId,
  });
  if (result.defect !== undefined) throw result.defect;
  return result;
});
