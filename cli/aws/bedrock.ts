import { fromNodeProviderChain } from "@aws-sdk/credential-providers";
import OpenAI from "openai";
import { placeOf } from "../../lib/core/options.ts";
import { bedrockProvider } from "../../lib/model/bedrock.ts";
import { ask, askLimitMs } from "../model-request.ts";
import type { Bedrock } from "../ports.ts";
import type { AwsAccount } from "./config.ts";

export function createBedrock({ credentials = fromNodeProviderChain() }: AwsAccount): Bedrock {
  return {
    ask: async ({ endpoint, region, body }) => {
      const provider = bedrockProvider({
        endpoint,
        region,
        model: body.model ?? "",
        env: process.env,
        credentials: typeof credentials === "function" ? credentials : () => credentials,
      });
      const openai = new OpenAI({ provider, maxRetries: 0, timeout: askLimitMs, logLevel: "off" });
      const place = placeOf(endpoint, region);
      const failure = await ask(
        openai,
        body,
        `${place} did not answer, or there are no credentials to sign with`,
      );
      return failure && { ...failure, place };
    },
  };
}
