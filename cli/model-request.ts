import OpenAI, { APIError } from "openai";
import type { ResponseCreateParamsNonStreaming } from "openai/resources/responses/responses";
import { ownInstructions } from "../infra/own-instructions.ts";
import type { Settings } from "../infra/settings.ts";
import { userAgent } from "../lib/adapters/http.ts";
import { toolDefinitions } from "../lib/deliverables/registry.ts";
import { RunnerError } from "../lib/core/errors.ts";
import { jobInstructions } from "../lib/agent/instructions.ts";
import { failureNames, type ProviderFailure } from "../lib/model/provider-errors.ts";
import { requestBody } from "../lib/model/request-body.ts";
import type { Secret } from "../lib/core/secret.ts";
import type { Context } from "./context.ts";

export const askLimitMs = 15_000;
/** No provider allows fewer output tokens. */
const leastTokens = 16;
const question = "Say yes.";

/** The smallest request that a model answers. */
export const oneWord = (model: string): ResponseCreateParamsNonStreaming => ({
  model,
  input: question,
  max_output_tokens: leastTokens,
  store: false,
});

/** A job's first request with everything that the settings add, except for its length. */
export function roundShape({ inference }: Settings): ResponseCreateParamsNonStreaming {
  const { model, store, reasoningEffort, serviceTier, hostedTools } = inference;
  const { include: _reasoning, ...body } = requestBody(
    {
      model,
      instructions: jobInstructions({
        tools: toolDefinitions,
        hostedTools,
        own: ownInstructions(inference),
      }),
      input: [{ type: "message", text: question }],
      tools: toolDefinitions,
      store,
      options: { reasoningEffort, serviceTier, hostedTools, maxOutputTokens: leastTokens },
    },
    "stream",
  );
  return { ...body, stream: false };
}

/**
 * Requests one answer from a model. Returns the error that refused it; `undefined`: the model answered.
 * `unreached` is the message if there was no answer.
 * @throws RunnerError `model_unavailable` if there was no answer
 */
export async function ask(
  { responses }: OpenAI,
  body: ResponseCreateParamsNonStreaming,
  unreached: string,
): Promise<ProviderFailure | undefined> {
  try {
    await responses.create(body);
    return undefined;
  } catch (error) {
    // No cause, because the SDK's errors contain headers.
    if (!(error instanceof APIError) || error.status === undefined)
      throw new RunnerError("model_unavailable", unreached);
    const { status } = error;
    return { ...failureNames(error.error), status, isJson: error.error !== undefined };
  }
}

export const openAiFor = (
  { fetch }: Pick<Context, "fetch">,
  { inference: { baseUrl } }: { readonly inference: Pick<Settings["inference"], "baseUrl"> },
  key: Secret,
): OpenAI =>
  new OpenAI({
    apiKey: key.reveal(),
    baseURL: baseUrl,
    maxRetries: 0,
    timeout: askLimitMs,
    logLevel: "off",
    defaultHeaders: { "user-agent": userAgent },
    fetch,
  });
