import { inferenceSchema } from "../../infra/inference-schema.ts";
import { capLimitsUsd, poolSchema } from "../../infra/pool-schema.ts";
import * as z from "zod";
import { settingsSchema, monitoringSchema } from "../../infra/settings-schema.ts";
import type { GlobalOptions } from "../context.ts";
import { CliError } from "../errors.ts";
import type { OptionRow } from "../command.ts";
import { money, whole } from "../values.ts";
import { languages } from "./new-app.ts";
import { modelOf, newPool, providerAnswers, type Answers, type PoolAnswers } from "./answers.ts";

const { kind, polling, name: poolName } = poolSchema.shape;

/** `default:user,europe:global` */
const poolList = z.string().transform((text, context) => {
  const entries = text.split(",").map((entry) => {
    const [name = "", of = "user", ...rest] = entry.trim().split(":");
    const parsed = { name: poolName.safeParse(name).data, kind: kind.safeParse(of).data };
    return rest.length === 0 && parsed.name !== undefined && parsed.kind !== undefined
      ? { name: parsed.name, kind: parsed.kind }
      : undefined;
  });
  const good = entries.filter((entry) => entry !== undefined);
  if (good.length === entries.length) return good;
  const message = "Give names and kinds like default:user,europe-2:global.";
  context.issues.push({ code: "custom", message, input: text });
  return z.NEVER;
});

/** The options of `init`, as commander returns them. */
export const flagsSchema = z.object({
  yes: z.boolean().default(false),
  force: z.boolean().default(false),
  language: z.enum(languages, { error: `Give one of: ${languages.join(", ")}.` }).optional(),
  pools: poolList.optional(),
  kind: kind.optional(),
  polling: polling.unwrap().optional(),
  concurrency: whole(1, 1_000).optional(),
  cap: z.union([z.literal("none"), money(capLimitsUsd.min, capLimitsUsd.max)]).optional(),
  provider: z.enum(providerAnswers, { error: `Give one of: ${providerAnswers.join(", ")}.` }).optional(),
  model: inferenceSchema.shape.model.unwrap().optional(),
  email: z.union([z.literal("none"), monitoringSchema.shape.email.unwrap()]).optional(),
  monitoring: monitoringSchema.shape.level.unwrap().optional(),
});
export type Flags = z.output<typeof flagsSchema>;

export const flagRows: readonly OptionRow[] = [
  {
    flags: "--yes",
    meaning: "do not ask; settings without an option keep their value, or get their default",
  },
  { flags: "--force", meaning: "overwrite settings that differ without asking" },
  { flags: "--language <name>", meaning: "of a new app: javascript or typescript", choices: languages },
  { flags: "--pools <list>", meaning: "the whole list of pools: name:kind,name:kind" },
  {
    flags: "--kind <kind>",
    meaning: "user or global; like the next three options, for the pool in --pool or for all",
    choices: kind.options,
  },
  { flags: "--polling <mode>", meaning: "economy, balanced or fast", choices: polling.unwrap().options },
  { flags: "--concurrency <count>", meaning: "the maximum number of jobs at once" },
  { flags: "--cap <usd>", meaning: "estimated spending per day at which leasing stops, or none" },
  {
    flags: "--provider <name>",
    meaning: "the model's provider: openai, or Amazon Bedrock's endpoint mantle or runtime",
    choices: providerAnswers,
  },
  { flags: "--model <name>", meaning: "the model that answers" },
  { flags: "--email <address>", meaning: "the e-mail address that receives the alarms, or none" },
  {
    flags: "--monitoring <level>",
    meaning: "full, lean or off",
    choices: monitoringSchema.shape.level.unwrap().options,
  },
];

/**
 * Applies the options to the answers. `--stack` is the stack's name.
 * @throws CliError `not_found` for an unknown `--pool`
 */
export function withFlags(answers: Answers, flags: Flags, { stack, pool }: GlobalOptions): Answers {
  const { pools: listed, provider = answers.provider, email, monitoring } = flags;
  const before = provider === answers.provider ? answers.model : modelOf[provider];
  const pools =
    listed?.map(({ name, kind: of }) => ({
      ...(answers.pools.find((known) => known.name === name) ?? newPool(name, of)),
      kind: of,
    })) ?? answers.pools;
  const names = pools.map(({ name }) => name);
  if (pool !== undefined && !names.includes(pool)) {
    const remedy = `Pools: ${names.join(", ")}. --pools replaces the whole list.`;
    throw new CliError("not_found", `There is no pool ${pool} in the settings.`, { remedy });
  }
  const level = monitoring ?? answers.level;
  // Without alarms, an address from earlier answers has nothing to receive.
  const keptEmail = level === "off" ? undefined : answers.email;
  return {
    stackName: stackNameOf(stack) ?? answers.stackName,
    pools: pools.map((one) => (pool === undefined || one.name === pool ? poolWithFlags(one, flags) : one)),
    provider,
    model: flags.model ?? before,
    email: email === "none" ? undefined : (email ?? keptEmail),
    level,
  };
}

function poolWithFlags(answers: PoolAnswers, flags: Flags): PoolAnswers {
  const { cap } = flags;
  return {
    name: answers.name,
    kind: flags.kind ?? answers.kind,
    polling: flags.polling ?? answers.polling,
    concurrency: flags.concurrency ?? answers.concurrency,
    dailyCapUsd: cap === "none" ? undefined : (cap ?? answers.dailyCapUsd),
  };
}

function stackNameOf(given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  const result = settingsSchema.shape.stackName.safeParse(given);
  if (result.success) return result.data;
  throw new CliError("usage", `--stack: ${result.error.issues[0]?.message ?? "not a name"}`);
}
