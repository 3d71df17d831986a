import { Logger } from "@aws-lambda-powertools/logger";
import { runCycle } from "../lib/dispatch/cycle.ts";
import { dispatchEventSchema, wrap } from "./middleware.ts";
import { dispatcher } from "./container.ts";

const logger = new Logger({ serviceName: "dispatcher" });
const { ports, settings, stop } = dispatcher(logger);

/** Once a minute per pool: one dispatch cycle. What it cannot handle it rethrows, so that the function's alarm fires. */
export const handler = wrap({
  logger,
  schema: dispatchEventSchema(settings.pool),
  handler: async (_, context) =>
    runCycle(ports, settings, { remainingMs: context.getRemainingTimeInMillis(), stop }),
});
