import type { ColdRow } from "./cold.ts";
import type { Bill } from "./bills.ts";
import type { Cost } from "./cost.ts";
import type { DispatchRow } from "./dispatch.ts";
import type { Drain } from "./drain.ts";
import type { MemoryRow } from "./memory.ts";
import type { Overhead } from "./overhead.ts";
import type { PollingRow } from "./polling.ts";
import type { RefillRow } from "./refill.ts";
import { kilobytes, table, usd } from "./tables.ts";

/** The results of each part in Markdown, for the terminal and for docs/performance.md. */

export function renderCold(rows: readonly ColdRow[]): string {
  const head = ["bundle", "size", "loaded", "first call", "plain: size", "loaded", "first call", "ratio"];
  const cells = rows.map((row) => [
    row.name,
    kilobytes(row.bytes),
    `${row.readyMs} ms`,
    `${row.callMs} ms`,
    kilobytes(row.plainBytes),
    `${row.plainReadyMs} ms`,
    `${row.plainCallMs} ms`,
    row.ratio,
  ]);
  const packages = rows.map(
    ({ name, packages: parts }) =>
      `${name}: ${parts.map((part) => `${part.name} ${kilobytes(part.bytes)}`).join(", ")}.`,
  );
  const shares = rows.map(({ name, cpuShare }) => `${name} ${cpuShare}`).join(", ");
  const quota = `First calls had their share of a CPU (${shares}) by ${rows[0]?.quota ?? "nothing"}.`;
  const empty = `An empty handler is loaded after ${rows[0]?.emptyReadyMs ?? 0} ms.`;
  return [table(head, cells), quota, empty, "Largest packages, minified:", ...packages].join("\n\n");
}

export function renderPolling(rows: readonly PollingRow[]): string {
  return table(
    ["polling", "Studio answers in", "messages", "p50", "p95", "p99"],
    rows.map((row) => [
      row.mode,
      `${row.studioLatencyMs} ms`,
      row.messages,
      ...[row.p50, row.p95, row.p99].map((seconds) => `${seconds.toFixed(2)} s`),
    ]),
  );
}

export function renderDrain(row: Drain): string {
  const head = ["jobs", "concurrency", "model", "took", "ideal", "ratio", "one at a time", "times faster"];
  return table(head, [
    [
      row.jobs,
      row.concurrency,
      `${row.modelLatencyMs} ms`,
      `${row.seconds} s`,
      `${row.idealSeconds} s`,
      row.ratio,
      `${row.oneByOneSeconds} s`,
      row.timesFaster,
    ],
  ]);
}

export function renderRefill(rows: readonly RefillRow[]): string {
  return table(
    [
      "polling",
      "jobs",
      "at a time",
      "model",
      "Studio answers in",
      "took",
      "ideal",
      "a place is empty: p50",
      "p95",
    ],
    rows.map((row) => [
      row.mode,
      row.jobs,
      row.concurrency,
      `${row.modelLatencyMs} ms`,
      `${row.studioLatencyMs} ms`,
      `${row.seconds} s`,
      `${row.idealSeconds} s`,
      `${row.p50Ms} ms`,
      `${row.p95Ms} ms`,
    ]),
  );
}

export function renderMemory(rows: readonly MemoryRow[]): string {
  return table(
    ["processor", "adds to a job: p50", "p95", "peak memory", "1,000 jobs of 10 s", "of 60 s", "of 300 s"],
    rows.map(({ memoryMb, addedP50Ms, addedP95Ms, peakMemoryMb, computeUsd }) => [
      `${memoryMb} MB`,
      `${addedP50Ms} ms`,
      `${addedP95Ms} ms`,
      `${peakMemoryMb} MB${peakMemoryMb > memoryMb ? ": too much" : ""}`,
      ...Object.values(computeUsd).map(usd),
    ]),
  );
}

export function renderOverhead(row: Overhead): string {
  const figures = table(
    ["per job, warm", "processor", "plain", "ratio"],
    [
      ["CPU", `${row.cpuMs} ms`, `${row.plainCpuMs} ms`, row.ratioToPlain],
      ["CPU, p90", `${row.cpuP90Ms} ms`, "", ""],
      ["peak memory of the process", `${row.peakMemoryMb} MB`, `${row.plainPeakMemoryMb} MB`, ""],
    ],
  );
  const requests = `Requests of one job: ${row.studioRequests + 1} to Studio (its lease included), ${row.runStoreRequests} to the run store, ${row.modelRequests} to the model; ${row.logLines} log lines, ${row.logBytes} bytes.`;
  return `${figures}\n\n${requests}`;
}

export function renderDispatch(rows: readonly DispatchRow[]): string {
  return table(
    ["Studio answers in", "leased", "took", "leases and invokes per second", "CPU per lease", "peak memory"],
    rows.map((row) => [
      `${row.studioLatencyMs} ms`,
      row.leased,
      `${row.seconds} s`,
      row.perSecond,
      `${row.cpuMsPerLease} ms`,
      `${row.peakMemoryMb} MB`,
    ]),
  );
}

const items = (bill: Bill): string =>
  Object.entries(bill)
    .map(([name, value]) => `${name} ${usd(value)}`)
    .join(", ");

export function renderCost(cost: Cost): string {
  const idle = table(
    ["idle, a month", "compute and requests", "with Lambda's free tier", "log lines", "reading the secret"],
    cost.idle.map((row) => [
      row.mode,
      ...[row.computeAndRequests, row.withFreeTier, row.logLines, row.secretCalls].map(usd),
    ]),
  );
  const monitoring = table(
    ["monitoring", "whole idle bill with `economy`"],
    cost.monitoring.map((row) => [row.level, usd(row.wholeIdleBill)]),
  );
  const jobs = table(
    ["inference", "1,000 jobs, without the model"],
    cost.jobs.map((row) => [`${row.inferenceSeconds} s`, usd(row.total)]),
  );
  const details = [
    ...cost.idle.map((row) => `${row.mode}: ${items(row.bill)}.`),
    ...cost.monitoring.map((row) => `Monitoring ${row.level}: ${items(row.bill)}.`),
    ...cost.jobs.map((row) => `1,000 jobs of ${row.inferenceSeconds} s: ${items(row.bill)}.`),
  ];
  const basis = `AWS list prices of ${cost.pricesAsOf}, us-east-1, without free tiers, but for EventBridge Scheduler's first 14 million invocations a month; dispatcher ${cost.dispatcherMemoryMb} MB, processor ${cost.processorMemoryMb} MB. Lambda gives CPU by memory: what was measured here as CPU is counted as so much longer.`;
  return [idle, monitoring, jobs, basis, ...details].join("\n\n");
}
