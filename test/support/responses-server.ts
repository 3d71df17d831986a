import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { startHttpServer } from "./http-server.ts";

/** What the server received in one request. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Empty if the request had none. */
  readonly body: Record<string, unknown>;
  /** Resolves when the client has closed its side. */
  readonly closed: Promise<void>;
}

/** One answer of the server. */
export type Answer = (response: ServerResponse) => void;

export interface ResponsesServer extends AsyncDisposable {
  /** For the client: `http://127.0.0.1:PORT/v1`. */
  readonly baseUrl: string;
  readonly seen: readonly SeenRequest[];
  /** Resolves when `count` requests have arrived. */
  arrived(count: number): Promise<void>;
}

/** A real HTTP server that gives one answer per request, in order, and 418 when there are no more. */
export async function startResponsesServer(answers: readonly Answer[]): Promise<ResponsesServer> {
  const seen: SeenRequest[] = [];
  const server = await startHttpServer(({ method, path, headers, body }) => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const answer = answers[seen.length] ?? apiError(418, { message: "the script of the server has ended" });
    seen.push({ method, path, headers, body: JSON.parse(body || "{}"), closed });
    return { raw: (response) => answer(response.once("close", resolve)) };
  });
  return {
    baseUrl: `${server.baseUrl}/v1`,
    seen,
    arrived: server.received,
    [Symbol.asyncDispose]: server.close,
  };
}

type Event = Readonly<Record<string, unknown>>;

const frame = (event: Event): string => `event: ${String(event["type"])}\ndata: ${JSON.stringify(event)}\n\n`;

const begin = (response: ServerResponse): void => {
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "x-request-id": "req_stream",
  });
  response.flushHeaders();
};

/** A stream of events that ends normally. */
export const stream =
  (...events: readonly Event[]): Answer =>
  (response) => {
    begin(response);
    response.end(events.map(frame).join(""));
  };

/** A stream with this text, unchanged. */
export const rawStream =
  (text: string): Answer =>
  (response) => {
    begin(response);
    response.end(text);
  };

/** A stream that starts and then sends nothing more. */
export const silence =
  (...events: readonly Event[]): Answer =>
  (response) => {
    begin(response);
    response.write(events.map(frame).join(""));
  };

/** A stream whose connection breaks. */
export const brokenStream =
  (...events: readonly Event[]): Answer =>
  (response) => {
    begin(response);
    response.write(events.map(frame).join(""), () => response.destroy());
  };

/** Sends comments, as proxies do while a model thinks, one every `everyMs`, and then the events. */
export const slowStream =
  (pace: { readonly everyMs: number; readonly comments: number }, ...events: readonly Event[]): Answer =>
  (response) => {
    begin(response);
    let left = pace.comments;
    const timer = setInterval(() => {
      response.write(": processing\n\n");
      left -= 1;
      if (left > 0) return;
      clearInterval(timer);
      response.end(events.map(frame).join(""));
    }, pace.everyMs);
    response.on("close", () => clearInterval(timer));
  };

/** Accepts the request and never answers. */
export const noAnswer: Answer = () => undefined;

export const json =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answer =>
  (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };

export const apiError = (
  status: number,
  error: Event,
  headers: Readonly<Record<string, string>> = {},
): Answer => json(status, { error }, headers);

export const html =
  (status: number): Answer =>
  (response) => {
    response.writeHead(status, { "content-type": "text/html" });
    response.end("<html><body>Proxy says hello</body></html>");
  };

export const message = (text: string): Event => ({
  type: "message",
  id: "msg_1",
  role: "assistant",
  status: "completed",
  content: [{ type: "output_text", text, annotations: [] }],
});

export const functionCall = (callId: string, name: string, args: string): Event => ({
  type: "function_call",
  id: `fc_${callId}`,
  call_id: callId,
  name,
  arguments: args,
  status: "completed",
});

const usage = {
  input_tokens: 100,
  input_tokens_details: { cached_tokens: 40 },
  output_tokens: 30,
  output_tokens_details: { reasoning_tokens: 10 },
  total_tokens: 130,
};

/** A stored response, as `GET /responses/{id}` and a background create return it. */
export const stored = (status: string, fields: Event = {}): Answer =>
  json(200, {
    id: "resp_1",
    object: "response",
    background: true,
    previous_response_id: null,
    status,
    output: [],
    usage: null,
    ...fields,
  });

/** A stored response that completed successfully. */
export const storedWhole = (...output: readonly Event[]): Answer => stored("completed", { output, usage });

/** The last event of a stream: `response.completed` and similar. */
export const ended = (outcome: string, response: Event): Event => ({
  type: `response.${outcome}`,
  sequence_number: 9,
  response: { id: "resp_1", object: "response", status: outcome, ...response },
});

export const completed = (...output: readonly Event[]): Event => ended("completed", { output, usage });
