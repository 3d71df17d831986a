import { fromNodeProviderChain } from "@aws-sdk/credential-providers";
import OpenAI, { APIError } from "openai";
import { RunnerError } from "../../lib/errors.ts";
import { placeOf } from "../../lib/inference/bedrock-endpoint.ts";
import { bedrockProvider } from "../../lib/inference/bedrock.ts";
import { troubleNames } from "../../lib/inference/provider-trouble.ts";
import type { Bedrock } from "../ports.ts";
import type { AwsAccount } from "./config.ts";

const limitMs = 15_000;
/** Bedrock gives no fewer. */
const leastTokens = 16;

export function createBedrock({ credentials = fromNodeProviderChain() }: AwsAccount): Bedrock {
  return {
    ask: async ({ endpoint, region, model }) => {
      const provider = bedrockProvider({
        endpoint,
        region,
        model,
        env: process.env,
        credentials: typeof credentials === "function" ? credentials : () => credentials,
      });
      const place = placeOf(endpoint, region);
      const { responses } = new OpenAI({ provider, maxRetries: 0, timeout: limitMs, logLevel: "off" });
      try {
        await responses.create({ model, input: "Say yes.", max_output_tokens: leastTokens, store: false });
        return undefined;
      } catch (error) {
        if (!(error instanceof APIError) || error.status === undefined) throw unreached(place);
        return {
          ...troubleNames(error.error),
          status: error.status,
          isJson: error.error !== undefined,
          place,
        };
      }
    },
  };
}

/** Without the cause: the SDK's errors hold headers. */
const unreached = (place: string): RunnerError =>
  new RunnerError("model_unavailable", `${place} did not answer, or there are no credentials to sign with`);
