import { Logger } from "@aws-lambda-powertools/logger";
import { legEventSchema } from "../lib/core/invoker.ts";
import { runLeg } from "../lib/attempt/leg.ts";
import { wrap } from "./middleware.ts";
import { processor } from "./wiring.ts";

const logger = new Logger({ serviceName: "processor" });
const deps = processor(logger);

/** One leg of one run. */
export const handler = wrap({
  logger,
  schema: legEventSchema,
  handler: async (event, context) =>
    runLeg(deps, event, {
      remainingMs: context.getRemainingTimeInMillis(),
      requestId: context.awsRequestId,
    }),
});
