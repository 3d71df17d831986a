import { APIConnectionError, APIError, OAuthError, OpenAIError } from "openai/error";
import { brokenExchange } from "../adapters/http.ts";
import { RunnerError } from "../core/errors.ts";
import { readRetryAfterMs } from "../core/retry-after.ts";
import {
  connectionError,
  identityRefused,
  isRateLimit,
  troubleError,
  troubleNames,
  type ProviderTrouble,
} from "./provider-trouble.ts";
import type { ApiDeps } from "./responses-api.ts";

/** What the errors of an exchange are about. */
export type About = Pick<ProviderTrouble, "previousResponseId" | "isForStored" | "tier">;

interface Asked extends About {
  readonly silenceMs: number;
  readonly nowMs: number;
}

/**
 * What the client throws, as what goes out. Its errors carry headers and bodies: ours keep the status, the code, the
 * request id and a few of the provider's words, and have no cause.
 */
export function describer(deps: ApiDeps, asked: Asked): (error: unknown) => unknown {
  return (error) => {
    const chain = causesOf(error);
    const ours = chain.find((one) => one instanceof RunnerError);
    if (ours !== undefined) return ours;
    const oauth = chain.find((one) => one instanceof OAuthError);
    if (oauth !== undefined) return identityRefused(oauth.status, oauth.error_code);
    if (error instanceof APIError && !(error instanceof APIConnectionError))
      return refusal(deps, asked, error);
    if (error instanceof SyntaxError)
      return new RunnerError("model_contract", "the model's answer holds broken JSON");
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

function refusal(deps: ApiDeps, asked: Asked, error: APIError): RunnerError {
  const { redact, place } = deps.client;
  const { code, type, param, message } = troubleNames(error.error);
  const trouble: ProviderTrouble = {
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
  if (isRateLimit(trouble)) deps.onRateLimited?.({ retryAfterMs: trouble.retryAfterMs });
  return troubleError(trouble);
}

const silenceCodes: readonly unknown[] = ["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"];

function broken(chain: readonly Error[], { silenceMs }: Asked): RunnerError {
  const isSilent = chain.some((one) => "code" in one && silenceCodes.includes(one.code));
  if (!isSilent) return connectionError(chain[0]);
  return new RunnerError("model_unavailable", `the model's provider sent nothing for ${silenceMs} ms`, {
    retryable: true,
  });
}

/** A bug's words may hold the Authorization header, so that only its name goes out. */
const bug = (error: unknown): RunnerError =>
  new RunnerError(
    "internal",
    `the request to the model could not be made (${error instanceof Error ? error.name : typeof error})`,
  );
