import type { CycleDeps } from "../../lib/dispatch/cycle.ts";
import type { NewRun } from "../../lib/runs/run-store.ts";
import { runSchema, type Run } from "../../lib/runs/run.ts";
import { assumed } from "./resources.ts";
import type { Scene } from "./scene.ts";

export const pool = "scale";

export const unused = (): never => {
  throw new Error("the simulation has no use for this");
};

export async function write({ clock, writes }: Scene, units = 1): Promise<void> {
  writes.add(units);
  await clock.sleep(assumed.dynamoDbMs);
}

async function read({ clock, reads }: Scene, units = 0.5): Promise<void> {
  reads.add(units);
  await clock.sleep(assumed.dynamoDbMs);
}

type Store = Pick<CycleDeps, "control" | "backoff" | "lock" | "spend" | "workspaces" | "runStore">;

/** The run store as the dispatcher uses it, with its latency and billing. */
export function storeOf(scene: Scene): Store {
  const { heldBack, lock } = scene;
  return {
    runStore: runStoreOf(scene),
    control: { read: async () => read(scene).then(() => ({ paused: false })), write: unused },
    backoff: {
      read: async () => read(scene).then(() => ({ ...heldBack })),
      extend: async (_, throttler, untilMs) => {
        heldBack[`${throttler}UntilMs`] = untilMs;
        await write(scene);
      },
      clear: unused,
    },
    lock: {
      acquire: async ({ owner }) => {
        await write(scene);
        if (lock.owner !== "") return false;
        lock.owner = owner;
        return true;
      },
      release: async () => {
        lock.owner = "";
        await write(scene);
      },
      read: unused,
    },
    spend: { read: unused, add: unused },
    workspaces: {
      isOf: async () => true,
      read: async () => read(scene).then(() => undefined),
      claim: async () => write(scene).then(() => true),
      leftAlone: unused,
    },
  };
}

function runStoreOf(scene: Scene): CycleDeps["runStore"] {
  const { cpu, openRuns } = scene;
  return {
    create: async (run) => {
      await cpu(assumed.cpuMsPerLease);
      await write(scene, assumed.writesPerOpen - 1);
      openRuns.set(run.runId, rowOf(run));
    },
    openRuns: async () => {
      await cpu(assumed.cpuMsPerLook + openRuns.size * assumed.cpuMsPerRow);
      await read(scene, Math.max(0.5, openRuns.size / assumed.rowsPerReadUnit));
      return [...openRuns.values()];
    },
    read: async (_, runId) => read(scene).then(() => openRuns.get(runId)),
    recentRuns: unused,
    runsOf: unused,
    start: unused,
    heartbeat: unused,
    owns: unused,
    touch: unused,
    supersede: unused,
    note: unused,
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
