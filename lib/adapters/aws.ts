import { isServerError, isThrottlingError, isTransientError } from "@smithy/core/retry";
import { HttpResponse } from "@smithy/core/transport";
import type { FinalizeRequestMiddleware, Pluggable, SdkError } from "@smithy/types";

/** What the adapters of AWS's services share: how long they wait, what they take for an answer, and what an error means. */

interface Waits {
  readonly connectMs: number;
  /** For the first word of an answer, and for each further one. */
  readonly silenceMs: number;
}

/** Unused connections are kept for longer than the pause between two polls, and not for long: a function freezes. */
const pool = { timeout: 10_000 };

/** The settings of the SDK's own HTTP client. */
export const connections = ({ connectMs, silenceMs }: Waits) => ({
  connectionTimeout: connectMs,
  requestTimeout: silenceMs,
  throwOnRequestTimeout: true,
  socketTimeout: silenceMs,
  httpAgent: pool,
  httpsAgent: pool,
});

/** Both DynamoDB's and Secrets Manager's answers stay far below. */
const longestBytes = 16 * 1024 * 1024;

/** In the place of an answer came something else: a proxy's page, or nothing. What is in it is not quoted. */
class NoAnswer extends Error {
  readonly $metadata: { readonly httpStatusCode: number };
  readonly $retryable: object | undefined;

  constructor(status: number) {
    super("no reason given");
    this.name = `HTTP ${status}`;
    this.$metadata = { httpStatusCode: status };
    this.$retryable = status < 300 ? {} : undefined;
  }
}

/**
 * For clients of services that speak JSON: only a JSON object is an answer. The SDK takes an empty page with status 200 for
 * an answer without fields, quotes a page that is no JSON in its error, and repeats neither; nor does it repeat a call
 * whose answer is no HTTP.
 */
export function checkedAnswers<I extends object, O extends object>(): Pluggable<I, O> {
  return {
    applyToStack: (stack) =>
      stack.add(
        (next) => async (args) => {
          try {
            const result = await next(args);
            const { response } = result;
            if (HttpResponse.isInstance(response)) response.body = await readAnswer(response);
            return result;
          } catch (error) {
            if (networkFault(error) !== undefined) Object.assign(Object(error), { $retryable: {} });
            throw error;
          }
        },
        { name: "checkedAnswers", step: "deserialize", priority: "low" },
      ),
  };
}

async function readAnswer({ statusCode, body }: HttpResponse): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the SDK's HTTP client for Node gives
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > longestBytes) throw new NoAnswer(statusCode); // leaving the loop cuts the connection
    chunks.push(chunk);
  }
  const answer = Buffer.concat(chunks);
  if (!isJsonObject(answer.toString())) throw new NoAnswer(statusCode);
  return answer;
}

function isJsonObject(text: string): boolean {
  try {
    return text.startsWith("{") && typeof JSON.parse(text) === "object";
  } catch {
    return false;
  }
}

/** Tells each throttled attempt, also those that a repetition heals. */
export function throttlesTold<I extends object, O extends object>(onThrottled: () => void): Pluggable<I, O> {
  const told: FinalizeRequestMiddleware<I, O> = (next) => async (args) => {
    try {
      return await next(args);
    } catch (error) {
      if (isThrottle(error)) onThrottled();
      throw error;
    }
  };
  const where = { name: "throttlesTold", relation: "after", toMiddleware: "retryMiddleware" } as const;
  return { applyToStack: (stack) => stack.addRelativeTo(told, where) };
}

export const isThrottle = (error: unknown): boolean => isSdkError(error) && isThrottlingError(error);

/** What another try can heal: no answer, one that is none, a fault of the service, too much at once. */
export const isPassing = (error: unknown): boolean =>
  isSdkError(error) && (isThrottlingError(error) || isTransientError(error) || isServerError(error));

/** All that is more in an SDK's error is optional. */
const isSdkError = (error: unknown): error is SdkError => error instanceof Error;

/** A service's own error, by its name: `AccessDeniedException`; `HTTP 503` where there was none. */
export function isRefusal(error: unknown): error is Error {
  if (!(error instanceof Error) || !("$metadata" in error)) return false;
  const { $metadata: metadata } = error;
  return typeof metadata === "object" && metadata !== null && "httpStatusCode" in metadata;
}

const networkCode = /^E(?:CONN|HOST|NET|AI_|PIPE|TIMEDOUT|NOTFOUND|PROTO)|^HPE_|CERT|^ERR_(?:TLS|SSL)/;

/** Why there was no answer at all: Node's word for a broken connection, or the SDK's for a silent one. */
export function networkFault(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (code !== undefined && networkCode.test(code)) return code;
  return error.name === "TimeoutError" ? "time-out" : undefined;
}

/** Nobody here could sign: no service was asked. */
export const isWithoutCredentials = (error: unknown): boolean =>
  error instanceof Error && /^(?:Credentials|Token)ProviderError$/.test(error.name);
