import aws4 from "aws4";
import type { Clock } from "./clock.ts";
import type { Fetch } from "./http.ts";

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Where a service is, and as whom it is asked. */
export interface AwsAccess {
  /** `https://dynamodb.eu-central-1.amazonaws.com` */
  readonly url: string;
  readonly region: string;
  readonly credentials: AwsCredentials;
}

export interface AwsJsonDeps {
  readonly clock: Clock;
  readonly fetch: Fetch;
  readonly access: AwsAccess;
}

/** A service that takes JSON under `X-Amz-Target`. */
export interface AwsJsonService {
  /** In the signature: `dynamodb`. */
  readonly name: string;
  /** Before the action's name: `DynamoDB_20120810`. */
  readonly target: string;
  readonly version: "1.0" | "1.1";
}

interface AwsErrorOptions {
  readonly status: number;
  readonly cause?: unknown;
}

/** The service refused, or failed. Its `name` is AWS's: `ThrottlingException`. */
export class AwsError extends Error {
  readonly status: number;

  constructor(name: string, message: string, { status, cause }: AwsErrorOptions) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = name;
    this.status = status;
  }
}

/**
 * One call, sent once.
 * @throws AwsError for a refusal; what the connection breaks with
 */
export type AwsJsonCall = (action: string, input: object, signal: AbortSignal) => Promise<unknown>;

/**
 * Signed here and sent over our own `fetch`: what the SDK's clients do with a command, without what they cost to load and
 * to run (docs/decisions/0015).
 */
export function createAwsJson(
  { clock, fetch, access }: AwsJsonDeps,
  { name, target, version }: AwsJsonService,
): AwsJsonCall {
  const { url, region, credentials } = access;
  const { host } = new URL(url);
  return async (action, input, signal) => {
    const body = JSON.stringify(input);
    const headers = {
      host,
      "content-type": `application/x-amz-json-${version}`,
      "x-amz-date": amzDate(clock.now()),
      "x-amz-target": `${target}.${action}`,
    };
    const request = aws4.sign(
      { service: name, region, method: "POST", path: "/", headers, body },
      credentials,
    );
    const answer = await fetch(url, { method: "POST", headers: textOf(request.headers), body, signal });
    const text = await answer.text();
    if (answer.ok) return JSON.parse(text);
    throw refusal(answer.status, text);
  };
}

/** `20261120T191432Z` */
const amzDate = (atMs: number): string => new Date(atMs).toISOString().replaceAll(/[-:]|\.\d+/g, "");

const textOf = (headers: object = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

/** `{"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "…"}`; a proxy's page is none. */
function refusal(status: number, text: string): AwsError {
  const { __type: type, message, Message } = fieldsOf(text);
  const name = typeof type === "string" ? type.replace(/^.*#/, "") : `HTTP ${status}`;
  const words = [message, Message].find((one) => typeof one === "string") ?? "no reason given";
  return new AwsError(name, words, { status });
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const fields: unknown = JSON.parse(text);
    return typeof fields === "object" && fields !== null ? { ...fields } : {};
  } catch {
    return {};
  }
}
