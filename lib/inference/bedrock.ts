import { bedrock, type AwsCredentialsProvider } from "openai/providers/bedrock/aws";
import { isOpenWeight, type BedrockEndpoint } from "./bedrock-endpoint.ts";

export interface BedrockTarget {
  readonly endpoint: BedrockEndpoint;
  readonly region: string;
  /** Any that the client will ask: it has the path of all. */
  readonly model: string;
  /** Asked before each request, so that renewed credentials are used. */
  readonly credentials: AwsCredentialsProvider;
}

/**
 * For `new OpenAI({ provider })`: requests are signed by Signature Version 4 and go to that endpoint alone. No key, and
 * AWS_BEARER_TOKEN_BEDROCK is not looked at. AWS_BEDROCK_BASE_URL leads elsewhere, as for every client of the SDK.
 */
export function bedrockProvider({ endpoint, region, model, credentials }: BedrockTarget) {
  const options = { endpoint, region, credentialProvider: credentials };
  const isElsewhere = process.env["AWS_BEDROCK_BASE_URL"] !== undefined;
  if (endpoint === "runtime" || !isOpenWeight(model) || isElsewhere) return bedrock(options);
  return bedrock({ ...options, baseURL: `https://bedrock-mantle.${region}.api.aws/v1` });
}

/** For people: what refused, and where. */
export const placeOf = ({ endpoint, region }: Pick<BedrockTarget, "endpoint" | "region">): string =>
  `Amazon Bedrock's ${endpoint} endpoint in ${region}`;
