import { capLimitsUsd, poolSchema } from "../../infra/pool-schema.ts";
import type * as z from "zod";
import { inferenceSchema } from "../../infra/inference-schema.ts";
import { monitoringLevels, monitoringSchema, settingsSchema } from "../../infra/settings-schema.ts";
import { languages, type Language } from "./new-app.ts";
import { pollingModes } from "../../lib/core/options.ts";
import type { Prompts } from "../prompts.ts";
import { money, whole } from "../values.ts";
import { wrongModelName } from "../../infra/provider-relations.ts";
import {
  modelOf,
  newPool,
  providerAnswers,
  type Provider,
  type Answers,
  type PoolAnswers,
} from "./answers.ts";

const mostPools = 10;

export const askLanguage = (prompts: Prompts): Promise<Language> =>
  prompts.choose({
    message: "Language of the new CDK app",
    choices: languages.map((value) => ({ value, name: value })),
    default: "javascript",
  });

/** Asks for every value. The defaults are the present values. */
export async function askAll(prompts: Prompts, present: Answers): Promise<Answers> {
  const stackName = await prompts.text({
    message: "Name of the CloudFormation stack",
    default: present.stackName,
    problem: problemBy(settingsSchema.shape.stackName),
  });
  const pools: PoolAnswers[] = [];
  for (const pool of present.pools) pools.push(await askPool(prompts, pool, pools));
  while (pools.length < mostPools && (await prompts.confirm("Another pool?", false)))
    pools.push(await askPool(prompts, newPool("", "user"), pools));
  const provider = await prompts.choose({
    message: "Who generates?",
    choices: providerAnswers.map((value) => ({ value, name: providerWords[value] })),
    default: present.provider,
  });
  const model = await prompts.text({
    message: "Model",
    default: provider === present.provider ? present.model : modelOf[provider],
    problem: (text) => problemBy(inferenceSchema.shape.model)(text) ?? problemOfModel(provider, text),
  });
  const level = await prompts.choose({
    message: "Alarms and dashboard",
    choices: monitoringLevels.map((value) => ({ value, name: levelWords[value] })),
    default: present.level,
  });
  const email = level === "off" ? none : await askEmail(prompts, present.email);
  return { stackName, pools, provider, model, level, email: email === none ? undefined : email };
}

const providerWords = {
  openai: "openai: OpenAI or a server with its API, with a key",
  mantle: "mantle: Amazon Bedrock without a key, in background mode",
  runtime: "runtime: Amazon Bedrock without a key, with inference profiles across regions",
} as const;

const problemOfModel = (provider: Provider, model: string): string | undefined =>
  provider === "openai" ? undefined : wrongModelName(provider, model);

const none = "none";

const levelWords = {
  full: "full: every alarm, a paging alarm, a dashboard (2 to 5 USD a month per pool)",
  lean: "lean: the alarms that page (0.30 USD a month per pool)",
  off: "off: no alarms, no dashboard",
} as const;

const askEmail = (prompts: Prompts, present: string | undefined): Promise<string> =>
  prompts.text({
    message: "E-mail address for the alarms, or none",
    default: present ?? none,
    problem: (text) => (text === none ? undefined : problemBy(monitoringSchema.shape.email)(text)),
  });

async function askPool(
  prompts: Prompts,
  present: PoolAnswers,
  others: readonly PoolAnswers[],
): Promise<PoolAnswers> {
  const taken = others.map(({ name }) => name);
  const name = await prompts.text({
    message: `Name of pool ${others.length + 1}`,
    ...(present.name === "" ? {} : { default: present.name }),
    problem: (text) =>
      taken.includes(text) ? "Another pool has this name." : problemBy(poolSchema.shape.name)(text),
  });
  const kind = await prompts.choose({
    message: `Pool ${name}: whose jobs?`,
    choices: [
      { value: "user", name: "user: those of the account that the runner key belongs to" },
      { value: "global", name: "global: everybody's" },
    ],
    default: present.kind,
  });
  const polling = await prompts.choose({
    message: `Pool ${name}: how quickly is a job picked up?`,
    choices: pollingModes.map((value) => ({ value, name: pollingWords[value] })),
    default: present.polling,
  });
  const concurrency = await prompts.text({
    message: `Pool ${name}: how many jobs at once?`,
    default: String(present.concurrency),
    problem: problemBy(concurrencySchema),
  });
  const cap = await prompts.text({
    message: `Pool ${name}: US dollars a day at which leasing stops, or none`,
    default: present.dailyCapUsd === undefined ? none : String(present.dailyCapUsd),
    problem: (text) => (text === none ? undefined : problemBy(capSchema)(text)),
  });
  return {
    name,
    kind,
    polling,
    concurrency: Number(concurrency),
    dailyCapUsd: cap === none ? undefined : Number(cap),
  };
}

const pollingWords = {
  economy: "economy: within a minute, the cheapest",
  balanced: "balanced: within seconds, in most of each minute",
  fast: "fast: within a second",
} as const;

const concurrencySchema = whole(1, 1_000);
const capSchema = money(capLimitsUsd.min, capLimitsUsd.max);

const problemBy =
  (schema: z.ZodType) =>
  (text: string): string | undefined =>
    schema.safeParse(text).error?.issues[0]?.message;
