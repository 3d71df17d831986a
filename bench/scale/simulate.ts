import { awsPrices } from "../../infra/dated-table.ts";
import { pollingTimes } from "../../lib/dispatch/polling.ts";
import { runCycle, type CyclePorts } from "../../lib/dispatch/cycle.ts";
import { RunnerError } from "../../lib/core/errors.ts";
import type { Log } from "../../lib/core/log.ts";
import { Secret } from "../../lib/core/secret.ts";
import { timing } from "../../lib/core/timing.ts";
import { assumed } from "./resources.ts";
import { simulationOf, type Load, type Simulation } from "./simulation.ts";
import { pool, storeOf, unused, write } from "./store.ts";
import { createVirtualClock } from "./virtual-clock.ts";

export interface Outcome {
  readonly drainSeconds: number;
  /** jobs / concurrency × the duration of a job. */
  readonly idealSeconds: number;
  /** Seconds from the start until all slots are taken, or all jobs are leased. */
  readonly fullSeconds: number;
  readonly studioPeakPerSecond: number;
  readonly refusedByStudio: number;
  /** Write units of the single partition that contains a pool's rows. */
  readonly writePeakPerSecond: number;
  readonly readPeakPerSecond: number;
  readonly environments: number;
  readonly usd: number;
}

const remainingMs = 75_000;

/** Drains a full queue with the real dispatcher. Studio, DynamoDB and Lambda behave as `assumed` says. */
export async function simulate(load: Load): Promise<Outcome> {
  const simulation = simulationOf(createVirtualClock(), load);
  const cycles = openCycles(simulation);
  await simulation.clock.runUntil(simulation.done.promise);
  simulation.stop.abort("all jobs have ended");
  await simulation.clock.runUntil(cycles);
  return outcomeOf(simulation);
}

/** Starts a cycle every minute, as the schedule does. */
async function openCycles(simulation: Simulation): Promise<void> {
  const { clock, load, stop, billed } = simulation;
  const settings = {
    pool,
    concurrency: load.concurrency,
    polling: pollingTimes[load.polling],
    leasesPerKey: undefined,
    dailyCapUsd: undefined,
    maxEventAgeMs: timing.maxEventAgeMs,
  };
  const ports = portsOf(simulation);
  const open: Promise<unknown>[] = [];
  for (let dueMs = 0; ; dueMs += timing.scheduleMs) {
    await clock.sleep(dueMs - clock.now(), stop.signal).catch(() => undefined);
    if (stop.signal.aborted) break;
    const startedAtMs = clock.now();
    const cycle = runCycle(ports, settings, { remainingMs, stop: stop.signal })
      .catch(() => undefined) // as in Lambda, the next cycle starts by its schedule
      .then(() => void (billed.dispatcherMs += clock.now() - startedAtMs));
    open.push(cycle);
  }
  await Promise.all(open);
}

async function askStudio({ clock, load, studio, seen }: Simulation): Promise<void> {
  const { studioPerSecond = Number.POSITIVE_INFINITY } = load;
  const isTooMany = studio.now() >= studioPerSecond;
  studio.add(1);
  await clock.sleep(assumed.studioMs);
  if (!isTooMany) return;
  seen.refused += 1;
  const options = { retryable: true, status: 429, retryAfterMs: 1_000 };
  throw new RunnerError("studio_unavailable", "too many requests", options);
}

async function askUntilTaken(simulation: Simulation): Promise<void> {
  for (;;) {
    try {
      return await askStudio(simulation);
    } catch {
      await simulation.clock.sleep(1_000);
    }
  }
}

/** What a processor does for one run, as far as others notice it. */
async function work(simulation: Simulation, runId: string): Promise<void> {
  const { clock, load, lambda, openRuns, seen, billed, done } = simulation;
  const startMs = await lambda.start();
  const beganAtMs = clock.now() - startMs;
  await askUntilTaken(simulation); // the context
  await clock.sleep(load.jobSeconds * 1_000);
  await askUntilTaken(simulation); // the heartbeat that proves the lease
  await askUntilTaken(simulation); // the completion
  await write(simulation, assumed.writesPerJob - assumed.writesPerOpen);
  openRuns.delete(runId);
  lambda.end();
  billed.processorMs += clock.now() - beganAtMs;
  seen.ended += 1;
  seen.endedAtMs = clock.now();
  if (seen.ended === load.jobs) done.resolve();
}

function portsOf(simulation: Simulation): CyclePorts {
  let ids = 0;
  return {
    ...storeOf(simulation),
    clock: simulation.clock,
    random: () => 0.5,
    runLimitMs: 3_600_000,
    newId: () => `id${++ids}`,
    log: silentLog,
    metrics: { emit: () => undefined },
    studio: studioOf(simulation),
    keys: {
      get: async () => [{ id: "key", value: new Secret("key.secret") }],
      refresh: async () => [],
      retired: async () => [],
    },
    invoker: {
      invoke: async ({ runId }) => {
        await simulation.clock.sleep(assumed.invokeMs);
        void work(simulation, runId);
      },
    },
  };
}

function studioOf(simulation: Simulation): CyclePorts["studio"] {
  const { clock, load, seen } = simulation;
  return {
    lease: async () => {
      await askStudio(simulation);
      if (seen.leased >= load.jobs) return undefined;
      seen.leased += 1;
      if (seen.leased === Math.min(load.jobs, load.concurrency)) seen.fullAtMs = clock.now();
      return { workspaceId: `ws${seen.leased}`, leaseExpiresAtMs: clock.now() + 600_000 };
    },
    context: unused,
    heartbeat: unused,
    updateSummary: unused,
    complete: unused,
    fail: unused,
  };
}

function outcomeOf({ load, seen, studio, writes, reads, lambda, billed }: Simulation): Outcome {
  const { jobs, concurrency, jobSeconds, dispatcherMemoryMb } = load;
  const { compute, request, runStoreWrite, runStoreRead } = awsPrices;
  const megabyteMs =
    billed.dispatcherMs * dispatcherMemoryMb + billed.processorMs * assumed.processorMemoryMb;
  return {
    drainSeconds: seen.endedAtMs / 1_000,
    idealSeconds: Math.ceil(jobs / concurrency) * (jobSeconds + (3 * assumed.studioMs) / 1_000),
    fullSeconds: seen.fullAtMs / 1_000,
    studioPeakPerSecond: studio.peak(),
    refusedByStudio: seen.refused,
    writePeakPerSecond: Math.ceil(writes.peak()),
    readPeakPerSecond: Math.ceil(reads.peak()),
    environments: lambda.count(),
    usd:
      (compute.usd * megabyteMs) / (1_000 * 1_024) +
      request.usd * jobs +
      runStoreWrite.usd * writes.total() +
      runStoreRead.usd * reads.total(),
  };
}

const silentLog: Log = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => silentLog,
};
