import { Logger } from "@aws-lambda-powertools/logger";
import { attemptFailureSchema, recoverFailed } from "../lib/attempt/failure.ts";
import { wrap } from "./middleware.ts";
import { recovery } from "./wiring.ts";

const logger = new Logger({ serviceName: "recovery" });
const deps = recovery(logger);

/** The on-failure destination of the processor's invocations. Its own failures go to a dead-letter queue. */
export const handler = wrap({
  logger,
  schema: attemptFailureSchema,
  handler: async (failure) => recoverFailed(deps, failure),
});
