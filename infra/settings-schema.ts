import { RetentionDays } from "aws-cdk-lib/aws-logs";
import * as z from "zod";
import { maxPreviewCharacters } from "../lib/core/config.ts";
import {
  generationModes,
  hostedTools,
  reasoningEfforts,
  serviceTiers,
  bedrockEndpoints,
  pollingModes,
} from "../lib/core/options.ts";
import { defaultPricesAsOf, defaultTiers, defaultWebSearchUsd } from "../lib/model/prices.ts";
import { firebaseTokenUrl } from "../lib/rotation/sign-in.ts";
import { timing } from "../lib/core/timing.ts";
import {
  concurrency,
  defaultConcurrency,
  defaultFailurePercent,
  logClasses,
  encryptionSchema,
  iamSchema,
  kmsKeyArn,
  namePrefix,
  networkSchema,
  thresholdsSchema,
  topicArn,
} from "./company-schema.ts";
import { bounds } from "./relations.ts";
import {
  baseUrl,
  choice,
  isSafelyReached,
  object,
  secretArn,
  tableArn,
  text,
  whole,
} from "./schema-parts.ts";

const model = () => text("Give a model's name.", /^\S{1,100}$/);

const usd = (max: number, unit: string) => {
  const hint = `Give a number from 0 to ${max} (${unit}).`;
  return z.number({ error: hint }).min(0, { error: hint }).max(max, { error: hint });
};

const perMillionTokens = () => usd(10_000, "US dollars per million tokens");

export const priceSchema = object({
  inputPerMillionUsd: perMillionTokens(),
  cachedInputPerMillionUsd: perMillionTokens(),
  /** Price of input that the provider writes to its cache. Absent: 1.25 times the price of input. */
  cacheWritePerMillionUsd: perMillionTokens().optional(),
  outputPerMillionUsd: perMillionTokens(),
});

const factor = () => usd(100, "a multiple of the prices");
export const tiersSchema = object({
  flex: factor().default(defaultTiers.flex),
  priority: factor().default(defaultTiers.priority),
});

/** Token prices, for cost estimates and the daily cap. */
export const spendSchema = object({
  /** By model; override the built-in list (lib/model/prices.ts). */
  prices: z
    .record(model(), priceSchema, { error: "Give an object of model names and prices." })
    .readonly()
    .prefault({}),
  /** The date of the prices, shown beside every estimate. */
  pricesAsOf: z.iso.date({ error: "Give a day, like 2026-10-04." }).default(defaultPricesAsOf),
  /** Price multipliers for the provider's service tiers. */
  tiers: tiersSchema.prefault({}),
  /** The price of one search by the hosted tool web_search. */
  webSearchUsd: usd(10, "US dollars per search").default(defaultWebSearchUsd),
});

const memoryMb = () => whole(128, 10_240, " (MB)");

/** CloudWatch Logs accepts these numbers of days only. */
const logRetention = () => {
  const days = Object.values(RetentionDays).filter((value) => typeof value === "number");
  const hint = `Give one of: ${days.filter((value) => value !== RetentionDays.INFINITE).join(", ")} (days).`;
  return z
    .enum(RetentionDays, { error: hint })
    .refine((value) => value !== RetentionDays.INFINITE, { error: hint });
};

export const studioSchema = object({
  baseUrl: baseUrl().default("https://cloud.xenonflare.com"),
  /** Where the rotator signs in (Firebase). */
  signInUrl: baseUrl().default(firebaseTokenUrl),
});

const identityText = () => text("Give the text that the provider's page shows.", /^\S{1,200}$/);

/** The processor proves its AWS identity to the model's provider; no key is stored. */
export const workloadIdentitySchema = object({
  identityProviderId: identityText(),
  serviceAccountId: identityText(),
  audience: identityText().default("https://api.openai.com/v1"),
  /** Where the identity is exchanged for a token. Absent: OpenAI. */
  tokenUrl: baseUrl().optional(),
});

/** A function that mints and revokes runner keys with the account of a Studio user. */
export const rotationSchema = object({
  /** Days between rotations. Absent: rotates only on request. */
  everyDays: whole(1, 1000, " (days)").optional(),
  /** ARN of the secret { "refreshToken", "apiKey" }. Absent: the stack creates an empty one. */
  accountKeySecretArn: secretArn().optional(),
  /** The KMS key of that secret. Absent: that of `encryption`. */
  accountKeySecretKmsKeyArn: kmsKeyArn().optional(),
});

/** The model's provider: OpenAI or a server with its Responses API, or Amazon Bedrock, which needs no key. */
export const providers = ["openai", "bedrock"] as const;

