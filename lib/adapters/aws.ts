import { isServerError, isThrottlingError, isTransientError } from "@smithy/core/retry";
import { HttpResponse } from "@smithy/core/transport";
import type { FinalizeRequestMiddleware, Pluggable, SdkError } from "@smithy/types";

/** Shared by the adapters of AWS's services: timeouts, validation of answers, and the meaning of errors. */

interface Waits {
  readonly connectMs: number;
  /** For the first byte of an answer, and between two further ones. */
  readonly silenceMs: number;
}

/** Idle connections are kept longer than the pause between two polls, but not long, because Lambda freezes functions. */
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

/** The answer is not the service's, such as a proxy's page or an empty body. Its content is not quoted. */
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
 * For clients of JSON services: accepts only a JSON object as an answer. The SDK accepts an empty body with status 200 as
 * an answer without fields, quotes a page that is not JSON in its error, and retries neither of these, nor a call
 * whose answer is not HTTP.
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

/** Reports each throttled try, including those that succeed on retry. */
export function countThrottles<I extends object, O extends object>(onThrottled: () => void): Pluggable<I, O> {
  const counter: FinalizeRequestMiddleware<I, O> = (next) => async (args) => {
    try {
      return await next(args);
    } catch (error) {
      if (isThrottle(error)) onThrottled();
      throw error;
    }
  };
  const where = { name: "countThrottles", relation: "after", toMiddleware: "retryMiddleware" } as const;
  return { applyToStack: (stack) => stack.addRelativeTo(counter, where) };
}

export const isThrottle = (error: unknown): boolean => isSdkError(error) && isThrottlingError(error);

/** Errors that a retry can fix: no answer, a foreign answer, a fault of the service, a throttle. */
export const isPassing = (error: unknown): boolean =>
  isSdkError(error) && (isThrottlingError(error) || isTransientError(error) || isServerError(error));

/** Fields of an SDK error; all are optional. */
const isSdkError = (error: unknown): error is SdkError => error instanceof Error;

/** A service's own error, by its name: `AccessDeniedException`; `HTTP 503` if there was none. */
export function isRefusal(error: unknown): error is Error {
  if (!(error instanceof Error) || !("$metadata" in error)) return false;
  const { $metadata: metadata } = error;
  return typeof metadata === "object" && metadata !== null && "httpStatusCode" in metadata;
}

const networkCode = /^E(?:CONN|HOST|NET|AI_|PIPE|TIMEDOUT|NOTFOUND|PROTO)|^HPE_|CERT|^ERR_(?:TLS|SSL)/;

/** Why there was no answer: Node's code for a broken connection, or the SDK's name for a timeout. */
export function networkFault(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (code !== undefined && networkCode.test(code)) return code;
  return error.name === "TimeoutError" ? "time-out" : undefined;
}

/** No credentials: no request was sent. */
export const isWithoutCredentials = (error: unknown): boolean =>
  error instanceof Error && /^(?:Credentials|Token)ProviderError$/.test(error.name);
