import type { ServerResponse } from "node:http";
import type { Reply } from "./http-server.ts";

/** Replies of the Responses API, good and bad, for the server of http-server.ts. */

type Event = Readonly<Record<string, unknown>>;

const frame = (event: Event): string => `event: ${String(event["type"])}\ndata: ${JSON.stringify(event)}\n\n`;

const headers = { "content-type": "text/event-stream; charset=utf-8", "x-request-id": "req_stream" };

/** A stream with this text, unchanged. */
export const rawStream = (text: string): Reply => ({ headers, body: text });

/** A stream of events that ends normally. */
export const stream = (...events: readonly Event[]): Reply => rawStream(events.map(frame).join(""));

/** A stream that begins with these events and goes on as `then` says. */
const openStream = (events: readonly Event[], then: (response: ServerResponse) => void): Reply => ({
  raw: (response) => {
    response.writeHead(200, headers).flushHeaders();
    response.write(events.map(frame).join(""), () => then(response));
  },
});

/** A stream that starts and then sends nothing more. */
export const silence = (...events: readonly Event[]): Reply => openStream(events, () => undefined);

/** A stream whose connection breaks. */
export const brokenStream = (...events: readonly Event[]): Reply =>
  openStream(events, (response) => response.destroy());

/** Sends comments, as proxies do while a model thinks, one every `everyMs`, and then the events. */
export const slowStream = (
  { everyMs, comments }: { readonly everyMs: number; readonly comments: number },
  ...events: readonly Event[]
): Reply =>
  openStream([], (response) => {
    let left = comments;
    const timer = setInterval(() => {
      response.write(": processing\n\n");
      left -= 1;
      if (left > 0) return;
      clearInterval(timer);
      response.end(events.map(frame).join(""));
    }, everyMs);
    response.on("close", () => clearInterval(timer));
  });

export const apiError = (
  status: number,
  error: Event,
  more: Readonly<Record<string, string>> = {},
): Reply => ({ status, headers: more, body: { error } });

export const html = (status: number): Reply => ({
  status,
  headers: { "content-type": "text/html" },
  body: "<html><body>Proxy says hello</body></html>",
});

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
export const stored = (status: string, fields: Event = {}): Reply => ({
  body: {
    id: "resp_1",
    object: "response",
    background: true,
    previous_response_id: null,
    status,
    output: [],
    usage: null,
    ...fields,
  },
});

/** A stored response that completed successfully. */
export const storedWhole = (...output: readonly Event[]): Reply => stored("completed", { output, usage });

/** The last event of a stream: `response.completed` and similar. */
export const ended = (outcome: string, response: Event): Event => ({
  type: `response.${outcome}`,
  sequence_number: 9,
  response: { id: "resp_1", object: "response", status: outcome, ...response },
});

export const completed = (...output: readonly Event[]): Event => ended("completed", { output, usage });
