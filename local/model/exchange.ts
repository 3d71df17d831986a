import type { IncomingMessage, ServerResponse } from "node:http";
import { readText } from "../http.ts";
import type { EventLog } from "./event-log.ts";
import type { Fault } from "./faults.ts";
import { ApiError } from "./wire.ts";

/** One entry of the journal. */
export interface RequestRecord {
  readonly method: string;
  readonly path: string;
  /** From the base address (`splitCaller` in local/http.ts). */
  readonly caller?: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly model: string | null;
  readonly previousResponseId: string | null;
  /** The types of the input items, in order. */
  readonly inputKinds: readonly string[];
  /** The client disconnected before its answer was complete. */
  readonly aborted: boolean;
  /** The answer's status; null while there is none. */
  readonly status: number | null;
}

/** One HTTP request and its response. */
export interface Exchange {
  readonly request: IncomingMessage;
  /** Reads the request's body. @throws ApiError 413 if it is too large */
  text(): Promise<string>;
  readonly response: ServerResponse;
  readonly url: URL;
  /** Aborts when the client disconnects. */
  readonly gone: AbortSignal;
  readonly fault: Fault | undefined;
  note(fields: Partial<RequestRecord>): void;
}

const largestBody = 32 * 1024 * 1024;
/** The number of events before a stream is cut, unless the fault gives another. */
const eventsBeforeCut = 6;

/** @throws ApiError 413 if the body is too large */
export const readBody = (request: IncomingMessage): Promise<string> =>
  readText(request, largestBody, () => new ApiError(413, "The request is too large."));

/** @throws ApiError 400 for malformed JSON, 413 if the body is too large */
export async function readJson(exchange: Exchange): Promise<unknown> {
  const text = await exchange.text();
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ApiError(400, `We could not parse the JSON body of your request. (${reason})`);
  }
}

export function sendJson(exchange: Exchange, status: number, body: unknown): void {
  const { response, fault } = exchange;
  const text = textOf(body, fault);
  exchange.note({ status });
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
  });
  if (fault?.kind === "reset" && fault.when === "after") return void response.destroy();
  if (!cutsMidStream(fault)) return void response.end(text);
  response.write(text.slice(0, text.length / 2), () => {
    if (fault?.kind === "reset") response.destroy();
  });
}

function textOf(body: unknown, fault: Fault | undefined): string {
  const text = JSON.stringify(body);
  if (fault?.kind === "cut") return text.slice(0, text.length / 2);
  if (fault?.kind !== "replace") return text;
  const replaced = (name: string, value: unknown): unknown => (name === fault.field ? fault.with : value);
  return JSON.stringify(body, replaced);
}

export function sendError(exchange: Exchange, error: unknown): void {
  const known =
    error instanceof ApiError
      ? error
      : new ApiError(
          500,
          `The offline model failed: ${error instanceof Error ? error.message : String(error)}`,
        );
  if (exchange.response.headersSent) return void exchange.response.destroy();
  sendJson(exchange, known.status, known.body());
}

/** Sends server-sent events in the API's format: each has its type twice, and there is no `[DONE]`. */
export async function sendEvents(
  exchange: Exchange,
  events: Pick<EventLog, "read">,
  after: number,
): Promise<void> {
  const { response, fault, gone } = exchange;
  const unseen = fault?.kind === "reset" && fault.when === "after";
  exchange.note({ status: 200 });
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
  });
  response.flushHeaders();
  const cutBehind = (fault?.kind === "reset" ? fault.events : undefined) ?? eventsBeforeCut;
  let sent = 0;
  let written = Promise.resolve();
  for await (const event of events.read(after, gone)) {
    if (unseen) continue;
    if (cutsMidStream(fault) && sent === cutBehind) break;
    const text = `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
    written = new Promise((resolve) => response.write(text, () => resolve()));
    sent += 1;
  }
  if (fault?.kind === "reset") {
    await written;
    return void response.destroy();
  }
  if (fault?.kind === "silent") return untilGone(gone);
  response.end();
}

const cutsMidStream = (fault: Fault | undefined): boolean =>
  (fault?.kind === "reset" || fault?.kind === "silent") && fault.when === "mid-stream";

export function untilGone(gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (gone.aborted) return resolve();
    gone.addEventListener("abort", () => resolve(), { once: true });
  });
}
