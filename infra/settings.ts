import * as z from "zod";
import { RunnerError } from "../lib/errors.ts";
import { describeIssues, findSecrets, formatPath, line, type Problem } from "./problems.ts";
import {
  brokenInferenceRelations,
  brokenNames,
  brokenPoolRelations,
  brokenTimingRelations,
} from "./relations.ts";
import {
  dispatcherSchema,
  inferenceSchema,
  poolSchema,
  processorSchema,
  settingsSchema,
  studioSchema,
} from "./settings-schema.ts";

/** The key in cdk.json's context. */
export const settingsKey = "studio-runner";

/** What may be written down; everything but a pool's name and kind has a default. */
export type SettingsInput = Readonly<z.input<typeof settingsSchema>>;
type Parsed = z.output<typeof settingsSchema>;
export type PoolSettings = Readonly<z.output<typeof poolSchema>>;
export type InferenceSettings = Readonly<Parsed["inference"] & { summaryModel: string }>;
export type Settings = Readonly<Omit<Parsed, "inference"> & { inference: InferenceSettings }>;

/** The known names at each place of the settings, for suggestions. `[]` stands for a list's item. */
const knownNames: Readonly<Record<string, readonly string[]>> = {
  "": Object.keys(settingsSchema.shape),
  studio: Object.keys(studioSchema.shape),
  inference: Object.keys(inferenceSchema.shape),
  "pools[]": Object.keys(poolSchema.shape),
  "pools[].processor": Object.keys(processorSchema.shape),
  "pools[].dispatcher": Object.keys(dispatcherSchema.shape),
};

/**
 * The settings with their defaults, checked against each other and against our own times.
 * @throws RunnerError `config_invalid` with every problem at once: its path, what was given and what to do
 */
export function parseSettings(input: unknown): Settings {
  const result = settingsSchema.safeParse(input);
  const secrets = findSecrets(input);
  const secretPaths = new Set(secrets.map(({ path }) => path));
  const issues = describeIssues(result.error?.issues ?? [], { input, knownNames });
  const others = issues.filter(({ path }) => !secretPaths.has(path));
  const problems = [...secrets, ...others, ...findBroken(input)];
  if (result.success && problems.length === 0) return withSummaryModel(result.data);
  const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
  throw new RunnerError(
    "config_invalid",
    `the settings "${settingsKey}" have ${count}:\n${problems.map(line).join("\n")}`,
  );
}

function withSummaryModel(parsed: Parsed): Settings {
  const { inference: given } = parsed;
  return { ...parsed, inference: { ...given, summaryModel: given.summaryModel ?? given.model } };
}

/** Only what relations look at, so that they are judged also while something else is wrong. */
const relatedSchema = z.object({ pools: z.array(z.unknown()) });
const storingSchema = z.object({ inference: inferenceSchema.pick({ mode: true, store: true }).loose() });
const namedSchema = z.object({ name: z.string() });
const timesSchema = z.object({
  pickup: poolSchema.shape.pickup,
  runLimitMinutes: poolSchema.shape.runLimitMinutes,
  dispatcher: z.object({ timeoutSeconds: dispatcherSchema.shape.timeoutSeconds }).prefault({}),
  processor: z.object({ timeoutSeconds: processorSchema.shape.timeoutSeconds }).prefault({}),
});

function findBroken(input: unknown): readonly Problem[] {
  const related = relatedSchema.safeParse(input);
  const pools = related.success ? related.data.pools : [];
  const storing = storingSchema.safeParse(input);
  const names = pools.map((pool) => namedSchema.safeParse(pool).data?.name);
  return [
    ...(storing.success ? brokenInferenceRelations(storing.data.inference) : []),
    ...brokenNames(names),
    ...pools.flatMap((pool, index) => findBrokenInPool(pool, formatPath(["pools", index]))),
    ...brokenTimingRelations(),
  ];
}

function findBrokenInPool(pool: unknown, path: string): readonly Problem[] {
  const times = timesSchema.safeParse(pool);
  if (!times.success) return [];
  const { pickup, runLimitMinutes, dispatcher, processor } = times.data;
  const broken = brokenPoolRelations({
    pickup,
    runLimitMinutes,
    dispatcherTimeoutSeconds: dispatcher.timeoutSeconds,
    processorTimeoutSeconds: processor.timeoutSeconds,
  });
  return broken.map((problem) => ({ ...problem, path: `${path}.${problem.path}` }));
}
