/**
 * The two addresses at which Amazon Bedrock speaks the Responses API. Both store responses. mantle also generates in the
 * background, so that another invocation can take a response up; runtime answers while one waits.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/inference-responses-api.html
 */
export const bedrockEndpoints = ["mantle", "runtime"] as const;
export type BedrockEndpoint = (typeof bedrockEndpoints)[number];

/** mantle serves these at another path than the other models of OpenAI. */
export const isOpenWeight = (model: string): boolean => model.startsWith("openai.gpt-oss-");

/** For people: what refused, and where. */
export const placeOf = (endpoint: BedrockEndpoint, region: string): string =>
  `Amazon Bedrock's ${endpoint} endpoint in ${region}`;
