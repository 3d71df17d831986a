import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body parsed as JSON. */
  json(): unknown;
  /** Resolves when the connection is closed or the response has been sent. */
  readonly closed: Promise<void>;
}

/**
 * The server's response to one request. A `body` that is not a string is sent as JSON; `raw` takes over the
 * response.
 */
export type Reply =
  | {
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: unknown;
    }
  | { readonly raw: (response: ServerResponse) => void };

/** Accepts the request and never answers. */
export const noAnswer: Reply = { raw: () => undefined };

/** Closes the connection without an answer. */
export const hangUp: Reply = { raw: (response) => void response.destroy() };

export type Answerer = (request: RecordedRequest) => Reply | Promise<Reply>;

export interface HttpServer {
  /** `http://127.0.0.1:PORT` */
  readonly baseUrl: string;
  /** Every request so far with its whole body, oldest first. */
  readonly requests: readonly RecordedRequest[];
  /** Resolves when `count` requests have arrived. */
  received(count: number): Promise<void>;
  /** Closes open connections and stops listening. */
  close(): Promise<void>;
}

/** Sends the replies in order. A request beyond the last one gets status 418, which no client repeats. */
export function script(...replies: readonly Reply[]): Answerer {
  const left = [...replies];
  return () => left.shift() ?? { status: 418, body: { error: "unscripted_request" } };
}

/** A real HTTP server on a free port of this machine that records its requests. */
export async function startHttpServer(answer: Answerer): Promise<HttpServer> {
  const requests: RecordedRequest[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { promise: closed, resolve: close } = Promise.withResolvers<void>();
    response.once("close", close);
    const body = await text(incoming);
    const request: RecordedRequest = {
      method: incoming.method ?? "",
      path: incoming.url ?? "",
      headers: incoming.headers,
      body,
      json: () => JSON.parse(body) as unknown,
      closed,
    };
    requests.push(request);
    for (const { count, resolve } of waiting) if (requests.length >= count) resolve();
    send(response, await answer(request));
  };
  const server = createServer((incoming, response) => {
    serve(incoming, response).catch((error: unknown) => {
      if (!response.destroyed) send(response, { status: 500, body: { error: String(error) } });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    requests,
    received: (count) =>
      new Promise((resolve) => {
        if (requests.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, reply: Reply): void {
  if ("raw" in reply) return reply.raw(response);
  const { status = 200, headers = {}, body } = reply;
  const words = typeof body === "string" ? body : body === undefined ? "" : JSON.stringify(body);
  const type = typeof body === "string" ? "text/plain" : "application/json";
  response.writeHead(status, { "content-type": type, ...headers }).end(words);
}
