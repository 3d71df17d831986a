import { format } from "node:util";

type Method = "trace" | "debug" | "log" | "info" | "warn" | "error";

const levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const methods: Readonly<Record<Method, string>> = {
  trace: "TRACE",
  debug: "DEBUG",
  log: "INFO",
  info: "INFO",
  warn: "WARN",
  error: "ERROR",
};

interface Line {
  readonly level: string;
  readonly requestId: string | undefined;
  readonly args: readonly unknown[];
}

/**
 * Makes `console` write lines with time, request id and level, as text or JSON, as Lambda's Node runtime
 * does.
 */
export function captureConsole(requestId: () => string | undefined): void {
  const json = process.env["AWS_LAMBDA_LOG_FORMAT"] === "JSON";
  const lowest = json ? Math.max(0, levels.indexOf(process.env["AWS_LAMBDA_LOG_LEVEL"] ?? "TRACE")) : 0;
  const render = json ? jsonLine : textLine;
  const write = (level: string) =>
    levels.indexOf(level) < lowest
      ? () => undefined
      : (...args: readonly unknown[]): void => {
          process.stdout.write(`${render({ level, requestId: requestId(), args })}\n`);
        };
  for (const [method, level] of Object.entries(methods)) Object.assign(console, { [method]: write(level) });
}

function textLine({ level, requestId, args }: Line): string {
  const text = format(...args).replaceAll("\n", "\r");
  return `${new Date().toISOString()}\t${requestId ?? "undefined"}\t${level}\t${text}`;
}

function jsonLine({ level, requestId, args }: Line): string {
  const head = {
    timestamp: new Date().toISOString(),
    level,
    requestId,
  };
  const [first] = args;
  if (args.length > 1 || typeof first !== "object" || first === null) {
    return JSON.stringify({ ...head, message: format(...args) });
  }
  if (!(first instanceof Error)) return JSON.stringify({ ...head, message: first });
  const { name: errorType, message: errorMessage, stack = "" } = first;
  return JSON.stringify({ ...head, message: { errorType, errorMessage, stackTrace: stack.split("\n") } });
}
