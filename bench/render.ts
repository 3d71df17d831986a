import type { ColdRow } from "./cold.ts";
import type { Bill } from "./bills.ts";
import type { Cost } from "./cost.ts";
import type { DispatchRow } from "./dispatch.ts";
import type { Drain } from "./drain.ts";
import type { MemoryRow } from "./memory.ts";
import type { Overhead } from "./overhead.ts";
import type { PollingRow } from "./polling.ts";
import type { RefillRow } from "./refill.ts";
import type { RoundsRow } from "./rounds.ts";
import { costTables } from "./documents.ts";
import { columns, kilobytes, ms, table, usd } from "./tables.ts";

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

export const renderPolling = (rows: readonly PollingRow[]): string =>
  columns(rows, {
    polling: ({ mode }) => mode,
    "Studio answers in": (row) => ms(row.studioLatencyMs),
    messages: ({ messages }) => messages,
    p50: ({ p50 }) => `${p50.toFixed(2)} s`,
    p95: ({ p95 }) => `${p95.toFixed(2)} s`,
    p99: ({ p99 }) => `${p99.toFixed(2)} s`,
  });

export const renderDrain = (row: Drain): string =>
  columns([row], {
    jobs: ({ jobs }) => jobs,
    concurrency: ({ concurrency }) => concurrency,
    model: ({ modelLatencyMs }) => ms(modelLatencyMs),
    took: ({ seconds }) => `${seconds} s`,
    ideal: ({ idealSeconds }) => `${idealSeconds} s`,
    ratio: ({ ratio }) => ratio,
    "one at a time": ({ oneByOneSeconds }) => `${oneByOneSeconds} s`,
    "times faster": ({ timesFaster }) => timesFaster,
  });

export const renderRefill = (rows: readonly RefillRow[]): string =>
  columns(rows, {
    polling: ({ mode }) => mode,
    jobs: ({ jobs }) => jobs,
    "at a time": ({ concurrency }) => concurrency,
    model: ({ modelLatencyMs }) => ms(modelLatencyMs),
    "Studio answers in": (row) => ms(row.studioLatencyMs),
    took: ({ seconds }) => `${seconds} s`,
    ideal: ({ idealSeconds }) => `${idealSeconds} s`,
    "a place is empty: p50": ({ p50Ms }) => ms(p50Ms),
    p95: ({ p95Ms }) => ms(p95Ms),
  });

export const renderRounds = (rows: readonly RoundsRow[]): string =>
  columns(rows, {
    jobs: ({ jobs }) => jobs,
    "at a time": ({ concurrency }) => concurrency,
    "a round takes": ({ roundMs, scaledBy }) =>
      `${ms(roundMs)}${scaledBy === 1 ? "" : `, here ${ms(roundMs / scaledBy)}`}`,
    took: ({ seconds }) => `${seconds} s`,
    ideal: ({ idealSeconds }) => `${idealSeconds} s`,
    "against the ideal": ({ ratioToIdeal }) => ratioToIdeal,
    "public worker's loop": ({ peerSeconds }) => `${peerSeconds} s`,
    "against the loop": ({ ratioToPeer }) => ratioToPeer,
    "between rounds: p50": ({ betweenP50Ms }) => ms(betweenP50Ms),
    p95: ({ betweenP95Ms }) => ms(betweenP95Ms),
  });

export const renderMemory = (rows: readonly MemoryRow[]): string =>
  columns(rows, {
    processor: ({ memoryMb }) => `${memoryMb} MB`,
    "adds to a job: p50": ({ addedP50Ms }) => ms(addedP50Ms),
    p95: ({ addedP95Ms }) => ms(addedP95Ms),
    "peak memory": (row) => `${row.peakMemoryMb} MB${row.peakMemoryMb > row.memoryMb ? ": too much" : ""}`,
    "1,000 jobs of 10 s": ({ computeUsd }) => usd(computeUsd["10"] ?? Number.NaN),
    "of 60 s": ({ computeUsd }) => usd(computeUsd["60"] ?? Number.NaN),
    "of 300 s": ({ computeUsd }) => usd(computeUsd["300"] ?? Number.NaN),
  });

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

export const renderDispatch = (rows: readonly DispatchRow[]): string =>
  columns(rows, {
    "Studio answers in": (row) => ms(row.studioLatencyMs),
    leased: ({ leased }) => leased,
    took: ({ seconds }) => `${seconds} s`,
    "leases and invokes per second": ({ perSecond }) => perSecond,
    "CPU per lease": ({ cpuMsPerLease }) => ms(cpuMsPerLease),
    "peak memory": ({ peakMemoryMb }) => `${peakMemoryMb} MB`,
  });

const items = (bill: Bill): string =>
  Object.entries(bill)
    .map(([name, value]) => `${name} ${usd(value)}`)
    .join(", ");

export function renderCost(cost: Cost): string {
  const details = [
    ...cost.idle.map((row) => `${row.mode}: ${items(row.bill)}.`),
    ...cost.monitoring.map((row) => `Monitoring ${row.level}: ${items(row.bill)}.`),
    ...cost.jobs.map((row) => `1,000 jobs of ${row.inferenceSeconds} s: ${items(row.bill)}.`),
  ];
  const basis = `AWS list prices of ${cost.pricesAsOf}, us-east-1, without free tiers, but for EventBridge Scheduler's first 14 million invocations a month; dispatcher ${cost.dispatcherMemoryMb} MB, processor ${cost.processorMemoryMb} MB. Lambda gives CPU by memory: what was measured here as CPU is counted as so much longer.`;
  return [costTables(cost), basis, ...details].join("\n\n");
}
