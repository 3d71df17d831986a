import * as z from "zod";
import type { PoolSettings, Settings } from "../../infra/settings.ts";
import { attempt, problemOf, valueOf } from "../attempt.ts";
import { markInvented } from "../canned-model.ts";
import { defineCommand, type Command } from "../command.ts";
import { choosePools, type Context } from "../context.ts";
import {
  idleCost,
  jobsCost,
  measure,
  metricsOfBusyPool,
  type CostItem,
  type Measured,
} from "../cost-model.ts";
import { count, formatUsd } from "../format.ts";
import { awsPrices, tableAsOf } from "../../infra/dated-table.ts";
import { renderTable } from "../table.ts";
import { wrap } from "../wrap.ts";
import type { Screen } from "../terminal.ts";

const measuredRuns = 200;

export const cost: Command = defineCommand({
  name: "cost",
  summary: "Estimates the cost of an idle month and of 1,000 jobs, item by item",
  details:
    "Uses the deployed settings (before a deploy, the project's) and AWS list prices of us-east-1, and for 1,000 jobs the " +
    `newest ${measuredRuns} runs in the run store. These are estimates; AWS and the provider send the bills.`,
  examples: [
    { line: "cost", shows: "the whole stack" },
    { line: "cost --pool default --json", shows: "one pool, for a script" },
  ],
  input: z.object({}),
  run: async (context) => {
    const deployed = await attempt(() => context.stack());
    const stack = valueOf(deployed);
    // An unknown pool is the user's mistake; a missing stack is not.
    const pools = stack ? choosePools(stack, context.options.pool).map((pool) => pool.settings) : undefined;
    const settings = stack?.settings ?? (await context.project.settings());
    const chosen = pools ?? settings.pools;
    const idle = idleCost(settings, chosen);
    const perPool = stack ? await Promise.all(chosen.map((pool) => jobsOf(context, pool))) : [];
    const data: CostData = {
      settingsFrom: stack ? "deployed" : "project",
      problem: problemOf(deployed)?.message ?? null,
      awsPricesAsOf: tableAsOf,
      modelPricesAsOf: settings.spend.pricesAsOf,
      idlePerMonth: { items: idle, ...totals(idle) },
      busyMetrics: { perPool: metricsOfBusyPool(), usdPerMonth: metricsOfBusyPool() * awsPrices.metric.usd },
      per1000Jobs: perPool,
    };
    return { data, text: (screen) => render(data, settings, screen) };
  },
});

interface Totals {
  readonly listUsd: number;
  readonly usd: number;
}

interface PoolJobs {
  readonly pool: string;
  /** Null: no run has ended yet. */
  readonly measured: Measured | null;
  readonly items: readonly CostItem[];
  /** The cost of the model's tokens. Null: the price is unknown. */
  readonly tokensUsd: number | null;
  readonly listUsd: number | null;
}

interface CostData {
  readonly settingsFrom: "deployed" | "project";
  readonly problem: string | null;
  readonly awsPricesAsOf: string;
  readonly modelPricesAsOf: string;
  readonly idlePerMonth: Totals & { readonly items: readonly CostItem[] };
  readonly busyMetrics: { readonly perPool: number; readonly usdPerMonth: number };
  readonly per1000Jobs: readonly PoolJobs[];
}

async function jobsOf(context: Context, pool: PoolSettings): Promise<PoolJobs> {
  const { runs } = await context.runStore();
  const measured = measure(await runs.recentRuns(pool.name, { limit: measuredRuns }));
  if (!measured) return { pool: pool.name, measured: null, items: [], tokensUsd: null, listUsd: null };
  const items = jobsCost(pool, measured);
  const tokensUsd = measured.tokensUsd === undefined ? null : measured.tokensUsd * 1_000;
  return { pool: pool.name, measured, items, tokensUsd, listUsd: totals(items).listUsd + (tokensUsd ?? 0) };
}

function totals(items: readonly CostItem[]): Totals {
  const sum = (of: (item: CostItem) => number): number => items.reduce((total, item) => total + of(item), 0);
  return { listUsd: sum((item) => item.listUsd), usd: sum((item) => item.usd) };
}

function render(data: CostData, settings: Settings, screen: Screen): string {
  const { idlePerMonth: idle, busyMetrics, settingsFrom, problem } = data;
  const { bold, dim } = screen.colours;
  const columns = [
    { title: "per month, idle" },
    { title: "how much", align: "right", optional: 1 },
    { title: "list", align: "right" },
    { title: "with free tier", align: "right" },
  ] as const;
  const rows = idle.items.map((item) => [
    item.what,
    amountOf(item),
    formatUsd(item.listUsd),
    formatUsd(item.usd),
  ]);
  const total = ["total", "", formatUsd(idle.listUsd), formatUsd(idle.usd)];
  const notes = [
    `Months with jobs add ${busyMetrics.perPool} or more custom metrics per pool, up to ${formatUsd(busyMetrics.usdPerMonth)} at list price, for the hours in which they are emitted.`,
    `AWS list prices of us-east-1 as of ${data.awsPricesAsOf}; the free tier is the whole account's. Prices of ${settings.inference.model} as of ${data.modelPricesAsOf}.`,
    ...(settingsFrom === "project" ? [`From the project's settings: ${problem}`] : []),
  ];
  return [
    renderTable(columns, [...rows, total], screen),
    ...data.per1000Jobs.map(
      (jobs) => `${bold(`1,000 jobs, pool ${jobs.pool}`)}\n${renderJobs(jobs, settings.inference.model)}`,
    ),
    dim(wrap(notes.join("\n"), { columns: screen.columns, indent: 0 })),
  ].join("\n\n");
}

function amountOf({ quantity, price }: CostItem): string {
  const digits = quantity < 10 && !Number.isInteger(quantity) ? 3 : 0;
  const number = quantity.toLocaleString("en-US", { maximumFractionDigits: digits });
  return `${number} ${awsPrices[price].unit}`;
}

function renderJobs({ measured, items, tokensUsd, listUsd }: PoolJobs, model: string): string {
  if (measured === null || listUsd === null) return "  no run has ended yet, so nothing is measured";
  const { runs, seconds, attempts, rounds } = measured;
  const lines = items.map(
    (item) => `  ${item.what.padEnd(20)} ${formatUsd(item.listUsd).padStart(9)}  ${amountOf(item)}`,
  );
  const tokens = tokensUsd === null ? "unknown" : formatUsd(tokensUsd);
  const total = markInvented(`  ${"total, list".padEnd(20)} ${formatUsd(listUsd).padStart(9)}`, model);
  return [
    `  measured over ${count(runs, "run")}: ${seconds.toFixed(1)} s, ${attempts.toFixed(1)} attempts, ${rounds.toFixed(1)} rounds each`,
    ...lines,
    markInvented(`  ${"model tokens".padEnd(20)} ${tokens.padStart(9)}`, model),
    `${total}${tokensUsd === null ? "  and the model's tokens, whose price is unknown" : ""}`,
  ].join("\n");
}
