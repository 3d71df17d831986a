/** The values that settings and the functions' variables can take. */

/** How often a pool asks Studio for work. */
export const pollingModes = ["economy", "balanced", "fast"] as const;
export type PollingMode = (typeof pollingModes)[number];

/**
 * The two addresses at which Amazon Bedrock serves the Responses API. Both store responses. mantle also generates in the
 * background, so that another invocation can resume a response; runtime answers while the caller waits.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/inference-responses-api.html
 */
export const bedrockEndpoints = ["mantle", "runtime"] as const;
export type BedrockEndpoint = (typeof bedrockEndpoints)[number];

/** mantle serves these at another path than the other models of OpenAI. */
export const isOpenWeight = (model: string): boolean => model.startsWith("openai.gpt-oss-");

/** The endpoint's name in messages. */
export const placeOf = (endpoint: BedrockEndpoint, region: string): string =>
  `Amazon Bedrock's ${endpoint} endpoint in ${region}`;

/**
 * How a round that is stored is requested; the others are always streamed.
 * - streaming: one connection per round; a response whose stream breaks is lost.
 * - background: the provider generates by itself; its events are followed, and resumed, also by a later attempt.
 * - auto: background until the provider refuses it, then streaming for as long as the model client lives.
 */
export const generationModes = ["auto", "background", "streaming"] as const;
export type GenerationMode = (typeof generationModes)[number];

/** How hard a reasoning model thinks. Each model accepts some of these. */
export const reasoningEfforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;
export type ReasoningEffort = (typeof reasoningEfforts)[number];

/** How fast and at what price the provider answers (OpenAI API reference, `service_tier`). */
export const serviceTiers = ["auto", "default", "flex", "priority"] as const;
export type ServiceTier = (typeof serviceTiers)[number];

/** Tools that run at the provider. */
export const hostedTools = ["web_search"] as const;
export type HostedTool = (typeof hostedTools)[number];
