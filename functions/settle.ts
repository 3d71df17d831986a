import { Logger } from "@aws-lambda-powertools/logger";
import { attemptFailureSchema, settle } from "../lib/attempt/settle.ts";
import { wrap } from "./middleware.ts";
import { settler } from "./wiring.ts";

const logger = new Logger({ serviceName: "settler" });
const deps = settler(logger);

/** The on-failure destination of the processor's invocations. Its own failures go to a dead-letter queue. */
export const handler = wrap({
  logger,
  schema: attemptFailureSchema,
  handler: async (failure) => settle(deps, failure),
});
