import type { Logger } from "@aws-lambda-powertools/logger";
import type { Log, LogEvent, LogFields } from "./log.ts";

/** One JSON line per event through Powertools; the level comes from Lambda's own logging settings. */
export function createJsonLog(logger: Logger): Log {
  return wrap(logger, {});
}

function wrap(logger: Logger, context: LogFields): Log {
  const write =
    (level: "info" | "warn" | "error") =>
    (event: LogEvent, fields: LogFields = {}): void =>
      logger[level](event, { ...context, ...fields });
  return {
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    with: (fields) => wrap(logger, { ...context, ...fields }),
  };
}
