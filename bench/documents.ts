import { withParts } from "../infra/markdown-table.ts";
import type { PollingMode } from "../lib/core/options.ts";
import { columns, table, usd } from "./tables.ts";
import type { Performance } from "./targets.ts";

const looks: Readonly<Record<PollingMode, string>> = {
  economy: "once a minute",
  balanced: "for 50 s of each minute: 0.25 s after a job, slowing to every 2 s",
  fast: "for 57 s of each minute: 0.1 s after a job, else every second",
};

const cents = (value: number): string => `$${value.toFixed(2)}`;

type Render = (measured: Performance) => string;

/** What documents say of the measurements, by file and name of the place. */
const measuredParts: Readonly<Record<string, Readonly<Record<string, Render>>>> = {
  "README.md": { measured: renderSummary },
  "docs/settings.md": { polling: renderPolling },
  "docs/costs.md": { cost: ({ cost }) => costTables(cost) },
};

const idleAt = (cost: Performance["cost"], mode: PollingMode): number =>
  cost.idle.find((row) => row.mode === mode)?.computeAndRequests ?? Number.NaN;

function renderSummary({ drain, polling, cost }: Performance): string {
  const waitFor = (mode: PollingMode): string => {
    const row = polling.find((one) => one.mode === mode && one.studioLatencyMs === 50);
    return `${(row?.p50 ?? Number.NaN).toFixed(1)} s`;
  };
  const job = cost.jobs.find((row) => row.inferenceSeconds === 60)?.total ?? Number.NaN;
  const billAt = (level: string): number =>
    cost.monitoring.find((row) => row.level === level)?.wholeIdleBill ?? Number.NaN;
  const byDefault = billAt("full") - idleAt(cost, "economy") + idleAt(cost, "balanced");
  return columns(
    [
      ["a month without a job, by default", `${cents(byDefault)} in all, before AWS's free tier`],
      [
        "the same, asking once a minute, with four alarms",
        `${cents(billAt("lean"))} in all, ${cents(idleAt(cost, "economy"))} of it for compute and requests`,
      ],
      ["1,000 jobs of 60 s", `${cents(job)} to AWS, and what your model's provider charges`],
      [
        "wait of a message, median",
        `${waitFor("balanced")} by default, ${waitFor("economy")} when asking once a minute`,
      ],
      [
        `${drain.jobs} jobs of ${drain.modelLatencyMs / 1000} s, ${drain.concurrency} at a time`,
        `${drain.seconds.toFixed(0)} s, ${Math.round(drain.timesFaster)} times as fast as one after the other`,
      ],
    ] as const,
    { what: ([what]) => what, measured: ([, measured]) => measured },
    2,
  );
}

function renderPolling({ polling, cost }: Performance): string {
  return table(
    ["polling", "asks Studio for work", "median wait of a message", "99th percentile", "idle, a month"],
    cost.idle.map(({ mode, computeAndRequests }) => {
      const row = polling.find((one) => one.mode === mode && one.studioLatencyMs === 50);
      const waits = [row?.p50 ?? Number.NaN, row?.p99 ?? Number.NaN];
      return [
        `\`${mode}\``,
        looks[mode],
        ...waits.map((seconds) => `${seconds.toFixed(1)} s`),
        cents(computeAndRequests),
      ];
    }),
    2,
  );
}

/** The tables of docs/performance.md and docs/costs.md. */
export function costTables({ idle, monitoring, jobs }: Performance["cost"]): string {
  return [
    columns(idle, {
      "idle, a month": ({ mode }) => `\`${mode}\``,
      "compute and requests": (row) => cents(row.computeAndRequests),
      "with Lambda's free tier": (row) => cents(row.withFreeTier),
      "log lines": (row) => cents(row.logLines),
      "reading the secret": (row) => cents(row.secretCalls),
    }),
    columns(monitoring, {
      "`monitoring.level`": ({ level }) => `\`${level}\``,
      "everything, `economy`, a month idle": ({ wholeIdleBill }) => cents(wholeIdleBill),
    }),
    columns(jobs, {
      "seconds of inference": ({ inferenceSeconds }) => String(inferenceSeconds),
      "1,000 jobs, without the model": ({ total }) => usd(total),
    }),
  ].join("\n\n");
}

/** The documents that show measurements. */
export const measuredDocuments = Object.keys(measuredParts);

/** The document with these measurements. @throws Error if a part has no place in it */
export function withMeasurements(file: string, text: string, measured: Performance): string {
  const parts = Object.entries(measuredParts[file] ?? {}).map(
    ([name, render]) => [name, () => render(measured)] as const,
  );
  return withParts(text, "bench", Object.fromEntries(parts));
}
