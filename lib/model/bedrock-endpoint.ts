import type { BedrockEndpoint } from "../core/options.ts";

/** mantle serves these at another path than the other models of OpenAI. */
export const isOpenWeight = (model: string): boolean => model.startsWith("openai.gpt-oss-");

/** For people: what refused, and where. */
export const placeOf = (endpoint: BedrockEndpoint, region: string): string =>
  `Amazon Bedrock's ${endpoint} endpoint in ${region}`;
