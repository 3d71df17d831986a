import type { ErrorCode, RunnerErrorOptions } from "../core/errors.ts";
import { RunnerError } from "../core/errors.ts";
import { bedrockRefusal } from "./bedrock-errors.ts";
import { keepHead } from "../core/text.ts";

/** What the provider said instead of an answer: no headers, no key, no request. */
export interface ProviderFailure {
  /** HTTP status; absent for an error inside a stream that had begun with 200. */
  readonly status?: number | undefined;
  readonly code?: string | undefined;
  readonly type?: string | undefined;
  readonly param?: string | undefined;
  readonly message?: string | undefined;
  readonly requestId?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  /** False for an HTML page or other bytes that are not the API's JSON. */
  readonly isJson: boolean;
  /** The request's `previous_response_id`. */
  readonly previousResponseId?: string | undefined;
  /** The name of the Bedrock endpoint; absent for other providers. */
  readonly place?: string | undefined;
  /** The request was for a stored response. */
  readonly isForStored?: boolean | undefined;
  /** The requested tier. */
  readonly tier?: string | undefined;
}

interface Row {
  readonly when: (failure: ProviderFailure) => boolean;
  readonly code: ErrorCode;
  readonly sentence: string;
  readonly retryable?: true;
  /** Omits the provider's message: its 401 echoes part of the key. */
  readonly omitsMessage?: true;
}

const wordsMax = 300;

/** Appears as code or as type, with 429 and in streams that started with 200. */
const quotaNames = ["insufficient_quota", "credit_balance_exhausted", "billing_hard_limit_reached"];
const transientNames = [
  "server_error",
  "rate_limit_exceeded",
  "internal_error",
  "server_is_overloaded",
  "overloaded_error",
  "slow_down",
];
/** Of a tier without a guarantee. https://developers.openai.com/api/docs/guides/flex-processing */
const noCapacityNames = ["resource_unavailable", "resource_unavailable_error"];
const modelNames = ["model_not_found", "unsupported_country_region_territory"];
const keyNames = ["invalid_api_key", "authentication_error"];
const transientStatuses = [408, 409, 429];
/** Refusals that a retry cannot change. */
export const isPermanentRefusal = (status: number): boolean =>
  status >= 300 && status < 500 && !transientStatuses.includes(status);
const rateLimitName = "rate_limit_exceeded";
/** Not kept, not ours to read, or a server that keeps nothing and has no such route. */
const notStoredStatuses = [403, 404, 405, 501];

const named = (failure: ProviderFailure, names: readonly string[]): boolean =>
  [failure.code, failure.type].some((name) => name !== undefined && names.includes(name));

/**
 * OpenAI: 400 with the code. Others: 404 that names the response. A refused parameter means no chain either (zero
 * retention); servers without stored responses name it in words only, some with 500 (llama.cpp and similar).
 */
const chainIsMissing = ({ code, param, status, message = "", ...failure }: ProviderFailure): boolean => {
  if (code === "previous_response_not_found") return true;
  if (failure.isForStored === true) return status !== undefined && notStoredStatuses.includes(status);
  const { previousResponseId } = failure;
  if (previousResponseId === undefined) return false;
  if (param === "previous_response_id" || message.includes("previous_response_id")) return true;
  return status === 404 && message.includes(previousResponseId);
};

/** Waiting or another tier helps: nothing was generated, and nothing is billed. */
const tierHasNoCapacity = (failure: ProviderFailure): boolean =>
  failure.tier === "flex" &&
  (named(failure, noCapacityNames) ||
    (failure.status === 429 && !named(failure, [...quotaNames, rateLimitName])));

/** The first row that matches describes the error. */
const rows: readonly Row[] = [
  {
    when: chainIsMissing,
    code: "model_previous_response_missing",
    sentence: "the model's provider does not have the previous response",
  },
  {
    when: (failure) => named(failure, quotaNames),
    code: "model_quota_exhausted",
    sentence: "the quota of the model's account is used up",
  },
  {
    when: tierHasNoCapacity,
    code: "model_no_capacity",
    sentence: "the model's provider has no capacity in the requested service tier",
  },
  {
    when: (failure) => named(failure, modelNames),
    code: "model_rejected",
    sentence: "the model's provider rejected the request",
  },
  {
    when: (failure) => failure.status === 401 || named(failure, keyNames),
    code: "model_key_refused",
    sentence: "the model's provider refused the key",
    omitsMessage: true,
  },
  {
    when: (failure) => failure.status === 403,
    code: "model_key_refused",
    sentence: "the model's provider refused the key for this",
  },
  {
    when: (failure) =>
      failure.status === undefined
        ? named(failure, transientNames)
        : (failure.status >= 500 && failure.status !== 501) || transientStatuses.includes(failure.status),
    code: "model_unavailable",
    sentence: "the model's provider is not available",
    retryable: true,
  },
  {
    when: (failure) => !failure.isJson,
    code: "model_contract",
    sentence: "what answered at the model's address is not the Responses API",
    omitsMessage: true,
  },
  {
    when: (failure) => failure.status !== undefined || failure.type === "invalid_request_error",
    code: "model_rejected",
    sentence: "the model's provider rejected the request",
  },
  {
    when: () => true,
    code: "model_failed",
    sentence: "the model's provider reports that the response failed",
  },
];

