import { bedrock, type AwsCredentialsProvider } from "openai/providers/bedrock/aws";
import type { Environment } from "../core/config.ts";
import { type BedrockEndpoint, isOpenWeight } from "../core/options.ts";

export interface BedrockTarget {
  readonly endpoint: BedrockEndpoint;
  readonly region: string;
  /** One of the models that the client will use: it determines the path for all. */
  readonly model: string;
  /** Called before each request, so that renewed credentials are used. */
  readonly credentials: AwsCredentialsProvider;
  /** The process's variables, which can select another endpoint. */
  readonly env: Environment;
}

/**
 * For `new OpenAI({ provider })`: requests are signed with Signature Version 4 and go only to that endpoint. Needs no key and
 * ignores AWS_BEARER_TOKEN_BEDROCK. AWS_BEDROCK_BASE_URL overrides the endpoint, as for every client of the SDK.
 */
export function bedrockProvider(target: BedrockTarget) {
  const { endpoint, region, credentials, env } = target;
  const baseURL = env["AWS_BEDROCK_BASE_URL"] === undefined ? addressOf(target) : undefined;
  return bedrock({ endpoint, region, credentialProvider: credentials, ...(baseURL ? { baseURL } : {}) });
}

/** `undefined`: the SDK's default. The SDK knows neither mantle's second path nor AWS's FIPS and dual-stack variables. */
function addressOf({ endpoint, region, model, env }: BedrockTarget): string | undefined {
  if (endpoint === "mantle")
    return isOpenWeight(model) ? `https://bedrock-mantle.${region}.api.aws/v1` : undefined;
  const fips = env["AWS_USE_FIPS_ENDPOINT"] === "true";
  const dualStack = env["AWS_USE_DUALSTACK_ENDPOINT"] === "true";
  if (!fips && !dualStack) return undefined;
  const host = `bedrock-runtime${fips ? "-fips" : ""}.${region}.${dualStack ? "api.aws" : "amazonaws.com"}`;
  return `https://${host}/openai/v1`;
}
