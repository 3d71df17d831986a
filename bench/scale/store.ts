import type { CyclePorts } from "../../lib/dispatch/cycle.ts";
import type { NewRun } from "../../lib/runs/run-store.ts";
import { runSchema, type Run } from "../../lib/runs/run.ts";
import { assumed } from "./resources.ts";
import type { Simulation } from "./simulation.ts";

export const pool = "scale";

export const unused = (): never => {
  throw new Error("the simulation has no use for this");
};

export async function write({ clock, writes }: Simulation, units = 1): Promise<void> {
  writes.add(units);
  await clock.sleep(assumed.dynamoDbMs);
}

async function read({ clock, reads }: Simulation, units = 0.5): Promise<void> {
  reads.add(units);
  await clock.sleep(assumed.dynamoDbMs);
}

type Store = Pick<CyclePorts, "control" | "backoff" | "lock" | "spend" | "workspaces" | "runStore">;

/** The run store as the dispatcher uses it, with its latency and billing. */
export function storeOf(simulation: Simulation): Store {
  const { heldBack, lock } = simulation;
  return {
    runStore: runStoreOf(simulation),
    control: { read: async () => read(simulation).then(() => ({ paused: false })), write: unused },
    backoff: {
      read: async () => read(simulation).then(() => ({ ...heldBack })),
      extend: async (_, throttler, untilMs) => {
        heldBack[`${throttler}UntilMs`] = untilMs;
        await write(simulation);
      },
      clear: unused,
    },
    lock: {
      acquire: async ({ owner }) => {
        await write(simulation);
        if (lock.owner !== "") return undefined;
        lock.owner = owner;
        return { owner };
      },
      recordGoodPoll: () => write(simulation),
      release: async () => {
        lock.owner = "";
        await write(simulation);
      },
      read: unused,
    },
    spend: { read: unused, add: unused },
    workspaces: {
      isOf: async () => true,
      read: async () => read(simulation).then(() => undefined),
      claim: async () => write(simulation).then(() => true),
      leftAlone: unused,
    },
  };
}

function runStoreOf(simulation: Simulation): CyclePorts["runStore"] {
  const { cpu, openRuns } = simulation;
  return {
    create: async (run) => {
      await cpu(assumed.cpuMsPerLease);
      await write(simulation, assumed.writesPerOpen - 1);
      openRuns.set(run.runId, rowOf(run));
    },
    openRuns: async () => {
      await cpu(assumed.cpuMsPerLook + openRuns.size * assumed.cpuMsPerRow);
      await read(simulation, Math.max(0.5, openRuns.size / assumed.rowsPerReadUnit));
      return [...openRuns.values()];
    },
    read: async (_, runId) => read(simulation).then(() => openRuns.get(runId)),
    recentRuns: unused,
    runsOf: unused,
    runsBeginningWith: unused,
    runsOfWorkspaces: unused,
    start: unused,
    heartbeat: unused,
    owns: unused,
    cancel: unused,
    touch: unused,
    supersede: unused,
    saveProgress: unused,
    continueRun: unused,
    restart: unused,
    finishAbandoned: unused,
    finish: unused,
  };
}

const rowOf = (run: NewRun): Run =>
  runSchema.parse({
    ...run,
    id: `run#${run.runId}`,
    state: "running",
    attempt: 1,
    leaseMs: 600_000,
    calledAtMs: run.leasedAtMs,
    heartbeatAtMs: run.leasedAtMs,
    openIn: pool,
    // Stands for the heartbeats that keep it alive.
    leaseExpiresAtMs: Number.MAX_SAFE_INTEGER,
  });
