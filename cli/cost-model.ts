import { alarmRows } from "../infra/monitoring/alarms.ts";
import type { AlarmRow } from "../infra/monitoring/alarm-row.ts";
import { levels } from "../infra/monitoring/levels.ts";
import { storesModelKey, type PoolSettings, type Settings } from "../infra/settings.ts";
import { pollingTimes } from "../lib/dispatch/polling.ts";
import type { Run } from "../lib/runs/run.ts";
import { metricTable } from "../lib/core/metrics.ts";
import { timing } from "../lib/core/timing.ts";
import { awsPrices, type AwsPriceName } from "../infra/dated-table.ts";

/** One item of a bill. Amounts are not rounded. */
export interface CostItem {
  readonly what: string;
  readonly price: AwsPriceName;
  readonly quantity: number;
  readonly listUsd: number;
  /** The cost with the account's free tier, if nothing else uses it. */
  readonly usd: number;
}

const cyclesPerMonth = 30 * 24 * 60;
/**
 * Duration of a cycle apart from its polling: calls to the run store and Studio's last answer. Measured
 * locally, rounded up.
 */
const cycleOverheadSeconds = 0.5;
/** Taking and releasing the lock. */
const writesPerCycle = 2;
/** Control, back-off, and the runs in flight, which counts half because the read is eventually consistent. */
const readsPerCycle = 2.5;
/** The runner keys. */
const secretReadsPerCycle = 1;
/** Cycles and GoodPolls. */
const idleMetrics = 2;
/** The cycle's log line, its metrics, and two lines of Lambda. */
const bytesPerCycle = 2_000;

/** The cost of these pools in a month of 30 days without jobs. */
export function idleCost(settings: Settings, pools: readonly PoolSettings[]): readonly CostItem[] {
  const rows: readonly {
    readonly what: string;
    readonly price: AwsPriceName;
    readonly of: (pool: PoolSettings) => number;
  }[] = [
    { what: "dispatcher, compute", price: "compute", of: idleGbSeconds },
    { what: "dispatcher, starts", price: "request", of: () => cyclesPerMonth },
    { what: "schedule", price: "schedule", of: () => cyclesPerMonth },
    { what: "run store, writes", price: "runStoreWrite", of: () => cyclesPerMonth * writesPerCycle },
    {
      what: "run store, reads",
      price: "runStoreRead",
      of: (pool) => cyclesPerMonth * (readsPerCycle + cappedOnly(pool)),
    },
    { what: "secrets", price: "secret", of: ownSecrets },
    { what: "secrets, reads", price: "secretRead", of: () => cyclesPerMonth * secretReadsPerCycle },
    { what: "custom metrics", price: "metric", of: (pool) => idleMetrics + cappedOnly(pool) },
    { what: "alarms", price: "alarm", of: (pool) => alarmMetrics(settings, pool) },
    { what: "alarm Page", price: "compositeAlarm", of: () => (contentsOf(settings).page ? 1 : 0) },
    { what: "dashboards", price: "dashboard", of: () => (contentsOf(settings).dashboard ? 1 : 0) },
    { what: "log lines", price: "logs", of: () => (cyclesPerMonth * bytesPerCycle) / 1e9 },
  ];
  return rows
    .map(({ what, price, of }) => {
      const shared = price === "secret" ? sharedSecrets(settings) : 0;
      return itemOf(
        what,
        price,
        pools.reduce((sum, pool) => sum + of(pool), shared),
      );
    })
    .filter(({ quantity }) => quantity > 0);
}

const contentsOf = ({ monitoring }: Settings) => levels[monitoring.level];
const cappedOnly = ({ dailyCapUsd }: PoolSettings): number => (dailyCapUsd === undefined ? 0 : 1);

/** The secrets that the stack creates for a pool: runner keys, and the account key for rotation. */
function ownSecrets({ keySecretArn, rotation }: PoolSettings): number {
  const account = rotation !== undefined && rotation.accountKeySecretArn === undefined ? 1 : 0;
  return (keySecretArn === undefined ? 1 : 0) + account;
}

