/**
 * The offline model: a Responses API server with canned answers (script.ts), for running the whole stack
 * without a key. Supports create (plain, streamed, background), retrieve, cancel, delete and models. Refuses
 * what the real API refuses, and keeps everything in memory.
 */
import { timingSafeEqual, createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { Clock } from "../../lib/core/clock.ts";
import { foreignHost, isOwnHost, listen, splitCaller, stop } from "../http.ts";
import type { Script } from "./conversation.ts";
import type { Exchange, RequestRecord } from "./exchange.ts";
import { readBody, readJson, sendError, sendJson, untilGone } from "./exchange.ts";
import type { Fault, FaultRule, Faults } from "./faults.ts";
import { admit, type BedrockOptions } from "./bedrock.ts";
import { createFaults, parseFaultRule } from "./faults.ts";
import { createIdentities, exchangePath, type Identities } from "./identities.ts";
import { routes } from "./routes.ts";
import { createResponses, type Responses } from "./responses.ts";
import { plan } from "./script.ts";
import { ApiError, newId } from "./wire.ts";

export interface ModelOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  readonly clock: Clock;
  /** Latency per turn. The default is long enough for a person to see each state. */
  readonly latencyMs?: number;
  /** Accepted bearer keys, in addition to tokens that were issued here. Absent: any that is not empty. */
  readonly keys?: readonly string[];
  /** Requires signed requests instead of a key, as Amazon Bedrock does. */
  readonly bedrock?: BedrockOptions;
  readonly script?: Script;
  /** For faults with a probability. 0 (included) to 1 (excluded). */
  readonly random?: () => number;
  /** Serves POST and DELETE /_local/faults and GET /_local/requests, without a key. */
  readonly control?: boolean;
}

export interface OfflineModel {
  /** Ends in /v1, as OPENAI_BASE_URL does. */
  readonly url: string;
  requests(): readonly RequestRecord[];
  readonly faults: Pick<Faults, "add" | "addFirst" | "clear" | "log">;
  /** Cancels running generations and closes every connection. */
  close(): Promise<void>;
}

const defaultLatencyMs = 400;

interface State {
  readonly options: ModelOptions;
  readonly responses: Responses;
  readonly faults: Faults;
  readonly identities: Identities;
  readonly journal: RequestRecord[];
}

/** @throws Error with `code: "EADDRINUSE"` if the port is taken */
export async function startModel(options: ModelOptions): Promise<OfflineModel> {
  const { clock, latencyMs = defaultLatencyMs, script = plan, random = Math.random } = options;
  const responses = createResponses(clock, script, latencyMs);
  const faults = createFaults(random);
  const journal: RequestRecord[] = [];
  const identities = createIdentities(clock);
  const state: State = { options, responses, faults, identities, journal };
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 }, (request, response) => {
    void serve(state, request, response);
  });
  const port = await listen(server, options.port ?? 0);
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests: () => [...journal],
    faults,
    close: () => {
      responses.cancelAll();
      return stop(server);
    },
  };
}

async function serve(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { caller, path } = splitCaller(request.url ?? "/");
  // Bedrock serves the same API under this prefix.
  const url = new URL(path.replace(/^\/openai(?=\/)/, ""), "http://localhost");
  const isControl = url.pathname.startsWith("/_local/");
  const found = isControl ? undefined : findRoute(request.method ?? "", url.pathname);
  const fault = isControl ? undefined : state.faults.strike(found?.route.name ?? "");
  const exchange = openExchange(state, { request, response, url, fault, isControl, caller });
  response.setHeader("x-request-id", newId("req"));
  try {
    if (!isOwnHost(request)) throw new ApiError(403, foreignHost);
    if (isControl) return await control(state, exchange);
    if (await struck(state, exchange)) return;
    if (url.pathname === exchangePath)
      return sendJson(exchange, 200, state.identities.exchange(await readJson(exchange)));
    await authorize(exchange, state);
    if (found === undefined) {
      throw new ApiError(404, `Invalid URL (${request.method} ${url.pathname})`, { code: "unknown_url" });
    }
    await found.route.handle(exchange, state.responses, found.id);
  } catch (error) {
    if (!exchange.gone.aborted) sendError(exchange, error);
  }
}

type Opening = Pick<Exchange, "request" | "response" | "url" | "fault"> & {
  readonly isControl: boolean;
  readonly caller: string | undefined;
};

