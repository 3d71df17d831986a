import * as z from "zod";
import { bedrockOf, parseSettings, type PoolSettings, type Settings } from "../../infra/settings.ts";

/** What `init` asks for. */
export interface Answers {
  readonly stackName: string;
  readonly pools: readonly PoolAnswers[];
  readonly provider: Provider;
  readonly model: string;
  readonly email: string | undefined;
  readonly level: Settings["monitoring"]["level"];
}

/** Who generates; Amazon Bedrock by its endpoint. */
export const providerAnswers = ["openai", "mantle", "runtime"] as const;
export type Provider = (typeof providerAnswers)[number];

/** Of a provider that was not asked before: each calls the same model otherwise. */
export const modelOf: Readonly<Record<Provider, string>> = {
  openai: "gpt-6-luna",
  mantle: "openai.gpt-6-luna",
  runtime: "us.openai.gpt-6-luna",
};

export interface PoolAnswers extends Pick<PoolSettings, "name" | "kind" | "polling" | "concurrency"> {
  readonly dailyCapUsd: number | undefined;
}

/** The settings as they are written down, as far as `init` changes them; everything else is kept as it is. */
export const writtenSchema = z.looseObject({
  pools: z.array(z.looseObject({ name: z.string() })).optional(),
  inference: z.looseObject({}).optional(),
  monitoring: z.looseObject({}).optional(),
});
export type Written = z.output<typeof writtenSchema>;

/** What the present settings answer. */
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

/** A pool that is not there yet, with the settings' own defaults. */
export function newPool(name: string, kind: PoolSettings["kind"]): PoolAnswers {
  const [pool] = parseSettings({ pools: [{ name: "new", kind }] }).pools;
  if (!pool) throw new TypeError("settings without a pool");
  return { ...poolAnswersOf(pool), name };
}

/** The answers over what is written: a pool's other settings go with its name. */
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

/** What fits the other provider only is taken out: the synth would refuse it. A model for summaries is the other one's too. */
function ofProvider(provider: Provider, written: Written["inference"] = {}): object {
  const { provider: given = "openai", endpoint: at = "mantle", ...rest } = written;
  const before = given === "openai" ? "openai" : at;
  const { summaryModel, ...others } = rest;
  const kept = before === provider && summaryModel !== undefined ? rest : others;
  const { region, baseUrl, keySecretArn, workloadIdentity, ...common } = kept;
  const own = Object.entries(
    provider === "openai" ? { baseUrl, keySecretArn, workloadIdentity } : { region },
  ).filter(([, value]) => value !== undefined);
  const named = provider === "openai" ? {} : { provider: "bedrock", endpoint: provider };
  return { ...named, ...common, ...Object.fromEntries(own) };
}
