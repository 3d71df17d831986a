import aws4 from "aws4";
import type { Clock } from "./clock.ts";
import { brokenExchange, type Fetch } from "./http.ts";

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
    const fields = fieldsOf(text);
    if (answer.ok && fields) return fields;
    throw refusal(answer.status, fields, answer.headers.get("x-amzn-errortype"));
  };
}

/** `20261120T191432Z` */
const amzDate = (atMs: number): string => new Date(atMs).toISOString().replaceAll(/[-:]|\.\d+/g, "");

const textOf = (headers: object = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

/**
 * `{"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "…"}`. A proxy's page has neither, and
 * what is in it is not quoted: of an answer that is none nobody knows what it holds.
 */
function refusal(
  status: number,
  { __type, code, message, Message }: Readonly<Record<string, unknown>> = {},
  errorType: string | null,
): AwsError {
  const type = [errorType, code, __type].find((one) => typeof one === "string");
  const name = type?.replace(/^.*#/, "").replace(/[:,].*$/, "") ?? `HTTP ${status}`;
  const words = [message, Message].find((one) => typeof one === "string") ?? "no reason given";
  return new AwsError(name, words, { status });
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const fields: unknown = JSON.parse(text);
    return typeof fields === "object" && fields !== null && !Array.isArray(fields)
      ? { ...fields }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Names that all of AWS's SDKs take for "slower, please". */
const throttled =
  /^(?:Throttl\w+|TooManyRequests\w*|RequestLimitExceeded|LimitExceeded\w*|RequestThrottled\w*|SlowDown|PriorRequestNotComplete|BandwidthLimitExceeded|ProvisionedThroughputExceeded\w*)$/;
const networkCode = /^E(?:CONN|HOST|NET|AI_|PIPE|TIMEDOUT|NOTFOUND|PROTO)|^HPE_|CERT|^ERR_(?:TLS|SSL)/;

export const isThrottle = (error: unknown): boolean =>
  error instanceof AwsError && (throttled.test(error.name) || error.status === 429);

/** Why there was no answer at all: Node's word for a broken connection, or the SDK's for a silent one. */
export function networkFault(error: unknown): string | undefined {
  const broken = brokenExchange(error);
  const fault = broken ?? (error instanceof Error ? error : undefined);
  if (!fault) return undefined;
  const code = "code" in fault && typeof fault.code === "string" ? fault.code : undefined;
  if (code !== undefined && (broken || networkCode.test(code))) return code;
  return fault.name === "TimeoutError" ? "time-out" : undefined;
}

/** What another try can heal: no answer, one that is none, a fault of the service, too much at once. */
export function isPassing(error: unknown): boolean {
  if (networkFault(error) !== undefined) return true;
  if (!(error instanceof AwsError)) return false;
  const { name, status } = error;
  return (
    isThrottle(error) || status < 300 || status === 408 || status >= 500 || name.startsWith("RequestTimeout")
  );
}