/** Maximum number of characters. Instructions are sent with every round. */
export const longestInstructions = 20_000;
const instructionsHint = `Give a text of 1 to ${longestInstructions} characters.`;

export const inferenceSchema = object({
  provider: choice(providers).default("openai"),
  /** Bedrock's endpoint. Absent: mantle, which supports background mode. */
  endpoint: choice(bedrockEndpoints).optional(),
  /** Bedrock's region. Absent: the stack's. */
  region: text("Give an AWS region, like us-east-1.", /^[a-z]{2,8}(?:-[a-z0-9]+)+-\d+$/).optional(),
  model: model().default("gpt-6-luna"),
  /** The model for summaries of earlier messages. Absent: `model`. */
  summaryModel: model().optional(),
  /** Absent: the default of the OpenAI SDK. */
  baseUrl: baseUrl().optional(),
  /** How responses are requested: see generationModes. */
  mode: choice(generationModes).default("auto"),
  /** For the rounds of jobs. Absent: the model's default. */
  reasoningEffort: choice(reasoningEfforts).optional(),
  /** The provider's speed and price; `flex` costs half. Absent: the default of the provider's project. */
  serviceTier: choice(serviceTiers).optional(),
  /** Tools that run at the provider, which bills them in addition to tokens. */
  hostedTools: z
    .array(choice(hostedTools), { error: 'Give a list, like ["web_search"].' })
    .readonly()
    .optional(),
  /** Instructions that are added to the built-in ones: a text, or a file. */
  instructions: z
    .string({ error: instructionsHint })
    .trim()
    .min(1, { error: instructionsHint })
    .max(longestInstructions, { error: instructionsHint })
    .optional(),
  instructionsFile: text("Give the path of a text file, from the project's folder.").optional(),
  /** Maximum output of one round, including reasoning; the API's minimum is 16. Absent: the model's limit. */
  maxOutputTokens: whole(16, 1_000_000, " (tokens of one round)").optional(),
  /** Give `false` for projects with zero data retention. A restarted attempt then starts over. */
  store: z.boolean({ error: "Give true or false." }).default(true),
  /** Absent: the stack creates an empty secret. */
  keySecretArn: secretArn().optional(),
  /** The KMS key of that secret. Absent: that of `encryption`. */
  keySecretKmsKeyArn: kmsKeyArn().optional(),
  /** Used instead of a key. */
  workloadIdentity: workloadIdentitySchema.optional(),
});

export const processorSchema = object({
  memoryMb: memoryMb().default(256),
  timeoutSeconds: whole(1, bounds.maxTimeoutSeconds, " (seconds; Lambda allows no more)").default(900),
  /** Invocations that Lambda keeps free for this function, and allows it at most. Absent: none. */
  reservedConcurrency: whole(1, 1000, " (invocations at once)").optional(),
});

export const dispatcherSchema = object({
  memoryMb: memoryMb().default(150),
  timeoutSeconds: whole(1, bounds.maxTimeoutSeconds, " (seconds)").default(75),
});

/** Limits of a daily cap, also for `set-cap` and `npm start`. */
export const capLimitsUsd = { min: 0.01, max: 1_000_000 } as const;
const capHint = `Give a number from ${capLimitsUsd.min} to ${capLimitsUsd.max} (US dollars per day).`;

