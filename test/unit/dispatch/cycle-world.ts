import { pollingTimes } from "../../../lib/dispatch/polling.ts";
import type { CyclePorts, CycleSettings } from "../../../lib/dispatch/cycle.ts";
import { RunnerError } from "../../../lib/core/errors.ts";
import type { AttemptEvent } from "../../../lib/core/invoker.ts";
import type { Backoff } from "../../../lib/runs/backoff.ts";
import type { Control } from "../../../lib/runs/control.ts";
import type { EndedCycle } from "../../../lib/runs/dispatch-lock.ts";
import type { NewRun } from "../../../lib/runs/run-store.ts";
import { runSchema } from "../../../lib/runs/run.ts";
import { Secret, type RunnerKey } from "../../../lib/core/secret.ts";
import type { Lease } from "../../../lib/studio/schemas.ts";
import type { FakeClock } from "../../support/fake-clock.ts";
import { recordingLog, recordingMetrics } from "../../support/silent.ts";

const unused = (): never => {
  throw new Error("not the dispatcher's business");
};

const noSpend = {
  costUsd: 0,
  runs: 0,
  completed: 0,
  failed: 0,
  lost: 0,
  inputTokens: 0,
  outputTokens: 0,
};

export const key = (id: string, value = `${id}.secret`): RunnerKey => ({ id, value: new Secret(value) });

interface World {
  readonly clock: FakeClock;
  /** Answers lease calls, given the key's id. */
  readonly lease: (keyId: string, call: number) => Promise<Lease | undefined>;
  readonly keys?: readonly RunnerKey[];
  readonly freshKeys?: readonly RunnerKey[];
  readonly control?: Partial<Control>;
  readonly spentUsd?: () => number;
  readonly locked?: boolean;
  readonly alreadyOpen?: number;
  readonly random?: number;
  readonly backoff?: Backoff;
  readonly invoke?: (event: AttemptEvent) => Promise<void>;
  readonly openRun?: (run: NewRun) => Promise<void>;
}

export function build(world: World) {
  const { clock } = world;
  const opened: NewRun[] = [];
  const invoked: AttemptEvent[] = [];
  const leasedWith: string[] = [];
  const released: string[] = [];
  const left: EndedCycle[] = [];
  const heldBack: string[] = [];
  const log = recordingLog();
  const metrics = recordingMetrics();
  let ids = 0;
  const rowsBefore = Array.from({ length: world.alreadyOpen ?? 0 }, (_, i) =>
    runSchema.parse({
      pool: "default",
      id: `run#old${i}`,
      runId: `old${i}`,
      workspaceId: "w",
      keyId: "k1",
      state: "running",
      attempt: 1,
      leasedAtMs: 0,
      leaseMs: 1e12,
      leaseExpiresAtMs: 1e12,
      calledAtMs: 0,
      heartbeatAtMs: 0,
    }),
  );
  const deps: CyclePorts = {
    clock,
    random: () => world.random ?? 0,
    runLimitMs: 3_600_000,
    newId: () => `id${++ids}`,
    log,
    metrics,
    studio: {
      lease: async (call) => {
        leasedWith.push(call.key.id);
        return world.lease(call.key.id, leasedWith.length);
      },
      context: unused,
      heartbeat: unused,
      updateSummary: unused,
      complete: unused,
      fail: unused,
    },
    keys: {
      get: async () => world.keys ?? [key("k1")],
      refresh: async () => world.freshKeys ?? world.keys ?? [key("k1")],
      retired: unused,
    },
    control: { read: async () => ({ paused: false, ...world.control }), write: unused },
    backoff: {
      read: async () => world.backoff ?? { modelUntilMs: 0, studioUntilMs: 0 },
      extend: async (_, throttler, untilMs) => void heldBack.push(`${throttler} until ${untilMs}`),
      clear: unused,
    },
    lock: {
      acquire: async () => !world.locked,
      release: async ({ owner }, ended) => {
        released.push(owner);
        left.push(ended);
      },
      read: unused,
    },
    spend: { read: async () => ({ ...noSpend, costUsd: world.spentUsd?.() ?? 0 }), add: unused },
    workspaces: {
      isOf: async () => true,
      read: async () => undefined,
      claim: async () => true,
      leftAlone: unused,
    },
    runStore: {
      create: async (run) => {
        await world.openRun?.(run);
        opened.push(run);
      },
      openRuns: async () => rowsBefore,
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
      read: async (_, runId) => {
        const found = opened.find((run) => run.runId === runId);
        if (!found) return undefined;
        const row = {
          ...found,
          id: `run#${runId}`,
          state: "leased",
          attempt: 1,
          leaseMs: 600_000,
          calledAtMs: found.leasedAtMs,
          openIn: "default",
        };
        return runSchema.parse(row);
      },
    },
    invoker: {
      invoke: async (event) => {
        await world.invoke?.(event);
        invoked.push(event);
      },
    },
  };
  return { deps, opened, invoked, leasedWith, released, left, heldBack, log, metrics };
}

export const settings: CycleSettings = {
  pool: "default",
  polling: pollingTimes.economy,
  concurrency: 10,
  leasesPerKey: undefined,
  dailyCapUsd: undefined,
  maxEventAgeMs: 300_000,
};
const running = (): AbortSignal => new AbortController().signal;
export const time = { remainingMs: 75_000, stop: running() };
/** Leaves no time for a second poll. */
export const onePoll = { ...time, remainingMs: 15_000 };

/** A queue of `count` jobs. */
export function queueOf(count: number, clock: FakeClock) {
  let left = count;
  return async (): Promise<Lease | undefined> =>
    left-- > 0 ? { workspaceId: `ws${count - left}`, leaseExpiresAtMs: clock.now() + 600_000 } : undefined;
}

export const empty = async (): Promise<undefined> => undefined;
export const unavailable = new RunnerError("studio_unavailable", "Studio answered 503", {
  retryable: true,
  status: 503,
});
export const fails = (error: RunnerError) => async (): Promise<never> => {
  throw error;
};
