import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Clock } from "../../lib/core/clock.ts";
import { foreignHost, isOwnHost, listen, readText, stop } from "../http.ts";
import { queryError } from "./api/query.ts";
import { isQuery, type Answer, type Service } from "./api/service.ts";
import { ServiceError } from "./errors.ts";
import { checkSignature, type Credentials } from "./signature.ts";

/** Above Lambda's limits, so that its own check can answer with the limit. */
const maxBodyBytes = 8 * 1024 * 1024;

export interface Endpoints {
  /** "http://127.0.0.1:34567", for all services. */
  readonly url: string;
  /** `open` answers requests that need no signature. */
  serve(services: readonly Service[], open?: Service): void;
  close(): Promise<void>;
}

export interface EndpointsOptions {
  readonly clock: Clock;
  /** Requests must be signed with these, because any process on this machine can send one. */
  readonly credentials: Credentials;
  /** "host:port" of proxies in front of this address. */
  readonly proxies?: readonly string[];
}

/**
 * Serves the AWS services over HTTP on a free port, on this machine only. The address is known before
 * services are added, because the functions' environment variables contain it.
 */
export async function openEndpoints(options: EndpointsOptions): Promise<Endpoints> {
  let served: Served | undefined;
  const server = createServer((request, response) => {
    answer({ request, response }, options, served).catch((error: unknown) =>
      sendError(request, response, error),
    );
  });
  // Longer than the pauses of callers, so that a kept connection is not closed while a request arrives.
  server.keepAliveTimeout = 60_000;
  const port = await listen(server, 0);
  return {
    url: `http://127.0.0.1:${port}`,
    serve: (services, open) => void (served = { services, open }),
    close: () => stop(server),
  };
}

interface Served {
  readonly services: readonly Service[];
  readonly open: Service | undefined;
}

interface Incoming {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function answer(
  { request, response }: Incoming,
  { clock, credentials, proxies = [] }: EndpointsOptions,
  served: Served | undefined,
): Promise<void> {
  const { method = "", url = "", headers } = request;
  if (!isOwnHost(request) && !proxies.includes(headers.host ?? ""))
    throw new ServiceError("AccessDeniedException", foreignHost, 403);
  const exchange = { method, path: url.replace(/\?.*/, ""), headers, body: await readBody(request) };
  const free = served?.open?.answer(exchange);
  if (free !== undefined) return send(response, await free);
  const check = { credentials, nowMs: clock.now(), isQuery: isQuery(exchange) };
  checkSignature({ method, target: url, headers, body: exchange.body }, check);
  if (served === undefined) throw new ServiceError("ServiceException", "The local cloud is starting.", 503);
  for (const service of served.services) {
    const found = service.answer(exchange);
    if (found !== undefined) return send(response, await found);
  }
  const target = String(headers["x-amz-target"] ?? (isQuery(exchange) ? exchange.body.slice(0, 100) : ""));
  throw new ServiceError(
    "UnknownOperationException",
    `${method} ${url} ${target} does not run locally.`,
    404,
  );
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, headers);
  response.end(body);
}

/** @throws ServiceError `RequestTooLargeException` */
const readBody = (request: IncomingMessage): Promise<string> =>
  readText(request, maxBodyBytes, () => {
    const sentence = `Request must be smaller than ${maxBodyBytes} bytes`;
    return new ServiceError("RequestTooLargeException", sentence, 413);
  });

/** Sends an error in AWS's formats: XML for the query protocol, a header for REST-JSON, a field for JSON. */
function sendError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.destroyed || (request.destroyed && !request.complete)) return; // the caller has disconnected
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
