import * as z from "zod";
import { pickupModes } from "./dispatch/pickup.ts";
import { RunnerError } from "./errors.ts";
import { generationModes } from "./inference/model.ts";

const milliseconds = z.coerce.number().int().positive();

/**
 * The environment variables of the functions: written by infra through `toEnvironment`, read back by wiring.ts through
 * `parse…`. Names that the public runner already has keep their names (studio-api.md, "Environment").
 */
const common = {
  RUNNER_POOL: z.string().min(1),
  RUNNER_API_BASE: z.url(),
  RUNNER_LEDGER_TABLE: z.string().min(1),
  RUNNER_KEY_SECRET: z.string().min(1),
  /** A run that lasts longer fails, saying so. */
  RUNNER_RUN_LIMIT_MS: milliseconds,
};

const dispatcherSchema = z.object({
  ...common,
  RUNNER_PICKUP: z.enum(pickupModes),
  RUNNER_CONCURRENCY: z.coerce.number().int().positive(),
  /** Leases that one runner key may hold at once; absent: no cap. */
  RUNNER_LEASES_PER_KEY: z.coerce.number().int().positive().optional(),
  RUNNER_PROCESSOR_FUNCTION: z.string().min(1),
  /** After this Lambda drops a leg's event. */
  RUNNER_MAX_EVENT_AGE_MS: milliseconds,
});

const processorSchema = z.object({
  ...common,
  OPENAI_KEY_SECRET: z.string().min(1),
  OPENAI_MODEL: z.string().min(1),
  OPENAI_SUMMARY_MODEL: z.string().min(1),
  OPENAI_BASE_URL: z.url().optional(),
  /** How a round is asked: see lib/inference/openai.ts. */
  OPENAI_MODE: z.enum(generationModes),
  /** "false" for zero-retention projects: the whole conversation is then sent in each round. */
  OPENAI_STORE: z.stringbool(),
});

const settlerSchema = z.object({
  ...common,
  RUNNER_PROCESSOR_FUNCTION: z.string().min(1),
});

export type SettlerConfig = Readonly<z.output<typeof settlerSchema>>;
export type DispatcherConfig = Readonly<z.output<typeof dispatcherSchema>>;
export type ProcessorConfig = Readonly<z.output<typeof processorSchema>>;

export type Environment = Readonly<Record<string, string | undefined>>;

/** @throws RunnerError `config_invalid` naming every wrong variable at once */
export const parseDispatcherConfig = (env: Environment): DispatcherConfig => parse(dispatcherSchema, env);

/** @throws RunnerError `config_invalid` naming every wrong variable at once */
export const parseProcessorConfig = (env: Environment): ProcessorConfig => parse(processorSchema, env);

/** @throws RunnerError `config_invalid` naming every wrong variable at once */
export const parseSettlerConfig = (env: Environment): SettlerConfig => parse(settlerSchema, env);

type Variables = Readonly<Record<string, string | number | boolean | undefined>>;

/** A config as a function's environment; undefined values are left out. */
export function toEnvironment(
  config: DispatcherConfig | ProcessorConfig | SettlerConfig,
): Record<string, string> {
  const variables: Variables = config;
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)]],
    ),
  );
}

function parse<T>(schema: z.ZodType<T>, env: Environment): T {
  const result = schema.safeParse(env);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new RunnerError("config_invalid", `the function's environment is wrong: ${problems.join("; ")}`);
}
