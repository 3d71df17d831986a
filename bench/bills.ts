import { awsPrices, type AwsPriceName } from "../infra/dated-table.ts";
import type { HostReply } from "./host-messages.ts";
import { sum } from "./stats.ts";

/** US dollars by item. */
export type Bill = Readonly<Record<string, number>>;

export const totalOf = (...bills: readonly Bill[]): number =>
  sum(bills.flatMap((bill) => Object.values(bill)));

/** The measurements of an invocation that its bill depends on. */
export type Measured = Pick<HostReply, "durationMs" | "cpuMs" | "requests" | "logBytes">;

/** Lambda provides one vCPU at 1,769 MB, and a proportional share below. */
export const vcpuMemoryMb = 1_769;

/** Milliseconds that an invocation takes longer than in the measurement, if it has only a share of a CPU. */
export function stretchMs(cpuMs: number, memoryMb: number): number {
  return cpuMs * Math.max(0, vcpuMemoryMb / memoryMb - 1);
}

const minutesPerMonth = 30 * 24 * 60;

export interface IdleMonth {
  readonly computeAndRequests: Bill;
  readonly logLines: Bill;
  /** Reads of secrets, without storage. */
  readonly secretCalls: Bill;
}

/**
 * The bill of a month of idle cycles. Ignores free tiers except the schedule's: the first 14 million
 * invocations of EventBridge Scheduler are free each month, and a pool uses 43,200.
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

/** Lambda's monthly free tier, per account. */
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

/**
 * What 1,000 jobs add to a month in which cycles run anyway. The time of a lease call is counted as that of a
 * short cycle.
 */
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
 * DynamoDB request units. Rows are below 1 KB. The row of an open run is also in the index of open runs, with
 * all its attributes, so each write counts twice. Reads of an index are eventually consistent and cost half a
 * unit.
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
