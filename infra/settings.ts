import * as z from "zod";
import { RunnerError } from "../lib/core/errors.ts";
import type { BedrockEndpoint } from "../lib/core/options.ts";
import { priceOf, type PriceList } from "../lib/model/prices.ts";
import { modelPrices } from "./dated-table.ts";
import { describeIssues, findSecrets, formatPath, line, type Problem } from "./problems.ts";
import { brokenCompanyRelations } from "./company-relations.ts";
import { encryptionSchema, iamSchema, networkSchema, thresholdsSchema } from "./company-schema.ts";
import { brokenPlaces } from "./place-relations.ts";
import { brokenProviderRelations } from "./provider-relations.ts";
import {
  brokenInferenceRelations,
  brokenInstructions,
  brokenNames,
  brokenPoolRelations,
  brokenSpendRelations,
  brokenTimingRelations,
} from "./relations.ts";
import {
  inferenceSchema,
  priceSchema,
  spendSchema,
  tiersSchema,
  workloadIdentitySchema,
} from "./inference-schema.ts";
import { dispatcherSchema, poolSchema, processorSchema, rotationSchema } from "./pool-schema.ts";
import { monitoringSchema, settingsSchema, studioSchema, updatesSchema } from "./settings-schema.ts";

/** The settings' key in cdk.json's context. */
export const settingsKey = "studio-runner";

/** Settings as written by a user. Everything but a pool's name and kind has a default. */
export type SettingsInput = Readonly<z.input<typeof settingsSchema>>;
type Parsed = z.output<typeof settingsSchema>;
export type PoolSettings = Readonly<z.output<typeof poolSchema>>;
export type InferenceSettings = Readonly<Parsed["inference"] & { summaryModel: string }>;
export type Settings = Readonly<Omit<Parsed, "inference"> & { inference: InferenceSettings }>;

/**
 * The known names at each place of the settings, for suggestions. `[]` stands for an item of a list, `.*` for
 * any name.
 */
const knownNames: Readonly<Record<string, readonly string[]>> = {
  "": Object.keys(settingsSchema.shape),
  studio: Object.keys(studioSchema.shape),
  inference: Object.keys(inferenceSchema.shape),
  "inference.workloadIdentity": Object.keys(workloadIdentitySchema.shape),
  monitoring: Object.keys(monitoringSchema.shape),
  "monitoring.thresholds": Object.keys(thresholdsSchema.shape),
  encryption: Object.keys(encryptionSchema.shape),
  network: Object.keys(networkSchema.shape),
  iam: Object.keys(iamSchema.shape),
  updates: Object.keys(updatesSchema.shape),
  spend: Object.keys(spendSchema.shape),
  "spend.tiers": Object.keys(tiersSchema.shape),
  "spend.prices.*": Object.keys(priceSchema.shape),
  "pools[]": Object.keys(poolSchema.shape),
  "pools[].processor": Object.keys(processorSchema.shape),
  "pools[].dispatcher": Object.keys(dispatcherSchema.shape),
  "pools[].rotation": Object.keys(rotationSchema.shape),
};

/**
 * Checks the settings against each other and against the project's constants, and adds the defaults.
 * @param stackRegion where the stack will be, if that is known
 * @throws RunnerError `config_invalid` with every problem at once: its path, what was given and what to do
 */
export function parseSettings(input: unknown, stackRegion?: string): Settings {
  const result = settingsSchema.safeParse(input);
  const secrets = findSecrets(input);
  const secretPaths = new Set(secrets.map(({ path }) => path));
  const issues = describeIssues(result.error?.issues ?? [], { input, knownNames });
  const others = issues.filter(({ path }) => !secretPaths.has(path));
  const problems = [...secrets, ...others, ...findBroken(input), ...brokenPlaces(input, stackRegion)];
  if (result.success && problems.length === 0) return resolve(result.data);
  throw invalidSettings(problems);
}

export function invalidSettings(problems: readonly Problem[]): RunnerError {
  const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
  return new RunnerError(
    "config_invalid",
    `the settings "${settingsKey}" have ${count}:\n${problems.map(line).join("\n")}`,
  );
}

/** Adds defaults that depend on another setting or on a built-in list. */
function resolve(parsed: Parsed): Settings {
  const { inference, spend } = parsed;
  // In this order whether they were given or not, so that the stack's output is the same text.
  const { endpoint = "mantle", summaryModel = inference.model, ...others } = inference;
  return {
    ...parsed,
    inference: { ...others, summaryModel, ...(others.provider === "bedrock" ? { endpoint } : {}) },
    spend: { ...spend, prices: { ...modelPrices, ...spend.prices } },
  };
}