function openExchange(state: State, { isControl, caller, ...parts }: Opening): Exchange {
  const { request, response, url } = parts;
  const gone = new AbortController();
  const index = state.journal.length;
  const first: RequestRecord = {
    method: request.method ?? "",
    path: url.pathname,
    ...(caller === undefined ? {} : { caller }),
    at: state.options.clock.now(),
    model: null,
    previousResponseId: null,
    inputKinds: [],
    aborted: false,
    status: null,
  };
  if (!isControl) state.journal.push(first);
  const note = (fields: Partial<RequestRecord>): void => {
    if (!isControl) state.journal[index] = { ...(state.journal[index] ?? first), ...fields };
  };
  response.on("close", () => {
    if (response.writableFinished) return;
    note({ aborted: true });
    gone.abort(new Error("the client has gone"));
  });
  let reading: Promise<string> | undefined;
  const text = (): Promise<string> => (reading ??= readBody(request));
  return { ...parts, gone: gone.signal, note, text };
}

function findRoute(method: string, path: string) {
  for (const route of routes) {
    const match = route.method === method ? route.pattern.exec(path) : null;
    if (match) return { route, id: decodeURIComponent(match[1] ?? "") };
  }
  return undefined;
}

const htmlPage =
  "<!doctype html><html><head><title>Sign in</title></head><body>Sign in to the network</body></html>";

/** Applies faults that happen before the work. True: the exchange is over. */
async function struck(state: State, exchange: Exchange): Promise<boolean> {
  const { fault, response, gone } = exchange;
  if (fault === undefined) return false;
  if (fault.kind === "delay") {
    await state.options.clock.sleep(fault.ms, gone);
    return false;
  }
  if (fault.kind === "status") sendStatus(exchange, fault);
  else if (fault.kind === "html") sendHtml(exchange);
  else if (fault.kind === "replace" || fault.kind === "cut") return false;
  else if ((fault.when ?? "before") !== "before") return false;
  else if (fault.kind === "reset") response.destroy();
  else await untilGone(gone);
  return true;
}

function sendHtml(exchange: Exchange): void {
  exchange.note({ status: 200 });
  exchange.response.writeHead(200, { "content-type": "text/html" }).end(htmlPage);
}

function sendStatus(exchange: Exchange, fault: Extract<Fault, { kind: "status" }>): void {
  for (const [name, value] of Object.entries(fault.headers ?? {})) exchange.response.setHeader(name, value);
  const body = fault.body ?? new ApiError(fault.status, `Injected fault: ${fault.status}`).body();
  sendJson(exchange, fault.status, body);
}

const digest = (value: string): Buffer => createHash("sha256").update(value).digest();

async function authorize(exchange: Exchange, { options, identities }: State): Promise<void> {
  const { keys, bedrock, clock } = options;
  const { request } = exchange;
  if (bedrock) {
    const { method = "", url: target = "", headers } = request;
    return admit(bedrock, { method, target, headers, body: await exchange.text() }, clock.now());
  }
  const header = request.headers.authorization;
  const key = /^Bearer (\S+)$/.exec(header ?? "")?.[1];
  if (key !== undefined && identities.knows(key)) return;
  if (key !== undefined && (keys ?? [key]).some((known) => timingSafeEqual(digest(known), digest(key))))
    return;
  const message = key === undefined ? "You didn't provide an API key." : "Incorrect API key provided.";
  throw new ApiError(401, message, { code: "invalid_api_key" });
}

async function control(state: State, exchange: Exchange): Promise<void> {
  const call = `${exchange.request.method} ${exchange.url.pathname}`;
  if (state.options.control !== true)
    throw new ApiError(404, `Invalid URL (${call})`, { code: "unknown_url" });
  switch (call) {
    case "POST /_local/faults": {
      const rule = parseRule(await readJson(exchange));
      state.faults.add(rule);
      return sendJson(exchange, 201, rule);
    }
    case "DELETE /_local/faults":
      state.faults.clear();
      return sendJson(exchange, 200, { cleared: true });
    case "GET /_local/requests":
      return sendJson(exchange, 200, state.journal);
    default:
      throw new ApiError(404, `Invalid URL (${call})`, { code: "unknown_url" });
  }
}

function parseRule(body: unknown): FaultRule {
  try {
    return parseFaultRule(body);
  } catch (error) {
    throw new ApiError(400, error instanceof Error ? error.message : String(error));
  }
}
