import { hasCode, RunnerError, type ErrorCode } from "../core/errors.ts";
import { brokenExchange } from "../adapters/http.ts";
import type { Redact } from "../core/secret.ts";
import { parseRetryAfter } from "../core/retry.ts";
import type { RouteKind } from "./routes.ts";
import { bodyWords, cleanCause, fold, pageWords } from "./words.ts";

/** One try of one route, with what an error may mention. */
export interface Attempt {
  readonly path: string;
  readonly kind: RouteKind;
  /** Studio's address without path or credentials. */
  readonly origin: string;
  readonly redact: Redact;
}

export interface Answer {
  readonly status: number;
  header(name: string): string | undefined;
  readonly text: string;
  /** The body was longer than the limit. */
  readonly truncated: boolean;
  /** Epoch ms by our clock. */
  readonly receivedAtMs: number;
  /** Studio's clock minus ours. */
  readonly skewMs: number;
}

/** Statuses with a special meaning, by kind of route. 408, 429 and 5xx mean the same on all routes. */
const refusals: Readonly<Record<RouteKind, Readonly<Record<number, ErrorCode>>>> = {
  lease: { 401: "key_refused", 403: "key_refused" },
  job: {
    401: "key_refused",
    403: "lease_lost",
    404: "lease_lost",
    409: "lease_lost",
    410: "lease_lost",
    412: "lease_lost",
  },
  management: { 401: "key_refused", 403: "key_refused" },
};

const runnerKeyRefused = "Studio refused the runner key (revoked, or not a key of this Studio)";

const keySentences: Readonly<Record<RouteKind, string>> = {
  lease: runnerKeyRefused,
  job: runnerKeyRefused,
  management: "Studio refused the account token (expired, or its account may not do this): sign in again",
};

/** The error for an answer that is not a 2xx. */
export function refusal(answer: Answer, attempt: Attempt): RunnerError {
  const { status } = answer;
  if (status >= 300 && status < 400) return redirected(answer, attempt);
  const meaning = refusals[attempt.kind][status];
  const page = pageWords(answer.text, attempt.redact);
  if (attempt.kind === "job" && meaning !== undefined && page !== "")
    return unreadable(answer, attempt, page);
  const words = bodyWords(answer.text, attempt.redact);
  const facts = `${answered(answer, attempt)}${words === "" ? "" : `: ${words}`}`;
  if (status === 408 || status === 429 || status >= 500) {
    const retryAfterMs = parseRetryAfter(answer.header("retry-after"), answer.receivedAtMs + answer.skewMs);
    return new RunnerError("studio_unavailable", `Studio is not available just now: ${facts}`, {
      retryable: true,
      status,
      retryAfterMs,
    });
  }
  switch (meaning) {
    case "key_refused":
      return new RunnerError("key_refused", `${keySentences[attempt.kind]}: ${facts}`, { status });
    case "lease_lost":
      return new RunnerError("lease_lost", `the lease is gone: ${facts}`, { status });
    default:
      return new RunnerError("studio_rejected", `Studio rejected the request: ${facts}`, { status });
  }
}

/** The error for an answer that breaks the API's contract; `what` says how. */
export function contractBroken(answer: Answer, attempt: Attempt, what: string): RunnerError {
  const sentence = `Studio broke its contract: ${answered(answer, attempt)} with ${fold(what, attempt.redact)}`;
  return new RunnerError("studio_contract", sentence, { status: answer.status });
}

/** The error for an answer that is not Studio's, such as a proxy's: a retry may reach Studio. */
export function unreadable(answer: Answer, attempt: Attempt, what: string): RunnerError {
  const sentence = `Studio is not available just now: ${answered(answer, attempt)} with ${fold(what, attempt.redact)}`;
  return new RunnerError("studio_unavailable", sentence, { retryable: true, status: answer.status });
}

export function tooLong(answer: Answer, attempt: Attempt): RunnerError {
  const sentence = `Studio's answer is too long: ${answered(answer, attempt)} with more than 8 MiB or a million fields`;
  return new RunnerError("answer_too_long", sentence, { status: answer.status });
}

/** The key has a character that a header cannot carry. fetch's own error would show the key. */
export function unsendable(attempt: Attempt): RunnerError {
  const what = attempt.kind === "management" ? "account token" : "runner key";
  const sentence = `the ${what} is empty or holds a space or another character that cannot be sent`;
  return new RunnerError("key_refused", `${sentence}: POST ${attempt.path} was not sent`);
}

/** Network faults and time limits as `studio_unavailable`; `undefined` for anything else, which is a bug. */
export function faultOf(thrown: unknown, attempt: Attempt): RunnerError | undefined {
  const request = `POST ${attempt.path}`;
  if (hasCode(thrown, "time_limit")) {
    const sentence = `Studio at ${attempt.origin} did not answer in time: ${thrown.message}`;
    return new RunnerError("studio_unavailable", sentence, { retryable: true, cause: thrown });
  }
  const fault = networkFault(thrown);
  if (fault === undefined) return undefined;
  const hint = hints[fault.code];
  const sentence = `Studio at ${attempt.origin} could not be reached: ${fault.code}${hint ? `, ${hint}` : ""} (${request})`;
  const cause = cleanCause(thrown, attempt.redact);
  return new RunnerError("studio_unavailable", sentence, { retryable: true, cause });
}

/** How to fix a network fault. */
const hints: Readonly<Record<string, string>> = {
  ECONNREFUSED: "check the address and that Studio is running there",
  ENOTFOUND: "check the host name",
  EAI_AGAIN: "the name server does not answer; check the network",
  ETIMEDOUT: "check the network, the subnet's route and firewalls",
  UND_ERR_CONNECT_TIMEOUT: "check the network, the subnet's route and firewalls",
  ECONNRESET: "the connection was cut",
  UND_ERR_SOCKET: "the connection was cut",
  CERT_HAS_EXPIRED: "its certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is not trusted here",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not trusted here",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not trusted here",
};

/** A broken exchange; its cause has the system's or undici's code. */
function networkFault(thrown: unknown): { readonly code: string } | undefined {
  const cause = brokenExchange(thrown);
  if (cause?.name === "HTTPParserError") return { code: "the answer is not HTTP" };
  if (cause === undefined || !("code" in cause) || typeof cause.code !== "string") return undefined;
  return { code: cause.code };
}

/** A bug's error unchanged, unless it contains the credential. */
export function bugOf(thrown: unknown, attempt: Attempt): unknown {
  if (cleanCause(thrown, attempt.redact) === thrown) return thrown;
  return new RunnerError(
    "internal",
    `POST ${attempt.path} failed with an error that cannot be shown: it holds a key`,
  );
}

function redirected(answer: Answer, attempt: Attempt): RunnerError {
  const location = URL.parse(answer.header("location") ?? "", attempt.origin);
  const where = location === null ? "" : ` to ${location.origin}`;
  const what = `a redirect${where}, which is not followed; give Studio's final address as RUNNER_API_BASE`;
  return contractBroken(answer, attempt, what);
}

function answered(answer: Answer, attempt: Attempt): string {
  const id = answer.header("x-request-id") ?? answer.header("x-cloud-trace-context");
  const request = id === undefined ? "" : ` (request ${fold(id, attempt.redact)})`;
  return `POST ${attempt.path} answered ${answer.status}${request}`;
}
