import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import * as z from "zod";
import { CloudError, ServiceError } from "./errors.ts";
import type { InvocationType, LambdaService } from "./lambda-service.ts";
import type { SecretsApi } from "./secrets-api.ts";

/** More than Lambda takes for any invocation type: then the answer names the limit. */
const maxBodyBytes = 8 * 1024 * 1024;

export interface Endpoints {
  /** "http://127.0.0.1:34567": for both services. */
  readonly url: string;
  serve(deps: EndpointsDeps): void;
  close(): Promise<void>;
}

export interface EndpointsDeps {
  readonly lambda: LambdaService;
  readonly secrets: SecretsApi;
}

/**
 * Lambda's Invoke and Secrets Manager over HTTP, on a port of the system's choice, for this machine only. The address is
 * known before anything is served, because the functions' environments hold it.
 */
export async function openEndpoints(): Promise<Endpoints> {
  let served: EndpointsDeps | undefined;
  const server = createServer((request, response) => {
    answer(request, response, served).catch((error: unknown) => sendError(request, response, error));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new CloudError("the endpoint server has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    serve: (deps) => void (served = deps),
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  deps: EndpointsDeps | undefined,
): Promise<void> {
  if (deps === undefined) throw new ServiceError("ServiceException", "The local cloud is starting.", 503);
  const body = await readBody(request);
  const path = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(request.url?.replace(/\?.*/, "") ?? "");
  if (request.method === "POST" && path !== null) {
    return answerInvoke(
      { request, response, functionName: decodeURIComponent(path[1] ?? ""), body },
      deps.lambda,
    );
  }
  const [service, action] = String(request.headers["x-amz-target"] ?? "").split(".");
  if (request.method === "POST" && service === "secretsmanager") {
    response.setHeader("content-type", "application/x-amz-json-1.1");
    response.setHeader("x-amzn-requestid", randomUUID());
    response.end(JSON.stringify(deps.secrets(action ?? "", parseJson(body))));
    return;
  }
  throw new ServiceError(
    "UnknownOperationException",
    `${request.method} ${request.url} does not run locally.`,
    404,
  );
}

interface InvokeExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly functionName: string;
  readonly body: string;
}

const invocationType: z.ZodType<InvocationType> = z.enum(["Event", "RequestResponse", "DryRun"]);

async function answerInvoke(exchange: InvokeExchange, lambda: LambdaService): Promise<void> {
  const { request, response, functionName, body } = exchange;
  const asked = request.headers["x-amz-invocation-type"] ?? "RequestResponse";
  const type = invocationType.safeParse(asked);
  if (!type.success) {
    throw new ServiceError(
      "InvalidParameterValueException",
      `Value '${String(asked)}' at 'invocationType' is not known.`,
    );
  }
  const trace = request.headers["x-amzn-trace-id"];
  const result = await lambda.invoke({
    functionName,
    payload: body,
    type: type.data,
    trace: typeof trace === "string" ? trace : undefined,
  });
  response.statusCode = result.statusCode;
  response.setHeader("x-amzn-requestid", result.requestId);
  if (type.data === "RequestResponse") {
    response.setHeader("x-amz-executed-version", "$LATEST");
    response.setHeader("content-type", "application/json");
  }
  if (result.functionError !== undefined) response.setHeader("x-amz-function-error", result.functionError);
  response.end(result.payload);
}

/** @throws ServiceError `RequestTooLargeException` */
async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const buffer = Buffer.from(chunk);
    bytes += buffer.length;
    if (bytes <= maxBodyBytes) chunks.push(buffer); // the rest is read and dropped, so that our answer can be heard
  }
  if (bytes <= maxBodyBytes) return Buffer.concat(chunks).toString("utf8");
  throw new ServiceError(
    "RequestTooLargeException",
    `Request must be smaller than ${maxBodyBytes} bytes`,
    413,
  );
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new ServiceError("SerializationException", error instanceof Error ? error.message : String(error));
  }
}

/** AWS's two error shapes: a header for REST-JSON services, a field for JSON 1.1. The SDK reads either. */
function sendError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.destroyed || (request.destroyed && !request.complete)) return; // the caller has gone
  const known =
    error instanceof ServiceError
      ? error
      : new ServiceError("ServiceException", error instanceof Error ? error.message : String(error), 500);
  response.statusCode = known.statusCode;
  response.setHeader("content-type", "application/json");
  response.setHeader("x-amzn-errortype", known.type);
  response.setHeader("x-amzn-requestid", randomUUID());
  const type = known.statusCode >= 500 ? "Service" : "User";
  response.end(JSON.stringify({ __type: known.type, Type: type, Message: known.message }));
}