export const poolSchema = object({
  name: text(
    "Give a name of 1 to 20 lower-case letters, digits and hyphens, like europe-2.",
    /^(?=.{1,20}$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/,
  ),
  kind: choice(["user", "global"]),
  polling: choice(pollingModes).default("balanced"),
  concurrency: concurrency().default(defaultConcurrency),
  /** The maximum number of simultaneous leases per runner key. Absent: no limit. */
  leasesPerKey: whole(1, 1000, " (leases per runner key)").optional(),
  /**
   * Estimated spending per UTC day. When it is reached, no more jobs are leased; running ones continue.
   * Absent: no cap.
   */
  dailyCapUsd: z
    .number({ error: capHint })
    .min(capLimitsUsd.min, { error: capHint })
    .max(capLimitsUsd.max, { error: capHint })
    .optional(),
  /** A run that takes longer fails with a reason that says so. */
  runLimitMinutes: whole(1, 720, " (minutes)").default(timing.runLimitMs / 60_000),
  /** Absent: the stack creates an empty secret. */
  keySecretArn: secretArn().optional(),
  /** The KMS key of that secret. Absent: that of `encryption`. */
  keySecretKmsKeyArn: kmsKeyArn().optional(),
  /** Absent: no rotator is created. */
  rotation: rotationSchema.optional(),
  processor: processorSchema.prefault({}),
  dispatcher: dispatcherSchema.prefault({}),
});

/** What each level creates and costs: infra/monitoring/levels.ts. */
export const monitoringLevels = ["full", "lean", "off"] as const;

export const monitoringSchema = object({
  level: choice(monitoringLevels).default("full"),
  /** Receives every alarm, once its owner has confirmed the subscription. */
  email: text("Give an e-mail address.", /^[^\s@]+@[^\s@]+\.[^\s@]+$/).optional(),
  /** The percentage of failed runs that raises an alarm. */
  failurePercent: whole(1, 100, " (percent of the runs that ended)").default(defaultFailurePercent),
  /** An existing topic that receives every alarm. Absent: the stack creates one. */
  topicArn: topicArn().optional(),
  thresholds: thresholdsSchema.prefault({}),
  tracing: choice(["off", "xray"]).default("off"),
  /** The number of characters of a job's newest message that are logged. 0: none. */
  previewCharacters: whole(
    0,
    maxPreviewCharacters,
    " (characters of a job's newest message in the log)",
  ).default(0),
});

/** The AWS endpoints that every function uses. */
export const endpointsSchema = object({
  /** Endpoints with validated cryptography (FIPS 140-3). AWS has them in the USA, Canada and GovCloud. */
  fips: z.boolean({ error: "Give true or false." }).default(false),
  /** Endpoints that also answer over IPv6. */
  dualStack: z.boolean({ error: "Give true or false." }).default(false),
});

const feedHint = "Give an https:// address (http:// only for this machine).";

/** Allows a query, but no user name or password. */
export function isFeedUrl(value: string): boolean {
  const url = URL.parse(value);
  if (url === null || /\s/.test(value) || url.username !== "" || url.password !== "") return false;
  return isSafelyReached(url);
}

export const updatesSchema = object({
  /** Where `runner check-update` looks for releases. */
  feedUrl: z.string({ error: feedHint }).refine(isFeedUrl, { error: feedHint }),
});

/** What every AWS service takes. */
const tagCharacters = "letters, digits, spaces and _ . : / = + - @";
const tagName = /^(?!aws:)(?=\S.{0,127}$)[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/iu;
const tagText = text(
  `Give a text of 1 to 256 ${tagCharacters}.`,
  /^(?=.{1,256}$)(?=\S)[\p{L}\p{Z}\p{N}_.:/=+\-@]*(?<=\S)$/u,
);
const tags = z
  .record(z.string(), tagText, { error: "Give an object of tag names and texts." })
  .check(({ value, issues }) => {
    const wrong = Object.keys(value).filter((name) => !tagName.test(name));
    const message = `Give tags names of 1 to 128 ${tagCharacters} that do not begin with aws:.`;
    issues.push(...wrong.map((name) => ({ code: "custom" as const, path: [name], input: value, message })));
  })
  .refine((given) => Object.keys(given).length <= 50, {
    error: "Give at most 50 tags; a resource holds no more.",
  });

export const stackNameSchema = text(
  "Give a CloudFormation stack name: letters, digits and hyphens, a letter first.",
  /^[A-Za-z][A-Za-z0-9-]{0,127}$/,
);

export const settingsSchema = object({
  stackName: stackNameSchema.default("StudioRunner"),
  studio: studioSchema.prefault({}),
  inference: inferenceSchema.prefault({}),
  spend: spendSchema.prefault({}),
  pools: z
    .array(poolSchema, { error: "Give a list of pools." })
    .min(1, { error: "Give at least one pool." })
    // CloudFormation allows 500 resources and 200 outputs per stack; a pool has 21 to 59, and 15 to 18.
    .max(10, { error: "Give at most 10 pools; a stack holds no more. Put the others into a second stack." })
    .readonly()
    .prefault([{ name: "default", kind: "user" }]),
  /** An existing table to use: keys `pool` and `id` (S), TTL `expiresAtSeconds`, index `open`. */
  runStoreTableArn: tableArn().optional(),
  encryption: encryptionSchema.prefault({}),
  network: networkSchema.optional(),
  iam: iamSchema.prefault({}),
  /** What the name of every resource begins with. Absent: CloudFormation makes the names. */
  namePrefix: namePrefix().optional(),
  endpoints: endpointsSchema.prefault({}),
  logRetentionDays: logRetention().default(RetentionDays.ONE_MONTH),
  /** `infrequent-access` costs half, has no metrics, and cannot be read by this project's commands. */
  logClass: choice(logClasses).default("standard"),
  logLevel: choice(["trace", "debug", "info", "warn", "error", "fatal"]).default("info"),
  /** What happens to the run store when the stack is deleted. */
  removalPolicy: choice(["destroy", "retain"]).default("retain"),
  monitoring: monitoringSchema.prefault({}),
  updates: updatesSchema.optional(),
  tags: tags.prefault({}),
});
