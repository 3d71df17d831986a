import type { PollingMode } from "../lib/core/options.ts";
import { columns, table, usd } from "./tables.ts";
import type { Performance } from "./targets.ts";

const looks: Readonly<Record<PollingMode, string>> = {
  economy: "once a minute",
  balanced: "for 50 s of each minute: 0.25 s after a job, slowing to every 2 s",
  fast: "for 57 s of each minute: 0.1 s after a job, else every second",
};

const cents = (value: number): string => `$${value.toFixed(2)}`;

/** The README's texts from the benchmark, by the name of their place in it. */
const readmeParts: Readonly<Record<string, (measured: Performance) => string>> = {
  measured: ({ drain, overhead, polling, cost, dispatch }) => {
    const lease = dispatch.find((row) => row.studioLatencyMs === 50);
    const { jobs, concurrency, seconds, timesFaster } = drain;
    const monthly = (mode: PollingMode): string =>
      cents(cost.idle.find((row) => row.mode === mode)?.computeAndRequests ?? Number.NaN);
    const wait = polling.find((row) => row.mode === "fast" && row.studioLatencyMs === 50)?.p50 ?? Number.NaN;
    return [
      `Measured ([how](docs/performance.md), \`npm run bench\`): ${jobs} jobs of ${drain.modelLatencyMs / 1000} s each finish in ${seconds} s with ${concurrency} at a time,`,
      `${timesFaster} times as fast as one after the other. With \`polling: fast\`, half of all messages start within ${wait.toFixed(1)} s; it costs`,
      `${monthly("fast")} a month while idle. Polling once a minute (\`economy\`) costs ${monthly("economy")}. A job takes`,
      `${overhead.cpuMs} ms of the processor's CPU time and ${lease?.cpuMsPerLease} ms of the dispatcher's.`,
    ].join("\n");
  },
  polling: ({ polling, cost }) =>
    table(
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
    ),
  cost: ({ cost }) => costTables(cost),
};

/** The tables of docs/performance.md and the README. */
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

const placeOf = (name: string): RegExp =>
  new RegExp(`(<!-- bench: ${name} -->\n\n)[^]*?(\n\n<!-- /bench -->)`);

/** Returns the README with these measurements. @throws Error if a part has no place in it */
export function withReadmeTables(readme: string, measured: Performance): string {
  return Object.entries(readmeParts).reduce((text, [name, render]) => {
    const place = placeOf(name);
    if (!place.test(text)) throw new Error(`the README has no place for ${name}`);
    return text.replace(place, (_, before: string, after: string) => `${before}${render(measured)}${after}`);
  }, readme);
}
