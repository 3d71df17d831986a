import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { awsPrices, tableAsOf, type AwsPriceName } from "../infra/dated-table.ts";
import { pollingModes, type PollingMode } from "../lib/core/options.ts";
import { timing } from "../lib/core/timing.ts";
import { buildStack } from "../local/build.ts";
import {
  idleMonth,
  lambdaFreeTier,
  stretchMs,
  thousandJobs,
  totalOf,
  type Bill,
  type IdleMonth,
} from "./bills.ts";
import {
  addressesOf,
  functionOf,
  pool,
  startAws,
  startFunction,
  startOthers,
  type Aws,
  type Built,
  type Others,
} from "./fixture.ts";
import type { HostReply } from "./host-messages.ts";
import { leaseOne } from "./leases.ts";
import { rounded } from "./stats.ts";

export interface IdleRow {
  readonly mode: PollingMode;
  /** One pool in a month without jobs: Lambda, its schedule and the run store. */
  readonly bill: Bill;
  readonly computeAndRequests: number;
  readonly logLines: number;
  readonly secretCalls: number;
  /** The remaining cost of compute and requests if nothing else uses the account's Lambda free tier. */
  readonly withFreeTier: number;
}

export interface MonitoringRow {
  readonly level: string;
  /** Costs other than compute and requests. */
  readonly bill: Bill;
  /** Everything that an idle stack costs, with `economy` polling. */
  readonly wholeIdleBill: number;
}

export interface JobsRow {
  readonly inferenceSeconds: number;
  /** The additional cost of 1,000 jobs, without the model. */
  readonly bill: Bill;
  readonly total: number;
}

export interface Cost {
  readonly pricesAsOf: string;
  readonly dispatcherMemoryMb: number;
  readonly processorMemoryMb: number;
  readonly idle: readonly IdleRow[];
  readonly monitoring: readonly MonitoringRow[];
  readonly jobs: readonly JobsRow[];
}

const studioLatencyMs = 50;
const monitoringLevels = ["full", "lean", "off"] as const;
const inferencesSeconds = [10, 60, 300] as const;

/** Computed from one idle cycle of each mode and one job, by counting their requests. */
export async function cost(built: Built): Promise<Cost> {
  await using others = await startOthers(0);
  await using aws = await startAws(built, others.runnerKey);
  await others.delayStudio(studioLatencyMs);
  const cycles = await Promise.all(
    pollingModes.map(async (mode) => ({ mode, cycle: await idleCycle(built, { others, aws }, mode) })),
  );
  const [economy] = cycles.filter(({ mode }) => mode === "economy");
  if (economy === undefined) throw new Error("no economy");
  const memoryMb = functionOf(built, "Dispatcher").memoryMb;
  // A polling cycle ends at a fixed time, however long its polls take. Only the work before and after them
  // takes longer.
  const longerMs = stretchMs(economy.cycle.cpuMs, memoryMb);
  const monthOf = (cycle: HostReply) => idleMonth(cycle, cycle.durationMs + longerMs, memoryMb);
  const idle = { month: monthOf(economy.cycle), metrics: economy.cycle.metrics.length };
  const monitoring: MonitoringRow[] = [];
  for (const level of monitoringLevels) monitoring.push(await monitoringRow(built, level, idle));
  const job = await oneJob(built, { others, aws });
  return {
    pricesAsOf: tableAsOf,
    dispatcherMemoryMb: memoryMb,
    processorMemoryMb: functionOf(built, "ProcessorRunner").memoryMb,
    idle: cycles.map(({ mode, cycle }) => idleRow(mode, monthOf(cycle))),
    monitoring,
    jobs: inferencesSeconds.map((seconds) => jobsRow(built, seconds, job)),
  };
}

interface Fixture {
  readonly others: Others;
  readonly aws: Aws;
}

/** Measures the second cycle of a process, because all but the first of a day run in warm processes. */
async function idleCycle(built: Built, { others, aws }: Fixture, mode: PollingMode): Promise<HostReply> {
  const fn = functionOf(built, "Dispatcher");
  // Each uses a pool of its own, so that they do not wait for each other's lock.
  const own = { RUNNER_POOL: `${pool}-${mode}` };
  const env = aws.variables(fn, { ...addressesOf(others), ...own, RUNNER_POLLING: mode });
  await using host = startFunction(built, fn, { env });
  const cycle = { event: { pool: own.RUNNER_POOL }, timeoutMs: fn.timeoutMs };
  if (mode === "economy") await host.invoke(cycle);
  return await host.invoke(cycle);
}

