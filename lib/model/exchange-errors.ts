import { APIConnectionError, APIError, OAuthError, OpenAIError } from "openai/error";
import { brokenExchange } from "../adapters/http.ts";
import { RunnerError } from "../core/errors.ts";
import { readRetryAfterMs } from "../core/retry.ts";
import {
  connectionError,
  identityRefused,
  isRateLimit,
  failureError,
  failureNames,
  type ProviderFailure,
} from "./provider-errors.ts";
import type { Delivery } from "./request-body.ts";
import type { ApiOptions } from "./responses-api.ts";

/** The request that the errors are about. */
export type About = Pick<ProviderFailure, "previousResponseId" | "isForStored" | "tier">;

interface Asked extends About {
  readonly silenceMs: number;
  readonly nowMs: number;
}

/**
 * Converts the client's errors. They hold headers and bodies; ours keep only the status, the code, the
 * request id and a short message of the provider, and have no cause.
 */
export function describer(provider: ApiOptions, asked: Asked): (error: unknown) => unknown {
  return (error) => {
    const chain = causesOf(error);
    const ours = chain.find((one) => one instanceof RunnerError);
    if (ours !== undefined) return ours;
    const oauth = chain.find((one) => one instanceof OAuthError);
    if (oauth !== undefined) return identityRefused(oauth.status, oauth.error_code);
    if (error instanceof APIError && !(error instanceof APIConnectionError))
      return refusal(provider, asked, error);
    if (error instanceof SyntaxError)
      return new RunnerError("model_contract", "the model's answer holds broken JSON");
    // The client writes an error's body into its message.
    if (error instanceof RangeError && error.message === "Maximum call stack size exceeded")
      return new RunnerError("model_contract", "the model's answer is nested too deeply");
    if (chain.some((one) => brokenExchange(one) !== undefined)) return broken(chain, asked);
    if (error instanceof OpenAIError && !(error instanceof APIConnectionError))
      return new RunnerError("model_contract", "the exchange of our identity was answered without a token");
    return bug(chain.at(-1) ?? error);
  };
}

function causesOf(error: unknown): readonly Error[] {
  const chain: Error[] = [];
  for (let one = error; one instanceof Error && chain.length < 8; one = one.cause) chain.push(one);
  return chain;
}

function refusal(provider: ApiOptions, asked: Asked, error: APIError): RunnerError {
  const { redact, place } = provider.client;
  const { code, type, param, message } = failureNames(error.error);
  const failure: ProviderFailure = {
    code: code && redact(code),
    type,
    param,
    message: message && redact(message),
    status: error.status,
    requestId: error.requestID ? redact(error.requestID) : undefined,
    retryAfterMs: readRetryAfterMs((name) => error.headers?.get(name), asked.nowMs),
    isJson: error.error !== undefined,
    previousResponseId: asked.previousResponseId,
    isForStored: asked.isForStored,
    tier: asked.tier,
    place,
  };
  if (isRateLimit(failure)) provider.onRateLimited?.({ retryAfterMs: failure.retryAfterMs });
  return failureError(failure);
}

const silenceCodes: readonly unknown[] = ["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"];

function broken(chain: readonly Error[], { silenceMs }: Asked): RunnerError {
  const isSilent = chain.some((one) => "code" in one && silenceCodes.includes(one.code));
  if (!isSilent) return connectionError(chain[0]);
  return new RunnerError("model_unavailable", `the model's provider sent nothing for ${silenceMs} ms`, {
    retryable: true,
  });
}

/** A bug's message may contain the Authorization header, so only its name is kept. */
const bug = (error: unknown): RunnerError =>
  new RunnerError(
    "internal",
    `the request to the model could not be made (${error instanceof Error ? error.name : typeof error})`,
  );

/** Models without reasoning refuse the `include` that conversations without stored responses need. */
export const isEncryptedContentUnsupported = (error: unknown): boolean =>
  error instanceof APIError &&
  error.status === 400 &&
  (error.param === "include" || /encrypted content is not supported/i.test(error.message));

export type RefusedPart = "background" | "stream";

/** Matches the parameter's name in errors of OpenAI, vLLM and FastAPI; 501 comes from servers without a store. */
export function refusedPart(error: unknown, delivery: Delivery): RefusedPart | undefined {
  if (!(error instanceof APIError)) return undefined;
  if (error.status === 501) return "background";
  if (error.status !== 400 && error.status !== 422) return undefined;
  const words = `${error.param} ${error.message}`;
  if (delivery === "background_stream" && /\bstream/i.test(words)) return "stream";
  return /\bbackground\b/i.test(words) ? "background" : undefined;
}
