import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { pickupModes, type PickupMode } from "../lib/dispatch/pickup.ts";
import { timing } from "../lib/timing.ts";
import { buildStack } from "../local/build.ts";
import {
  addressesOf,
  functionOf,
  pool,
  startAws,
  startOthers,
  type Aws,
  type Built,
  type Others,
} from "./ground.ts";
import { startHost } from "./host-client.ts";
import type { HostReply } from "./host-messages.ts";
import { leaseOne, question } from "./leases.ts";
import { freeTier, minutesPerMonth, prices } from "./prices.ts";
import { rounded, sum } from "./stats.ts";

/** US dollars, by what is paid for. */
export type Bill = Readonly<Record<string, number>>;

export interface IdleRow {
  readonly mode: PickupMode;
  /** Of one pool with its own stack, in a month without a job. */
  readonly bill: Bill;
  readonly computeAndRequests: number;
  /** What is left of it in an account whose Lambda free tier nothing else uses. */
  readonly withFreeTier: number;
}

export interface MonitoringRow {
  readonly level: string;
  readonly bill: Bill;
  /** With `economy`: everything that an idle stack costs. */
  readonly wholeIdleBill: number;
}

export interface JobsRow {
  readonly inferenceSeconds: number;
  /** Beyond the idle bill, for 1,000 jobs; the model is not in it. */
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

/** From one idle window of each mode and one job, counted request by request. */
export async function cost(built: Built): Promise<Cost> {
  const others = await startOthers(0);
  const aws = await startAws(built, others.runnerKey);
  try {
    await others.delayStudio(studioLatencyMs);
    const windows = await Promise.all(
      pickupModes.map(async (mode) => ({ mode, window: await idleWindow(built, { others, aws }, mode) })),
    );
    const idle = windows.map(({ mode, window }) => idleRow(built, mode, window));
    const economy = windows.find(({ mode }) => mode === "economy")?.window;
    const metrics = economy?.metrics.length ?? 0;
    const monitoring: MonitoringRow[] = [];
    for (const level of monitoringLevels)
      monitoring.push(await monitoringRow(built, level, { idle, metrics }));
    const job = await oneJob(built, { others, aws });
    return {
      pricesAsOf: prices.asOf,
      dispatcherMemoryMb: functionOf(built, "Dispatcher").memoryMb,
      processorMemoryMb: functionOf(built, "ProcessorRunner").memoryMb,
      idle,
      monitoring,
      jobs: inferencesSeconds.map((seconds) => jobsRow(built, seconds, job)),
    };
  } finally {
    await Promise.all([aws.close(), others.close()]);
  }
}

interface Scene {
  readonly others: Others;
  readonly aws: Aws;
}

/** The second one of a process: windows begin in warm ones, but the first of a day. */
async function idleWindow(built: Built, { others, aws }: Scene, mode: PickupMode): Promise<HostReply> {
  const fn = functionOf(built, "Dispatcher");
  // A pool of its own each, so that they do not wait for each other's lock.
  const own = { RUNNER_POOL: `${pool}-${mode}` };
  const hostOf = (RUNNER_PICKUP: PickupMode) =>
    startHost({
      folder: built.folder,
      file: join(fn.codeFolder, "index.js"),
      env: aws.variables(fn, { ...addressesOf(others), ...own, RUNNER_PICKUP }),
    });
  const host = hostOf(mode);
  try {
    const window = { event: { pool: own.RUNNER_POOL }, timeoutMs: fn.timeoutMs };
    if (mode === "economy") await host.invoke(window);
    return await host.invoke(window);
  } finally {
    await host.close();
  }
}

function idleRow(built: Built, mode: PickupMode, window: HostReply): IdleRow {
  const gbSeconds =
    ((functionOf(built, "Dispatcher").memoryMb / 1024) * window.durationMs * minutesPerMonth) / 1000;
  const { reads, writes, secretCalls } = unitsOf(window.requests, "pool row");
  const compute = gbSeconds * prices.lambdaArmGbSecond;
  const perWindow = {
    "Lambda requests": prices.lambdaRequest,
    "Scheduler invocations": prices.schedulerInvocation,
    "DynamoDB requests": reads * prices.dynamodbReadUnit + writes * prices.dynamodbWriteUnit,
    "Secrets Manager calls": secretCalls * prices.secretCall,
    "log lines": (window.logBytes / 1e9) * prices.logGb,
  };
  const requests = Object.entries(perWindow).map(([name, usd]) => [name, usd * minutesPerMonth] as const);
  const bill = { "Lambda compute": compute, ...Object.fromEntries(requests) };
  const computeAndRequests = sum(Object.values(bill));
  const free =
    Math.min(compute, freeTier.gbSeconds * prices.lambdaArmGbSecond) + minutesPerMonth * prices.lambdaRequest;
  return {
    mode,
    bill: roundedBill(bill),
    computeAndRequests: rounded(computeAndRequests, 2),
    withFreeTier: rounded(computeAndRequests - free, 2),
  };
}

const templateSchema = z.object({ Resources: z.record(z.string(), z.object({ Type: z.string() })) });

const fixedPrices: Readonly<Record<string, readonly [name: string, usd: number]>> = {
  "AWS::CloudWatch::Alarm": ["alarms", prices.alarmMonth],
  "AWS::CloudWatch::CompositeAlarm": ["composite alarms", prices.compositeAlarmMonth],
  "AWS::CloudWatch::Dashboard": ["dashboard", prices.dashboardMonth],
  "AWS::SecretsManager::Secret": ["secrets", prices.secretMonth],
};

async function monitoringRow(
  { folder }: Built,
  level: (typeof monitoringLevels)[number],
  { idle, metrics }: { readonly idle: readonly IdleRow[]; readonly metrics: number },
): Promise<MonitoringRow> {
  const settings = {
    stackName: `Bench-${level}`,
    pools: [{ name: pool, kind: "user" }],
    monitoring: { level },
  };
  const file = await buildStack(settings, join(folder, level));
  const { Resources } = templateSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  const bill: Record<string, number> = { "custom metrics": metrics * prices.metricMonth };
  for (const { Type } of Object.values(Resources)) {
    const [name, usd] = fixedPrices[Type] ?? [];
    if (name !== undefined && usd !== undefined) bill[name] = (bill[name] ?? 0) + usd;
  }
  const economy = idle.find(({ mode }) => mode === "economy")?.computeAndRequests ?? 0;
  return {
    level,
    bill: roundedBill(bill),
    wholeIdleBill: rounded(sum(Object.values(bill)) + economy, 2),
  };
}

interface JobReplies {
  readonly lease: HostReply;
  readonly leg: HostReply;
}

/** A job with one round: its lease in a window, and its leg; both in warm processes. */
async function oneJob(built: Built, { others, aws }: Scene): Promise<JobReplies> {
  const overrides = { ...addressesOf(others), RUNNER_PICKUP: "economy" };
  const start = (part: "Dispatcher" | "ProcessorRunner") => {
    const fn = functionOf(built, part);
    return startHost({
      folder: built.folder,
      file: join(fn.codeFolder, "index.js"),
      env: aws.variables(fn, overrides),
    });
  };
  const [dispatcher, processor] = [start("Dispatcher"), start("ProcessorRunner")];
  const timeoutMs = 75_000;
  try {
    await dispatcher.invoke({ event: { pool }, timeoutMs });
    await others.queue(question);
    const lease = await dispatcher.invoke({ event: { pool }, timeoutMs });
    await processor.invoke({ event: await leaseOne(others, aws), timeoutMs });
    return { lease, leg: await processor.invoke({ event: await leaseOne(others, aws), timeoutMs }) };
  } finally {
    await Promise.all([dispatcher.close(), processor.close()]);
  }
}

/** What a job adds to a month in which windows are open anyway. The lease's own time is counted with `economy`'s short ones. */
function jobsRow(built: Built, inferenceSeconds: number, { lease, leg }: JobReplies): JobsRow {
  const memoryGb = functionOf(built, "ProcessorRunner").memoryMb / 1024;
  const dispatcherGb = functionOf(built, "Dispatcher").memoryMb / 1024;
  const units = unitsOf(leg.requests, "open run");
  const opening = unitsOf({ PutItem: lease.requests["PutItem"] ?? 1 }, "open run");
  const beats = Math.floor((inferenceSeconds * 1000) / timing.maxBeatMs);
  const gbSeconds =
    memoryGb * (inferenceSeconds + leg.durationMs / 1000) + (dispatcherGb * lease.durationMs) / 1000;
  const writes = units.writes + opening.writes + beats * unitsOf({ UpdateItem: 1 }, "open run").writes;
  const perJob = {
    "Lambda compute": gbSeconds * prices.lambdaArmGbSecond,
    "Lambda requests": prices.lambdaRequest,
    "DynamoDB requests": units.reads * prices.dynamodbReadUnit + writes * prices.dynamodbWriteUnit,
    "log lines": ((leg.logBytes + lease.logBytes) / 1e9) * prices.logGb,
  };
  const bill = Object.fromEntries(Object.entries(perJob).map(([name, usd]) => [name, usd * 1_000]));
  return { inferenceSeconds, bill: roundedBill(bill), total: rounded(sum(Object.values(bill)), 3) };
}

/**
 * Request units of DynamoDB. Rows are below 1 KB. An open run's row is in the index of open runs too, with all its
 * attributes: each write of it is two.
 */
const writeUnits = { "pool row": 1, "open run": 2 } as const;

function unitsOf(requests: HostReply["requests"], row: keyof typeof writeUnits) {
  const count = (name: string): number => requests[name] ?? 0;
  return {
    reads: count("GetItem") + count("Query") / 2,
    writes: writeUnits[row] * (count("PutItem") + count("UpdateItem") + count("DeleteItem")),
    secretCalls: count("GetSecretValue"),
  };
}

const roundedBill = (bill: Bill): Bill =>
  Object.fromEntries(Object.entries(bill).map(([name, usd]) => [name, rounded(usd, 4)]));
