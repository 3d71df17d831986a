import { defaultProvider } from "@aws-sdk/credential-provider-node";
import type { ProcessorConfig } from "../lib/core/config.ts";
import { placeOf } from "../lib/core/options.ts";
import { bedrockProvider } from "../lib/model/bedrock.ts";
import type { Credential } from "../lib/model/client.ts";

/** The function's own credentials; `undefined`: Amazon Bedrock is not asked. */
export function bedrockCredential(config: ProcessorConfig): Credential | undefined {
  const { BEDROCK_ENDPOINT: endpoint, BEDROCK_REGION, OPENAI_MODEL: model } = config;
  if (endpoint === undefined) return undefined;
  const { env } = process;
  const region = BEDROCK_REGION ?? env["AWS_REGION"] ?? "";
  const provider = bedrockProvider({ endpoint, region, model, env, credentials: defaultProvider() });
  return { signing: { provider, place: placeOf(endpoint, region) } };
}
