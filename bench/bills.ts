import { awsPrices, type AwsPriceName } from "../infra/aws-prices.ts";
import type { HostReply } from "./host-messages.ts";
import { sum } from "./stats.ts";

/** US dollars, by what is paid for. */
export type Bill = Readonly<Record<string, number>>;

export const totalOf = (...bills: readonly Bill[]): number =>
  sum(bills.flatMap((bill) => Object.values(bill)));

/** What a bill is made of, by invocation. */
export type Measured = Pick<HostReply, "durationMs" | "cpuMs" | "requests" | "logBytes">;

/** Lambda gives one vCPU at 1,769 MB and a share of it below. */
export const vcpuMemoryMb = 1_769;

/** How much longer than here an invocation takes, where its CPU is a share of one. Milliseconds. */
export function stretchMs(cpuMs: number, memoryMb: number): number {
  return cpuMs * Math.max(0, vcpuMemoryMb / memoryMb - 1);
}

export const minutesPerMonth = 30 * 24 * 60;

export interface IdleMonth {
  readonly computeAndRequests: Bill;
  readonly logLines: Bill;
  /** Reading, not keeping. */
  readonly secretCalls: Bill;
}

/**
 * A month of idle cycles. Free tiers are not counted, but for the schedule's: the first 14 million invocations of
 * EventBridge Scheduler are free in each month, and a pool uses 43,200.
 */
export function idleMonth(cycle: Measured, billedMs: number, memoryMb: number): IdleMonth {
  const { reads, writes, secretCalls } = unitsOf(cycle.requests, "pool row");
  const schedules = Math.max(0, minutesPerMonth - awsPrices.schedule.free);
  const perCycle = (name: AwsPriceName, quantity: number) => minutesPerMonth * quantity * awsPrices[name].usd;
  return {
    computeAndRequests: {
      "Lambda compute": perCycle("compute", (memoryMb / 1024) * (billedMs / 1000)),
      "Lambda requests": perCycle("request", 1),
      "Scheduler invocations": schedules * awsPrices.schedule.usd,
      "DynamoDB requests": perCycle("runStoreRead", reads) + perCycle("runStoreWrite", writes),
    },
    logLines: { "log lines": perCycle("logs", cycle.logBytes / 1e9) },
    secretCalls: { "Secrets Manager calls": perCycle("secretRead", secretCalls) },
  };
}

/** Lambda's free tier of each month, per account. */
export function lambdaFreeTier(bill: Bill): number {
  const { compute, request } = awsPrices;
  return (
    Math.min(bill["Lambda compute"] ?? 0, compute.free * compute.usd) +
    Math.min(bill["Lambda requests"] ?? 0, request.free * request.usd)
  );
}

export interface Job {
  readonly lease: Measured;
  readonly attempt: Measured;
  readonly dispatcherMemoryMb: number;
  readonly processorMemoryMb: number;
  readonly inferenceSeconds: number;
  readonly heartbeats: number;
}

/** What 1,000 jobs add to a month in which cycles are open anyway. A lease's own time is counted with a short cycle's. */
export function thousandJobs(job: Job): Bill {
  const { lease, attempt, inferenceSeconds } = job;
  const units = unitsOf(attempt.requests, "open run");
  const opening = unitsOf({ PutItem: lease.requests["PutItem"] ?? 1 }, "open run").writes;
  const heartbeatWrites = job.heartbeats * unitsOf({ UpdateItem: 1 }, "open run").writes;
  const attemptMs =
    inferenceSeconds * 1000 + attempt.durationMs + stretchMs(attempt.cpuMs, job.processorMemoryMb);
  const leaseMs = lease.durationMs + stretchMs(lease.cpuMs, job.dispatcherMemoryMb);
  const gbSeconds = (job.processorMemoryMb * attemptMs + job.dispatcherMemoryMb * leaseMs) / 1024 / 1000;
  const { compute, request, runStoreRead, runStoreWrite, logs } = awsPrices;
  return {
    "Lambda compute": 1_000 * gbSeconds * compute.usd,
    "Lambda requests": 1_000 * request.usd,
    "DynamoDB requests":
      1_000 *
      (units.reads * runStoreRead.usd + (units.writes + opening + heartbeatWrites) * runStoreWrite.usd),
    "log lines": 1_000 * ((attempt.logBytes + lease.logBytes) / 1e9) * logs.usd,
  };
}

/**
 * Request units of DynamoDB. Rows are below 1 KB. An open run's row is in the index of open runs too, with all its
 * attributes: each write of it is two. Reads of an index are eventually consistent: half a unit.
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