/** Where Bedrock is called; `undefined`: another provider is used. */
export function bedrockOf({ inference }: Settings): Bedrock | undefined {
  const { provider, endpoint, region } = inference;
  return provider === "bedrock" && endpoint !== undefined ? { endpoint, region } : undefined;
}

export interface Bedrock {
  readonly endpoint: BedrockEndpoint;
  /** Absent: the stack's region. */
  readonly region: string | undefined;
}

/** Whether the processor uses a stored model key. */
export const storesModelKey = ({ inference }: Settings): boolean =>
  inference.provider === "openai" && inference.workloadIdentity === undefined;

/** The price list, with the models that the runner uses. */
export function priceListFor({ inference, spend }: Settings): PriceList {
  const { prices, tiers, webSearchUsd } = spend;
  const known = [inference.model, inference.summaryModel].flatMap((name) => {
    const price = priceOf(prices, name);
    return price === undefined ? [] : [[name, price] as const];
  });
  return { models: Object.fromEntries(known), tiers, webSearchUsd };
}

/** Contains only the fields that relations need, so that they are checked even if other fields are wrong. */
const relatedSchema = z.object({ pools: z.array(z.unknown()) });
const storingSchema = z.object({ inference: inferenceSchema.pick({ mode: true, store: true }).loose() });
const spendingSchema = z.object({
  inference: inferenceSchema.pick({ model: true, summaryModel: true }).loose().prefault({}),
  spend: spendSchema.loose().prefault({}),
});
const credentialSchema = z.object({
  inference: z.looseObject({ keySecretArn: z.unknown(), workloadIdentity: z.unknown() }),
});
const providerSchema = z.object({
  inference: inferenceSchema
    .pick({ provider: true, endpoint: true, mode: true, model: true, summaryModel: true })
    .loose(),
  endpoints: z.looseObject({ fips: z.unknown() }).optional().catch(undefined),
});
const instructedSchema = z.object({
  inference: z.looseObject({ instructions: z.unknown(), instructionsFile: z.unknown() }),
});
const cappedSchema = z.object({ dailyCapUsd: z.number() });
const namedSchema = z.object({ name: z.string() });
const timesSchema = z.object({
  polling: poolSchema.shape.polling,
  runLimitMinutes: poolSchema.shape.runLimitMinutes,
  dispatcher: z.object({ timeoutSeconds: dispatcherSchema.shape.timeoutSeconds }).prefault({}),
  processor: z.object({ timeoutSeconds: processorSchema.shape.timeoutSeconds }).prefault({}),
});

function findBroken(input: unknown): readonly Problem[] {
  const related = relatedSchema.safeParse(input);
  const pools = related.success ? related.data.pools : [];
  const storing = storingSchema.safeParse(input);
  const spending = spendingSchema.safeParse(input);
  const credentials = credentialSchema.safeParse(input);
  const provider = providerSchema.safeParse(input);
  const instructed = instructedSchema.safeParse(input);
  const names = pools.map((pool) => namedSchema.safeParse(pool).data?.name);
  const caps = pools.map((pool) => cappedSchema.safeParse(pool).data?.dailyCapUsd);
  return [
    ...(storing.success ? brokenInferenceRelations(storing.data.inference) : []),
    ...(spending.success ? brokenSpendRelations(spending.data, caps) : []),
    ...(credentials.success ? brokenCredentials(credentials.data.inference) : []),
    ...(provider.success
      ? brokenProviderRelations(provider.data.inference, provider.data.endpoints?.fips === true)
      : []),
    ...(instructed.success ? brokenInstructions(instructed.data.inference) : []),
    ...brokenNames(names),
    ...brokenCompanyRelations(input),
    ...pools.flatMap((pool, index) => findBrokenInPool(pool, formatPath(["pools", index]))),
    ...brokenTimingRelations(),
  ];
}

/** Reports a key and an identity at once, because it is unclear which should apply. */
function brokenCredentials(given: {
  readonly keySecretArn?: unknown;
  readonly workloadIdentity?: unknown;
}): readonly Problem[] {
  if (given.keySecretArn === undefined || given.workloadIdentity === undefined) return [];
  const sentence = "replaces a stored key, but inference.keySecretArn names one. Leave one of them out.";
  return [{ path: "inference.workloadIdentity", sentence }];
}

function findBrokenInPool(pool: unknown, path: string): readonly Problem[] {
  const times = timesSchema.safeParse(pool);
  if (!times.success) return [];
  const { polling, runLimitMinutes, dispatcher, processor } = times.data;
  const broken = brokenPoolRelations({
    polling,
    runLimitMinutes,
    dispatcherTimeoutSeconds: dispatcher.timeoutSeconds,
    processorTimeoutSeconds: processor.timeoutSeconds,
  });
  return broken.map((problem) => ({ ...problem, path: `${path}.${problem.path}` }));
}
