import type { IncomingMessage, ServerResponse } from "node:http";
import * as z from "zod";
import { parseJson, problemOf } from "../../lib/core/json.ts";
import { readText } from "../http.ts";

const maxBodyBytes = 4 * 1024 * 1024;

/** An HTTP response: a status and a body. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** A response that goes on: `stream` writes it. */
export interface StreamAnswer {
  readonly stream: (response: ServerResponse) => void;
}

/**
 * An error response: a status and a sentence for the caller. Can be thrown anywhere below the routes; it also
 * rolls a transaction back.
 */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly detail: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, more: RefusalOptions = {}) {
    super(message);
    this.status = status;
    this.detail = more.detail;
    this.headers = more.headers ?? {};
  }
}

interface RefusalOptions {
  readonly detail?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export const json = (status: number, value: unknown): Answer => ({
  status,
  headers: { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" },
  body: JSON.stringify(value),
});

/**
 * Converts a thrown value to the API's error response. Anything but a Refusal is a bug of this server, and
 * the response says so.
 */
export function errorAnswer(thrown: unknown): Answer {
  if (thrown instanceof Refusal) {
    const detail = thrown.detail === undefined ? {} : { detail: thrown.detail };
    const answer = json(thrown.status, { error: thrown.message, ...detail });
    return { ...answer, headers: { ...answer.headers, ...thrown.headers } };
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return json(500, { error: `the local Studio has a bug: ${message}` });
}

/** @throws Refusal 413 */
export const readBody = (request: IncomingMessage): Promise<string> =>
  readText(request, maxBodyBytes, () => {
    const headers = { connection: "close" };
    return new Refusal(413, `the body is larger than ${maxBodyBytes} bytes`, { headers });
  });

const objectSchema = z.record(z.string(), z.unknown());

/** @throws Refusal 400 for anything but a JSON object; an empty body counts as `{}` */
export function parseObject(text: string): Readonly<Record<string, unknown>> {
  const value = text.trim() === "" ? {} : parseJson(text);
  if (value === undefined) throw new Refusal(400, "the body is not JSON");
  const parsed = objectSchema.safeParse(value);
  if (!parsed.success) throw new Refusal(400, "the body must be a JSON object");
  return parsed.data;
}

/** @throws Refusal 400 that names every wrong field */
export function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => problemOf(issue, "body"));
  throw new Refusal(400, problems.join("; "), { detail: problems });
}

/** Sent with every response. The page runs only its own files, whatever a deliverable contains. */
const securityHeaders = {
  "content-security-policy": [
    "default-src 'self'",
    "img-src 'self' data: blob:",
    "style-src 'self' 'unsafe-inline'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; "),
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};

export const withSecurity = (headers: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  ...securityHeaders,
  ...headers,
});

export function send(response: ServerResponse, answer: Answer | StreamAnswer): void {
  if (response.destroyed || response.headersSent) return;
  if ("stream" in answer) return answer.stream(response);
  const body = typeof answer.body === "string" ? Buffer.from(answer.body) : answer.body;
  response.writeHead(answer.status, {
    ...withSecurity(answer.headers),
    "content-length": String(body.length),
  });
  response.end(body);
}

/** The request's path and query. Does not use `URL`, which throws for unusual ones. */
export function splitTarget(request: IncomingMessage): {
  readonly path: string;
  readonly query: URLSearchParams;
} {
  const target = request.url ?? "/";
  const mark = target.indexOf("?");
  if (mark === -1) return { path: target, query: new URLSearchParams() };
  return { path: target.slice(0, mark), query: new URLSearchParams(target.slice(mark + 1)) };
}

/**
 * `/a/:id` matches `/a/7` and returns `{ id: "7" }`. Returns undefined for no match and for an invalid
 * escape.
 */
export function matchPath(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = decode(given[index] ?? "");
    if (value === undefined) return undefined;
    if (part.startsWith(":")) params[part.slice(1)] = value;
    else if (part !== value) return undefined;
  }
  return params;
}

export function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
