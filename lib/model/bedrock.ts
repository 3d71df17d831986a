import { bedrock, type AwsCredentialsProvider } from "openai/providers/bedrock/aws";
import type { Environment } from "../core/config.ts";
import { isOpenWeight } from "./bedrock-endpoint.ts";
import type { BedrockEndpoint } from "../core/options.ts";

export interface BedrockTarget {
  readonly endpoint: BedrockEndpoint;
  readonly region: string;
  /** Any that the client will ask: it has the path of all. */
  readonly model: string;
  /** Asked before each request, so that renewed credentials are used. */
  readonly credentials: AwsCredentialsProvider;
  /** Of the process: says whether another address is wanted. */
  readonly env: Environment;
}

/**
 * For `new OpenAI({ provider })`: requests are signed by Signature Version 4 and go to that endpoint alone. No key, and
 * AWS_BEARER_TOKEN_BEDROCK is not looked at. AWS_BEDROCK_BASE_URL leads elsewhere, as for every client of the SDK.
 */
export function bedrockProvider(target: BedrockTarget) {
  const { endpoint, region, credentials, env } = target;
  const baseURL = env["AWS_BEDROCK_BASE_URL"] === undefined ? addressOf(target) : undefined;
  return bedrock({ endpoint, region, credentialProvider: credentials, ...(baseURL ? { baseURL } : {}) });
}

/** `undefined`: the SDK's own. It knows neither mantle's second path nor what is set for AWS's clients. */
function addressOf({ endpoint, region, model, env }: BedrockTarget): string | undefined {
  if (endpoint === "mantle")
    return isOpenWeight(model) ? `https://bedrock-mantle.${region}.api.aws/v1` : undefined;
  const fips = env["AWS_USE_FIPS_ENDPOINT"] === "true";
  const dualStack = env["AWS_USE_DUALSTACK_ENDPOINT"] === "true";
  if (!fips && !dualStack) return undefined;
  const host = `bedrock-runtime${fips ? "-fips" : ""}.${region}.${dualStack ? "api.aws" : "amazonaws.com"}`;
  return `https://${host}/openai/v1`;
}
