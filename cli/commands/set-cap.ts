import * as z from "zod";
import { capLimitsUsd } from "../../infra/pool-schema.ts";
import { utcDay } from "../../lib/runs/spend.ts";
import { priceOf } from "../../lib/model/prices.ts";
import { markInvented } from "../canned-model.ts";
import { defineCommand, type Command } from "../command.ts";
import { CliError } from "../errors.ts";
import { formatUsd } from "../format.ts";
import { capOf } from "../pool-status.ts";
import type { Stack } from "../stack.ts";
import { money, orDefault } from "../values.ts";

const { min, max } = capLimitsUsd;

export const setCap: Command = defineCommand({
  name: "set-cap",
  summary: "Sets the daily cap on estimated spending, without a deploy",
  details:
    "Applies from the next dispatch cycle on, until another value or default is set. At the cap no more jobs are leased " +
    "until 00:00 UTC; running jobs continue. Alarms on spending exist if a cap is deployed (setting pools[].dailyCapUsd).",
  arguments: [{ name: "usd", meaning: "US dollars per day, or default for the deployed cap" }],
  examples: [
    { line: "set-cap 50", shows: "raises or lowers it for now" },
    { line: "set-cap default", shows: "returns to the deployed value" },
  ],
  input: z.object({ usd: orDefault(money(min, max, "To lease nothing, use pause.")) }),
  run: async (context, { usd }) => {
    const [stack, pool] = await Promise.all([context.stack(), context.pool()]);
    if (usd !== "default") checkPrices(stack);
    const { control, spend } = await context.runStore();
    const by = await context.caller();
    const atMs = context.clock.now();
    await control.write(
      pool.name,
      usd === "default"
        ? { dailyCapUsd: null, dailyCapBy: null, dailyCapAtMs: null }
        : { dailyCapUsd: usd, dailyCapBy: by, dailyCapAtMs: atMs },
    );
    const cap = capOf(pool, usd === "default" ? { paused: false } : { paused: false, dailyCapUsd: usd });
    const { costUsd: spentUsd } = await spend.read(pool.name, utcDay(atMs));
    const data = { pool: pool.name, dailyCapUsd: cap.value, deployed: cap.deployed, spentUsd, by, atMs };
    return { data, text: () => render(data, stack.settings.inference.model) };
  },
});

interface Data {
  readonly pool: string;
  readonly dailyCapUsd: number | null;
  readonly spentUsd: number;
}

function render({ pool, dailyCapUsd, spentUsd }: Data, model: string): string {
  const today = `Today: ${markInvented(formatUsd(spentUsd), model)}, estimated.`;
  if (dailyCapUsd === null) return `Pool ${pool} has no daily cap. ${today}`;
  const state =
    spentUsd >= dailyCapUsd ? "It is reached: no new leases until 00:00 UTC." : "It is not reached.";
  return `Pool ${pool} may spend ${formatUsd(dailyCapUsd)} a day. ${today} ${state}`;
}

/** @throws CliError `refused` if a model's price is unknown */
function checkPrices({ settings: { inference, spend } }: Stack): void {
  const unknown = [...new Set([inference.model, inference.summaryModel])].filter(
    (model) => priceOf(spend.prices, model) === undefined,
  );
  if (unknown.length === 0) return;
  throw new CliError(
    "refused",
    `No price is known for ${unknown.join(", ")}: a cap could not include its cost.`,
    {
      remedy: "Write the price into cdk.json (spend.prices) and deploy.",
    },
  );
}
