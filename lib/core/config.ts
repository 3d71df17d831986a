import * as z from "zod";
import {
  generationModes,
  hostedTools,
  reasoningEfforts,
  serviceTiers,
  bedrockEndpoints,
  pollingModes,
} from "./options.ts";
import { RunnerError } from "./errors.ts";
import { parseJson, problemOf } from "./json.ts";

const milliseconds = z.coerce.number().int().positive();

/** The most characters of a job's text that can be logged. */
export const maxPreviewCharacters = 200;

const price = z.number().nonnegative();

/** JSON of a `PriceList`: the models that the pool uses; empty if their prices are unknown. */
const prices = z
  .string()
  .transform(parseJson)
  .pipe(
    z.strictObject({
      models: z.record(
        z.string(),
        z.strictObject({
          inputPerMillionUsd: price,
          cachedInputPerMillionUsd: price,
          cacheWritePerMillionUsd: price.optional(),
          outputPerMillionUsd: price,
        }),
      ),
      tiers: z.strictObject({ flex: price, priority: price }),
      webSearchUsd: price,
    }),
  );

/**
 * The environment variables of the functions: written by infra through `toEnvironment`, read back by functions/container.ts through
 * `parse…`. Variables that Studio's public runner has too have the same names.
 */
const base = {
  RUNNER_POOL: z.string().min(1),
  RUNNER_API_BASE: z.url(),
  RUNNER_RUN_STORE_TABLE: z.string().min(1),
  RUNNER_KEY_SECRET: z.string().min(1),
};

const common = {
  ...base,
  /** A run that lasts longer fails with a reason that says so. */
  RUNNER_RUN_LIMIT_MS: milliseconds,
};

const dispatcherSchema = z.object({
  ...common,
  RUNNER_POLLING: z.enum(pollingModes),
  RUNNER_CONCURRENCY: z.coerce.number().int().positive(),
  /** Leases that one runner key may hold at once; absent: no cap. */
  RUNNER_LEASES_PER_KEY: z.coerce.number().int().positive().optional(),
  /** Estimated spending in a UTC day at which leasing stops; absent: no cap. */
  RUNNER_DAILY_CAP_USD: z.coerce.number().positive().optional(),
  RUNNER_PROCESSOR_FUNCTION: z.string().min(1),
  /** The age at which Lambda drops an attempt's event. */
  RUNNER_MAX_EVENT_AGE_MS: milliseconds,
});

const processorSchema = z
  .object({
    ...common,
    /** Set for Amazon Bedrock, whose requests the role signs. The next five are absent then. */
    BEDROCK_ENDPOINT: z.enum(bedrockEndpoints).optional(),
    /** Absent: the function's own region. */
    BEDROCK_REGION: z.string().min(1).optional(),
    /** Absent: the role's own identity takes the place of a key, as the next four configure. */
    OPENAI_KEY_SECRET: z.string().min(1).optional(),
    OPENAI_IDENTITY_PROVIDER: z.string().min(1).optional(),
    OPENAI_SERVICE_ACCOUNT: z.string().min(1).optional(),
    OPENAI_IDENTITY_AUDIENCE: z.string().min(1).optional(),
    /** Where identities are exchanged for tokens; absent: OpenAI's own. */
    OPENAI_TOKEN_URL: z.url().optional(),
    OPENAI_MODEL: z.string().min(1),
    OPENAI_SUMMARY_MODEL: z.string().min(1),
    OPENAI_BASE_URL: z.url().optional(),
    /** How a round is requested: see lib/model/openai.ts. */
    OPENAI_MODE: z.enum(generationModes),
    OPENAI_SERVICE_TIER: z.enum(serviceTiers).optional(),
    OPENAI_REASONING_EFFORT: z.enum(reasoningEfforts).optional(),
    OPENAI_MAX_OUTPUT_TOKENS: z.coerce.number().int().positive().optional(),
    OPENAI_PROMPT_CACHE_KEY: z.string().min(1).max(64).optional(),
    /** JSON: tools that run at the provider. */
    OPENAI_HOSTED_TOOLS: z
      .string()
      .transform(parseJson)
      .pipe(z.array(z.enum(hostedTools)).readonly())
      .optional(),
    /** See lib/model/prices.ts. */
    RUNNER_PRICES: prices,
    /** The owner's instructions, in a file beside the code; absent: none. */
    RUNNER_INSTRUCTIONS_FILE: z.string().min(1).optional(),
    /** "false" for zero-retention projects: the whole conversation is then sent in each round. */
    OPENAI_STORE: z.stringbool(),
    /** How many characters of a job's newest message are logged; absent: none. */
    RUNNER_PREVIEW_CHARACTERS: z.coerce.number().int().positive().max(maxPreviewCharacters).optional(),
  })
  .refine(
    (config) =>
      config.BEDROCK_ENDPOINT !== undefined ||
      config.OPENAI_KEY_SECRET !== undefined ||
      (config.OPENAI_IDENTITY_PROVIDER && config.OPENAI_SERVICE_ACCOUNT && config.OPENAI_IDENTITY_AUDIENCE),
    { path: ["OPENAI_KEY_SECRET"], error: "is missing, and no workload identity is configured" },
  );

const recoverySchema = z.object({
  ...common,
  RUNNER_PROCESSOR_FUNCTION: z.string().min(1),
});

const rotatorSchema = z.object({
  ...base,
  RUNNER_KIND: z.enum(["user", "global"]),
  RUNNER_ACCOUNT_SECRET: z.string().min(1),
  RUNNER_SIGN_IN_URL: z.url(),
  /** A key is revoked after being unused for this long. */
  RUNNER_REVOKE_AFTER_MS: milliseconds,
});

export type RotatorConfig = Readonly<z.output<typeof rotatorSchema>>;
export type RecoveryConfig = Readonly<z.output<typeof recoverySchema>>;
export type DispatcherConfig = Readonly<z.output<typeof dispatcherSchema>>;
export type ProcessorConfig = Readonly<z.output<typeof processorSchema>>;

export type Environment = Readonly<Record<string, string | undefined>>;

/** @throws RunnerError `config_invalid` naming every wrong variable at once */
export const parseDispatcherConfig = (env: Environment): DispatcherConfig => parse(dispatcherSchema, env);

/** @throws RunnerError `config_invalid` naming every wrong variable at once */
export const parseProcessorConfig = (env: Environment): ProcessorConfig => parse(processorSchema, env);

/** @throws RunnerError `config_invalid` naming every wrong variable at once */
export const parseRecoveryConfig = (env: Environment): RecoveryConfig => parse(recoverySchema, env);

/** @throws RunnerError `config_invalid` naming every wrong variable at once */
export const parseRotatorConfig = (env: Environment): RotatorConfig => parse(rotatorSchema, env);

type Variables = Readonly<Record<string, string | number | boolean | object | undefined>>;

/** A config as a function's environment; undefined values are left out, objects become JSON. */
export function toEnvironment(
  config: DispatcherConfig | ProcessorConfig | RecoveryConfig | RotatorConfig,
): Record<string, string> {
  const variables: Variables = config;
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === "object" ? JSON.stringify(value) : String(value)]],
    ),
  );
}

function parse<T>(schema: z.ZodType<T>, env: Environment): T {
  const result = schema.safeParse(env);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => problemOf(issue, "environment"));
  throw new RunnerError("config_invalid", `the function's environment is wrong: ${problems.join("; ")}`);
}
