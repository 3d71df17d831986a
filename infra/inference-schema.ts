import * as z from "zod";
import {
  bedrockEndpoints,
  generationModes,
  hostedTools,
  reasoningEfforts,
  serviceTiers,
} from "../lib/core/options.ts";
import { kmsKeyArn } from "./company-schema.ts";
import { defaultModels, tableAsOf, tierFactors, webSearchUsd } from "./dated-table.ts";
import { baseUrl, choice, object, secretArn, text, whole } from "./schema-parts.ts";

const model = () => text("Give a model's name.", /^\S{1,100}$/);

const usd = (max: number, unit: string) => {
  const hint = `Give a number from 0 to ${max} (${unit}).`;
  return z.number({ error: hint }).min(0, { error: hint }).max(max, { error: hint });
};

const perMillionTokens = () => usd(10_000, "US dollars per million tokens");

export const priceSchema = object({
  inputPerMillionUsd: perMillionTokens().describe("US dollars per million input tokens."),
  cachedInputPerMillionUsd: perMillionTokens().describe(
    "US dollars per million input tokens that were read from the provider's cache.",
  ),
  cacheWritePerMillionUsd: perMillionTokens().optional().meta({
    description: "US dollars per million input tokens that the provider writes to its cache.",
    absent: "1.25 times the input price",
  }),
  outputPerMillionUsd: perMillionTokens().describe(
    "US dollars per million output tokens, including reasoning.",
  ),
});

const factor = () => usd(100, "a multiple of the prices");
export const tiersSchema = object({
  flex: factor().default(tierFactors.flex).describe("Factor on the prices in the service tier `flex`."),
  priority: factor()
    .default(tierFactors.priority)
    .describe("Factor on the prices in the service tier `priority`."),
});

/** Token prices, for cost estimates and the daily cap. */
export const spendSchema = object({
  prices: z
    .record(model(), priceSchema, { error: "Give an object of model names and prices." })
    .readonly()
    .prefault({})
    .meta({
      description: "Prices by model name, for models that the built-in table lacks or has other prices for.",
      absent: "the built-in table",
    }),
  pricesAsOf: z.iso
    .date({ error: "Give a day, like 2026-10-04." })
    .default(tableAsOf)
    .describe("The date of the prices, shown next to every estimate. `doctor` warns after 180 days."),
  tiers: tiersSchema.prefault({}),
  webSearchUsd: usd(10, "US dollars per search")
    .default(webSearchUsd)
    .describe("US dollars per search by the hosted tool `web_search`."),
});

const identityText = () => text("Give the text that the provider's page shows.", /^\S{1,200}$/);

/** The processor proves its AWS identity to the model's provider; no key is stored. */
export const workloadIdentitySchema = object({
  identityProviderId: identityText().describe("The id of the identity provider at OpenAI."),
  serviceAccountId: identityText().describe("The id of the service account whose access the processor gets."),
  audience: identityText()
    .default("https://api.openai.com/v1")
    .describe("The audience for which AWS signs the identity."),
  tokenUrl: baseUrl().optional().meta({
    description: "Where the identity is exchanged for a token.",
    absent: "OpenAI's address",
  }),
});

/** The model's provider: OpenAI or a server with its Responses API, or Amazon Bedrock, which needs no key. */
export const providers = ["openai", "bedrock"] as const;

/** Maximum number of characters. Instructions are sent with every round. */
export const longestInstructions = 20_000;
const instructionsHint = `Give a text of 1 to ${longestInstructions} characters.`;

export const inferenceSchema = object({
  provider: choice(providers)
    .default("openai")
    .describe(
      "`openai` is OpenAI or a server with its Responses API; `bedrock` is Amazon Bedrock, without a model key.",
    ),
  endpoint: choice(bedrockEndpoints).optional().meta({
    description: "Amazon Bedrock's endpoint. Only `mantle` can generate in the background.",
    absent: "`mantle`",
  }),
  region: text("Give an AWS region, like us-east-1.", /^[a-z]{2,8}(?:-[a-z0-9]+)+-\d+$/)
    .optional()
    .meta({ description: "Amazon Bedrock's region.", absent: "the stack's region" }),
  model: model().default(defaultModels.openai).describe("The model that does the jobs."),
  summaryModel: model().optional().meta({
    description: "The model that summarizes a workspace's earlier messages.",
    absent: "`model`",
  }),
  baseUrl: baseUrl().optional().meta({
    description: "The address of another server with a Responses API.",
    absent: "OpenAI's address",
  }),
  mode: choice(generationModes)
    .default("auto")
    .describe(
      "How rounds are requested. `background`: a broken stream is resumed, by a later invocation too. `streaming`: a broken stream is requested again. `auto`: `background` if the provider supports it and `store` is on.",
    ),
  reasoningEffort: choice(reasoningEfforts).optional().meta({
    description: "How hard the model thinks, if it supports the value. Less effort uses fewer tokens.",
    absent: "the model's own default",
  }),
  serviceTier: choice(serviceTiers).optional().meta({
    description:
      "`flex` is slower for half the price, `priority` faster for twice the price. While `flex` has no capacity, a job waits for up to two minutes in all, then uses `auto` (log line `tier_fallback`, metric `TierFallbacks`).",
    absent: "the default of the provider's project",
  }),
  hostedTools: z
    .array(choice(hostedTools), { error: 'Give a list, like ["web_search"].' })
    .readonly()
    .optional()
    .meta({
      description:
        "Tools that run at the provider, which bills them in addition to tokens: `web_search` costs 0.01 USD per search.",
      absent: "none",
    }),
  instructions: z
    .string({ error: instructionsHint })
    .trim()
    .min(1, { error: instructionsHint })
    .max(longestInstructions, { error: instructionsHint })
    .optional()
    .meta({
      description: "Your own instructions, added to the built-in ones and sent with every round.",
      absent: "none",
    }),
  instructionsFile: text("Give the path of a text file, from the project's folder.").optional().meta({
    description: "A text file with your own instructions, instead of `instructions`.",
    absent: "none",
  }),
  maxOutputTokens: whole(16, 1_000_000, " (tokens of one round)").optional().meta({
    description:
      "Maximum output tokens of one round, including reasoning. A round that reaches it fails the job.",
    absent: "the model's own limit",
  }),
  store: z
    .boolean({ error: "Give true or false." })
    .default(true)
    .describe(
      "Whether the provider keeps responses. `false`, for projects with zero data retention, sends the whole conversation in each round; a restarted attempt then starts over.",
    ),
  keySecretArn: secretArn().optional().meta({
    description: "An existing secret with the model key.",
    absent: "the stack creates an empty secret",
  }),
  keySecretKmsKeyArn: kmsKeyArn().optional().meta({
    description: "The KMS key of the secret in `keySecretArn`.",
    absent: "that of `encryption`",
  }),
  workloadIdentity: workloadIdentitySchema.optional(),
});
