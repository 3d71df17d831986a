/**
 * The entry point of an execution environment's process. Does what Lambda's Node runtime does, over IPC
 * instead of the HTTP runtime API. Arguments: process title, function ARN. Everything else comes from the
 * standard Lambda variables.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { captureConsole } from "./bootstrap-console.ts";
import { limitModules } from "./bootstrap-modules.ts";
import { hideCompileCache, saveCompiled } from "./compile-cache.ts";
import type { ChildMessage, InvokeMessage, LambdaFailure } from "./messages.ts";

type Handler = (event: unknown, context: object) => unknown;

class InitError extends Error {
  readonly type: string;
  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

const [title = "function", functionArn = ""] = process.argv.slice(2);
const env = process.env;
let requestId: string | undefined;

function send(message: ChildMessage, then?: () => void): void {
  if (!process.connected) process.exit(0); // the parent has exited
  process.send?.(message, undefined, undefined, then);
}

function toFailure(thrown: unknown, errorType?: string): LambdaFailure {
  if (!(thrown instanceof Error))
    return { errorType: errorType ?? typeof thrown, errorMessage: String(thrown), trace: [] };
  return {
    errorType: errorType ?? thrown.name,
    errorMessage: thrown.message,
    trace: (thrown.stack ?? "").split("\n"),
  };
}

/**
 * Reports an unhandled error. The exit codes are those of Lambda's runtime: 129 for an uncaught exception,
 * 128 for an unhandled rejection.
 */
function onFatal(error: LambdaFailure, exitCode: number): void {
  if (requestId === undefined) return send({ kind: "init-failed", error }, () => process.exit(exitCode));
  send({ kind: "failed", requestId, error, fatal: true }, () => process.exit(exitCode));
}

async function loadHandler(): Promise<Handler> {
  const spec = env["_HANDLER"] ?? "";
  const dot = spec.lastIndexOf(".");
  if (dot < 1) throw new InitError("Runtime.MalformedHandlerName", "Bad handler");
  const base = join(env["LAMBDA_TASK_ROOT"] ?? "", spec.slice(0, dot));
  const file = [".js", ".mjs", ".cjs"].map((extension) => base + extension).find((path) => existsSync(path));
  if (file === undefined)
    throw new InitError("Runtime.ImportModuleError", `Error: Cannot find module '${spec.slice(0, dot)}'`);
  const module = await loadModule(file);
  const handler = module[spec.slice(dot + 1)];
  if (!isHandler(handler)) {
    throw new InitError("Runtime.HandlerNotFound", `${spec} is undefined or not exported`);
  }
  if (handler.length > 2) {
    throw new InitError(
      "Runtime.CallbackHandlerDeprecated",
      "ERROR: AWS Lambda does not support callback-based function handlers from Node.js 24 on. Use an async handler.",
    );
  }
  return handler;
}

/**
 * Loads `.js` and `.cjs` files with require, as Lambda's runtime does unless a package.json declares modules.
 */
async function loadModule(file: string): Promise<Record<string, unknown>> {
  return extname(file) === ".mjs" ? await import(pathToFileURL(file).href) : createRequire(file)(file);
}

function isHandler(value: unknown): value is Handler {
  return typeof value === "function";
}

function initErrorType(thrown: unknown): string | undefined {
  if (thrown instanceof InitError) return thrown.type;
  if (thrown instanceof SyntaxError) return "Runtime.UserCodeSyntaxError";
  const code: unknown = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  return code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND"
    ? "Runtime.ImportModuleError"
    : undefined;
}

function contextOf(message: InvokeMessage): object {
  const deadlineMs = Date.now() + message.timeoutMs;
  return {
    awsRequestId: message.requestId,
    functionName: env["AWS_LAMBDA_FUNCTION_NAME"],
    functionVersion: env["AWS_LAMBDA_FUNCTION_VERSION"],
    invokedFunctionArn: functionArn,
    memoryLimitInMB: env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
    logGroupName: env["AWS_LAMBDA_LOG_GROUP_NAME"],
    logStreamName: env["AWS_LAMBDA_LOG_STREAM_NAME"],
    getRemainingTimeInMillis: () => deadlineMs - Date.now(),
  };
}

async function handle(handler: Handler, message: InvokeMessage): Promise<void> {
  requestId = message.requestId;
  env["_X_AMZN_TRACE_ID"] = message.trace;
  try {
    const context = contextOf(message);
    const result = await handler(JSON.parse(message.payload), context);
    send({ kind: "response", requestId: message.requestId, payload: JSON.stringify(result ?? null) });
  } catch (thrown) {
    send({ kind: "failed", requestId: message.requestId, error: toFailure(thrown), fatal: false });
  }
}

function isInvoke(message: unknown): message is InvokeMessage {
  return typeof message === "object" && message !== null && "kind" in message && message.kind === "invoke";
}

process.title = title;
process.on("disconnect", () => process.exit(0));
// The parent decides when an environment ends. A function that needs SIGTERM installs its own listener.
process.on("SIGTERM", () => undefined);
process.on("uncaughtException", (error) => onFatal(toFailure(error), 129));
process.on("unhandledRejection", (reason) =>
  onFatal(toFailure(reason, "Runtime.UnhandledPromiseRejection"), 128),
);
captureConsole(() => requestId);
limitModules(env["LAMBDA_TASK_ROOT"] ?? "");
hideCompileCache(env);
try {
  const handler = await loadHandler();
  process.on("message", (message) => {
    if (isInvoke(message)) void handle(handler, message);
  });
  send({ kind: "ready" });
  saveCompiled();
} catch (thrown) {
  send({ kind: "init-failed", error: toFailure(thrown, initErrorType(thrown)) }, () => process.exit(1));
}