/** The model key's secret, if the stack creates it. */
const sharedSecrets = (settings: Settings): number =>
  storesModelKey(settings) && settings.inference.keySecretArn === undefined ? 1 : 0;

function idleGbSeconds({ polling, dispatcher }: PoolSettings): number {
  const seconds = pollingTimes[polling].cycleMs / 1_000 + cycleOverheadSeconds;
  return (cyclesPerMonth * seconds * dispatcher.memoryMb) / 1_024;
}

/** An alarm is billed per metric that it reads. */
function alarmMetrics(settings: Settings, pool: PoolSettings): number {
  const { alarms } = contentsOf(settings);
  const rows: readonly AlarmRow[] = alarms === "none" ? [] : alarmRows;
  return rows
    .filter((row) => (alarms === "all" || row.lean) && (row.where?.(pool) ?? true))
    .reduce((sum, { sources }) => sum + Object.keys(sources).length, 0);
}

function itemOf(what: string, price: AwsPriceName, quantity: number): CostItem {
  const { usd, free } = awsPrices[price];
  return { what, price, quantity, listUsd: quantity * usd, usd: Math.max(0, quantity - free) * usd };
}

/**
 * The minimum number of custom metrics that a pool with jobs emits in addition to the idle ones: one value
 * for each dimension besides the pool.
 */
export function metricsOfBusyPool(): number {
  return Object.keys(metricTable).length - idleMetrics;
}

/** Averages per run, over recent runs. */
export interface Measured {
  readonly runs: number;
  /** Time from a run's lease to its end: the maximum that its attempts are billed for. */
  readonly seconds: number;
  readonly attempts: number;
  readonly rounds: number;
  /** The cost of the model's tokens; `undefined`: no run has a known price. */
  readonly tokensUsd: number | undefined;
}

/** `undefined`: none of the runs has ended. */
export function measure(runs: readonly Run[]): Measured | undefined {
  const ended = runs.filter(({ endedAtMs }) => endedAtMs !== undefined);
  if (ended.length === 0) return undefined;
  const mean = (of: (run: Run) => number): number =>
    ended.reduce((sum, run) => sum + of(run), 0) / ended.length;
  const priced = ended.filter(({ costUsd }) => costUsd !== undefined);
  return {
    runs: ended.length,
    seconds: mean(({ endedAtMs = 0, leasedAtMs }) => (endedAtMs - leasedAtMs) / 1_000),
    attempts: mean(({ attempt }) => attempt),
    rounds: mean(({ rounds }) => rounds),
    tokensUsd:
      priced.length === 0
        ? undefined
        : priced.reduce((sum, { costUsd = 0 }) => sum + costUsd, 0) / priced.length,
  };
}

/**
 * Creating and finishing a run, and heartbeats, write to the table and to its index. Other writes affect the
 * table only.
 */
const writesOfIndexed = 2;
const bytesPerJob = 4_000;
const bytesPerRound = 1_200;

/**
 * What 1,000 jobs like the measured ones add to an idle month, at list prices and without the model's tokens.
 */
export function jobsCost({ processor }: PoolSettings, measured: Measured): readonly CostItem[] {
  const { seconds, attempts, rounds } = measured;
  const jobs = 1_000;
  const heartbeats = seconds / (timing.maxHeartbeatMs / 1_000);
  // One write at the start of each attempt, two per round for its start and end, and one for the day's
  // spending.
  const writes = writesOfIndexed * (2 + heartbeats) + attempts + 2 * rounds + 1;
  return [
    itemOf("processor, compute", "compute", (jobs * seconds * processor.memoryMb) / 1_024),
    itemOf("processor, starts", "request", jobs * attempts),
    itemOf("run store, writes", "runStoreWrite", jobs * writes),
    itemOf("log lines", "logs", (jobs * (bytesPerJob + rounds * bytesPerRound)) / 1e9),
  ];
}