/** The RunnerError for a refused request or an error event. It keeps status, code and request id, and drops everything else. */
export function failureError(failure: ProviderFailure): RunnerError {
  const refusal = chainIsMissing(failure) ? undefined : bedrockRefusal(failure);
  if (refusal) {
    const sentence = `${refusal.finding}: ${refusal.remedy}${details(failure)}`;
    return new RunnerError(refusal.code, sentence, optionsOf({}, failure));
  }
  const row = rows.find(({ when }) => when(failure));
  if (row === undefined) throw new RunnerError("internal", "no row for the provider's failure");
  const message = `${row.sentence}${row.omitsMessage ? "" : withColon(failure.message)}${details(failure)}`;
  return new RunnerError(row.code, message, optionsOf(row, failure));
}

/** Whether it is a 429 that waiting helps, or the same in an error event or a failed response. */
export const isRateLimit = (failure: ProviderFailure): boolean =>
  !named(failure, quotaNames) &&
  !tierHasNoCapacity(failure) &&
  (failure.status === 429 || named(failure, [rateLimitName]));

/** A response that ended as failed or cancelled: only a passing fault of the provider is worth another try. */
export function failedResponseError(outcome: "failed" | "cancelled", failure: ProviderFailure): RunnerError {
  if (chainIsMissing(failure) || named(failure, quotaNames) || tierHasNoCapacity(failure))
    return failureError(failure);
  const message = `the model's provider reports the response as ${outcome}${withColon(failure.message)}${details(failure)}`;
  const retryable = outcome === "failed" && named(failure, transientNames);
  return new RunnerError("model_failed", message, { retryable });
}

/** The names in the API's error body `{ code, type, param, message }`, in a bare sentence, in FastAPI's `{ detail }`, or in AWS's `{ Message }`. */
export function failureNames(body: unknown): Pick<ProviderFailure, "code" | "type" | "param" | "message"> {
  if (typeof body === "string") return { message: body };
  const field = (name: string): string | undefined => {
    const value: unknown = typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined;
    return typeof value === "string" ? value : undefined;
  };
  return {
    code: field("code"),
    type: field("type"),
    param: field("param"),
    message: field("message") ?? field("Message") ?? field("detail"),
  };
}

/** A provider's message in one short line, without anything that looks like a key, masked or not. */
export function words(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  const clean = line
    .replaceAll(/\b(?:sk|sess)-[\w*.-]{4,}/g, "[redacted]")
    .replaceAll(/(?<![\w.-])[\w.-]{0,64}\*{3,}[\w*.-]*/g, "[redacted]");
  return keepHead(clean, wordsMax);
}

const withColon = (text: string | undefined): string =>
  text === undefined || text === "" ? "" : `: ${words(text)}`;

/** Parameters that come from settings: not every model accepts each value. */
const settingsOf: ReadonlyMap<string, string> = new Map([
  ["service_tier", "inference.serviceTier"],
  ["reasoning", "inference.reasoningEffort"],
  ["max_output_tokens", "inference.maxOutputTokens"],
  ["tools", "inference.hostedTools"],
]);

function details({ status, code, requestId, param = "" }: ProviderFailure): string {
  const setting = settingsOf.get(/^\w*/.exec(param)?.[0] ?? "");
  const parts = [
    status === undefined ? [] : [`HTTP ${status}`],
    code === undefined ? [] : [`code ${words(code)}`],
    requestId === undefined ? [] : [`request ${words(requestId)}`],
    setting === undefined ? [] : [`setting ${setting}`],
  ].flat();
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}

function optionsOf(
  row: Pick<Row, "retryable">,
  { status, retryAfterMs }: ProviderFailure,
): RunnerErrorOptions {
  return {
    retryable: row.retryable ?? false,
    status,
    retryAfterMs,
  };
}

/** A connection that could not be made, or broke on the way. The innermost system code says why. */
export function connectionError(error: unknown): RunnerError {
  let code: string | undefined;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ("code" in cause && typeof cause.code === "string") code = cause.code;
  }
  const why = code === undefined ? "" : ` (${code})`;
  return new RunnerError("model_unavailable", `the connection to the model's provider failed${why}`, {
    retryable: true,
  });
}

const checkIdentity =
  "check identityProviderId, serviceAccountId and audience in the settings, and their mapping there";

/** The provider does not exchange our identity for a token. */
export function identityRefused(status: number, code?: string): RunnerError {
  const word = /^\w{3,60}$/.exec(code ?? "")?.[0];
  const said = `HTTP ${status}${word === undefined ? "" : `, code ${word}`}`;
  const sentence = `the model's provider refused our identity (${said}); ${checkIdentity}`;
  return new RunnerError("model_key_refused", sentence, { status });
}
