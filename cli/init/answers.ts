import * as z from "zod";
import { defaultModels } from "../../infra/dated-table.ts";
import { bedrockOf, parseSettings, type PoolSettings, type Settings } from "../../infra/settings.ts";

/** The values that `init` asks for. */
export interface Answers {
  readonly stackName: string;
  readonly pools: readonly PoolAnswers[];
  readonly provider: Provider;
  readonly model: string;
  readonly email: string | undefined;
  readonly level: Settings["monitoring"]["level"];
}

/** The model's provider. Amazon Bedrock is named by its endpoint. */
export const providerAnswers = ["openai", "mantle", "runtime"] as const;
export type Provider = (typeof providerAnswers)[number];

/** The default model when the provider changes. Each provider has another name for the same model. */
export const modelOf: Readonly<Record<Provider, string>> = defaultModels;

export interface PoolAnswers extends Pick<PoolSettings, "name" | "kind" | "polling" | "concurrency"> {
  readonly dailyCapUsd: number | undefined;
}

/** The settings in cdk.json that `init` changes. It keeps all others. */
export const writtenSchema = z.looseObject({
  pools: z.array(z.looseObject({ name: z.string() })).optional(),
  inference: z.looseObject({}).optional(),
  monitoring: z.looseObject({}).optional(),
});
export type Written = z.output<typeof writtenSchema>;

/** The answers that match the present settings. */
export function answersOf(settings: Settings): Answers {
  const { stackName, pools, inference, monitoring } = settings;
  return {
    stackName,
    provider: bedrockOf(settings)?.endpoint ?? "openai",
    pools: pools.map(poolAnswersOf),
    model: inference.model,
    email: monitoring.email,
    level: monitoring.level,
  };
}

export function poolAnswersOf({ name, kind, polling, concurrency, dailyCapUsd }: PoolSettings): PoolAnswers {
  return { name, kind, polling, concurrency, dailyCapUsd };
}

/** A pool that does not exist yet, with the default settings. */
export function newPool(name: string, kind: PoolSettings["kind"]): PoolAnswers {
  const [pool] = parseSettings({ pools: [{ name: "new", kind }] }).pools;
  if (!pool) throw new TypeError("settings without a pool");
  return { ...poolAnswersOf(pool), name };
}

/**
 * Merges the answers into the written settings. A pool keeps its other settings if its name stays the same.
 */
export function merge(written: Written, answers: Answers): object {
  const { pools = [], inference, monitoring, stackName: _, ...others } = written;
  const { level, email } = answers;
  const { email: _old, ...monitored } = monitoring ?? {};
  return {
    stackName: answers.stackName,
    pools: answers.pools.map((pool) => {
      const { dailyCapUsd, ...rest } = pool;
      const before = pools.find(({ name }) => name === pool.name);
      const { dailyCapUsd: _cap, ...kept } = before ?? { dailyCapUsd };
      return { ...rest, ...kept, ...rest, ...(dailyCapUsd === undefined ? {} : { dailyCapUsd }) };
    }),
    inference: { ...ofProvider(answers.provider, inference), model: answers.model },
    monitoring: { ...monitored, level, ...(email === undefined ? {} : { email }) },
    ...others,
  };
}

/**
 * Removes settings that only the other provider has, because the synth would refuse them. The model for
 * summaries is specific to a provider too.
 */
function ofProvider(provider: Provider, written: Written["inference"] = {}): object {
  const { provider: given = "openai", endpoint: at = "mantle", ...rest } = written;
  const before = given === "openai" ? "openai" : at;
  const { summaryModel, ...others } = rest;
  const kept = before === provider && summaryModel !== undefined ? rest : others;
  const { region, baseUrl, keySecretArn, keySecretKmsKeyArn, workloadIdentity, ...common } = kept;
  const own = Object.entries(
    provider === "openai" ? { baseUrl, keySecretArn, keySecretKmsKeyArn, workloadIdentity } : { region },
  ).filter(([, value]) => value !== undefined);
  const named = provider === "openai" ? {} : { provider: "bedrock", endpoint: provider };
  return { ...named, ...common, ...Object.fromEntries(own) };
}
