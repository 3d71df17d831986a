import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { queryError } from "./api/query.ts";
import { isQuery, type Service } from "./api/service.ts";
import { CloudError, ServiceError } from "./errors.ts";

/** More than Lambda takes for any invocation type: then the answer names the limit. */
const maxBodyBytes = 8 * 1024 * 1024;

export interface Endpoints {
  /** "http://127.0.0.1:34567": for all services. */
  readonly url: string;
  serve(services: readonly Service[]): void;
  close(): Promise<void>;
}

/**
 * The AWS services over HTTP, on one port of the system's choice, for this machine only. The address is known before
 * anything is served, because the functions' environments hold it.
 */
export async function openEndpoints(): Promise<Endpoints> {
  let served: readonly Service[] | undefined;
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
    serve: (services) => void (served = services),
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
  services: readonly Service[] | undefined,
): Promise<void> {
  if (services === undefined) throw new ServiceError("ServiceException", "The local cloud is starting.", 503);
  const { method = "", url = "", headers } = request;
  const exchange = { method, path: url.replace(/\?.*/, ""), headers, body: await readBody(request) };
  for (const service of services) {
    const found = service.answer(exchange);
    if (found === undefined) continue;
    const { status, headers: own, body } = await found;
    response.writeHead(status, own);
    response.end(body);
    return;
  }
  const target = String(headers["x-amz-target"] ?? (isQuery(exchange) ? exchange.body.slice(0, 100) : ""));
  throw new ServiceError(
    "UnknownOperationException",
    `${method} ${url} ${target} does not run locally.`,
    404,
  );
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

/** AWS's error shapes: XML, a header for REST-JSON services, a field for JSON ones. The SDK reads any. */
function sendError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.destroyed || (request.destroyed && !request.complete)) return; // the caller has gone
  const known =
    error instanceof ServiceError
      ? error
      : new ServiceError("ServiceException", error instanceof Error ? error.message : String(error), 500);
  const requestId = randomUUID();
  response.statusCode = known.statusCode;
  response.setHeader("x-amzn-requestid", requestId);
  if (isQuery(request)) {
    response.setHeader("content-type", "text/xml");
    response.end(queryError(known, requestId));
    return;
  }
  response.setHeader("content-type", "application/json");
  response.setHeader("x-amzn-errortype", known.type);
  const type = known.statusCode >= 500 ? "Service" : "User";
  response.end(JSON.stringify({ __type: known.type, Type: type, Message: known.message }));
}
