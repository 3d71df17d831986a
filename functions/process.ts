import { Logger } from "@aws-lambda-powertools/logger";
import { attemptEventSchema } from "../lib/adapters/lambda.ts";
import { runAttempt } from "../lib/attempt/attempt.ts";
import { wrap } from "./middleware.ts";
import { processor } from "./container.ts";

const logger = new Logger({ serviceName: "processor" });
const ports = processor(logger);

/** One attempt of one run. */
export const handler = wrap({
  logger,
  schema: attemptEventSchema,
  handler: async (event, context) =>
    runAttempt(ports, event, {
      remainingMs: context.getRemainingTimeInMillis(),
      requestId: context.awsRequestId,
    }),
});