function idleRow(mode: PollingMode, { computeAndRequests: bill, logLines, secretCalls }: IdleMonth): IdleRow {
  const computeAndRequests = totalOf(bill);
  return {
    mode,
    bill: roundedBill(bill),
    computeAndRequests: rounded(computeAndRequests, 3),
    logLines: rounded(totalOf(logLines), 3),
    secretCalls: rounded(totalOf(secretCalls), 3),
    withFreeTier: rounded(computeAndRequests - lambdaFreeTier(bill), 3),
  };
}

const templateSchema = z.object({
  Resources: z.record(
    z.string(),
    z.object({
      Type: z.string(),
      Properties: z.looseObject({ Metrics: z.array(z.looseObject({})).optional() }).default({}),
    }),
  ),
});

const fixedPrices: Readonly<Record<string, readonly [name: string, price: AwsPriceName]>> = {
  "AWS::CloudWatch::CompositeAlarm": ["composite alarms", "compositeAlarm"],
  "AWS::CloudWatch::Dashboard": ["dashboard", "dashboard"],
  "AWS::SecretsManager::Secret": ["secrets", "secret"],
};

interface Idle {
  readonly month: IdleMonth;
  readonly metrics: number;
}

async function monitoringRow(
  { folder }: Built,
  level: (typeof monitoringLevels)[number],
  { month, metrics }: Idle,
): Promise<MonitoringRow> {
  const settings = {
    stackName: `Bench-${level}`,
    pools: [{ name: pool, kind: "user" }],
    monitoring: { level },
  };
  const file = await buildStack(settings, join(folder, level));
  const { Resources } = templateSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  const fixed: Record<string, number> = { "custom metrics": metrics * awsPrices.metric.usd };
  for (const { Type, Properties } of Object.values(Resources)) {
    const alarmed = Type === "AWS::CloudWatch::Alarm" ? metricsOf(Properties) : 0;
    if (alarmed > 0) fixed["alarms"] = (fixed["alarms"] ?? 0) + alarmed * awsPrices.alarm.usd;
    const [name, price] = fixedPrices[Type] ?? [];
    if (name !== undefined && price !== undefined) fixed[name] = (fixed[name] ?? 0) + awsPrices[price].usd;
  }
  const bill = { ...fixed, ...month.secretCalls, ...month.logLines };
  return {
    level,
    bill: roundedBill(bill),
    wholeIdleBill: rounded(totalOf(bill, month.computeAndRequests), 2),
  };
}

/** An alarm is billed per metric that it reads: one, or those of its expression. */
function metricsOf({ Metrics = [] }: { readonly Metrics?: readonly object[] | undefined }): number {
  return Math.max(1, Metrics.filter((row) => "MetricStat" in row).length);
}

interface JobReplies {
  readonly lease: HostReply;
  readonly attempt: HostReply;
}

/** A job with one round: its lease in a cycle, and its attempt, both in warm processes. */
async function oneJob(built: Built, { others, aws }: Fixture): Promise<JobReplies> {
  const overrides = { ...addressesOf(others), RUNNER_POLLING: "economy" };
  const start = (part: "Dispatcher" | "ProcessorRunner") => {
    const fn = functionOf(built, part);
    return startFunction(built, fn, { env: aws.variables(fn, overrides) });
  };
  await using dispatcher = start("Dispatcher");
  await using processor = start("ProcessorRunner");
  const timeoutMs = 75_000;
  await dispatcher.invoke({ event: { pool }, timeoutMs });
  await others.queue();
  const lease = await dispatcher.invoke({ event: { pool }, timeoutMs });
  await processor.invoke({ event: await leaseOne(others, aws), timeoutMs });
  return { lease, attempt: await processor.invoke({ event: await leaseOne(others, aws), timeoutMs }) };
}

function jobsRow(built: Built, inferenceSeconds: number, replies: JobReplies): JobsRow {
  const bill = thousandJobs({
    ...replies,
    dispatcherMemoryMb: functionOf(built, "Dispatcher").memoryMb,
    processorMemoryMb: functionOf(built, "ProcessorRunner").memoryMb,
    inferenceSeconds,
    heartbeats: Math.floor((inferenceSeconds * 1000) / timing.maxHeartbeatMs),
  });
  return { inferenceSeconds, bill: roundedBill(bill), total: rounded(totalOf(bill), 3) };
}

const roundedBill = (bill: Bill): Bill =>
  Object.fromEntries(Object.entries(bill).map(([name, usd]) => [name, rounded(usd, 4)]));
