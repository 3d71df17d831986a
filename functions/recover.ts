import { Logger } from "@aws-lambda-powertools/logger";
import { failedInvocationSchema, recoverFailed } from "../lib/attempt/failed-invocation.ts";
import { wrap } from "./middleware.ts";
import { recovery } from "./container.ts";

const logger = new Logger({ serviceName: "recovery" });
const ports = recovery(logger);

/** The on-failure destination of the processor's invocations. Its own failures go to a dead-letter queue. */
export const handler = wrap({
  logger,
  schema: failedInvocationSchema,
  handler: async (failure) => recoverFailed(ports, failure),
});
