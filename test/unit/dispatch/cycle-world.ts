import { pollingTimes } from "../../../lib/dispatch/polling.ts";
import { runCycle, type CycleSettings } from "../../../lib/dispatch/cycle.ts";
import { RunnerError } from "../../../lib/core/errors.ts";
import type { AttemptEvent } from "../../../lib/adapters/lambda.ts";
import type { Backoff } from "../../../lib/runs/backoff.ts";
import type { Control } from "../../../lib/runs/control.ts";
import type { EndedCycle, LockState } from "../../../lib/runs/dispatch-lock.ts";
import type { NewRun } from "../../../lib/runs/run-store.ts";
import { runSchema } from "../../../lib/runs/run.ts";
import { Secret, type RunnerKey } from "../../../lib/core/secret.ts";
import type { Lease } from "../../../lib/studio/schemas.ts";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.ts";
import { partOf } from "../../support/part-of.ts";
import { recordingLog, recordingMetrics } from "../../support/silent.ts";

const noSpend = { costUsd: 0, runs: 0, completed: 0, failed: 0, lost: 0, inputTokens: 0, outputTokens: 0 };

export const key = (id: string, value = `${id}.secret`): RunnerKey => ({ id, value: new Secret(value) });

interface World {
  readonly clock?: FakeClock;
  /** Number of jobs in the queue, unless `lease` is given. */
  readonly jobs?: number;
  /** Answers lease calls, given the key's id. */
  readonly lease?: (keyId: string, call: number) => Promise<Lease | undefined>;
  readonly keys?: readonly RunnerKey[];
  readonly freshKeys?: readonly RunnerKey[];
  readonly control?: Partial<Control>;
  readonly spentUsd?: () => number;
  readonly locked?: boolean;
  /** The lock's row as the cycle finds it. */
  readonly lockState?: LockState;
  readonly alreadyOpen?: number;
  readonly random?: number;
  readonly backoff?: Partial<Backoff>;
  readonly invoke?: (event: AttemptEvent) => Promise<void>;
  readonly openRun?: (run: NewRun) => Promise<void>;
}

export function build(world: World = {}) {
  const { clock = createFakeClock(), keys = [key("k1")] } = world;
  const lease = world.lease ?? queueOf(world.jobs ?? 0, clock);
  const opened: NewRun[] = [];
  const invoked: AttemptEvent[] = [];
  const leasedWith: string[] = [];
  const released: string[] = [];
  const left: EndedCycle[] = [];
  const goodPolls: number[] = [];
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
  const ports: Parameters<typeof runCycle>[0] = {
    clock,
    random: () => world.random ?? 0,
    runLimitMs: 3_600_000,
    newId: () => `id${++ids}`,
    log,
    metrics,
    studio: partOf({
      lease: async (call) => {
        leasedWith.push(call.key.id);
        return lease(call.key.id, leasedWith.length);
      },
    }),
    keys: partOf({ get: async () => keys, refresh: async () => world.freshKeys ?? keys }),
    control: partOf({ read: async () => ({ paused: false, ...world.control }) }),
    backoff: partOf({
      read: async () => ({ modelUntilMs: 0, studioUntilMs: 0, ...world.backoff }),
      extend: async (_, throttler, untilMs) => void heldBack.push(`${throttler} until ${untilMs}`),
    }),
    lock: partOf({
      acquire: async () => (world.locked ? undefined : { ...world.lockState }),
      recordGoodPoll: async (_, atMs) => void goodPolls.push(atMs),
      release: async ({ owner }, ended) => {
        released.push(owner);
        left.push(ended);
      },
    }),
    spend: partOf({ read: async () => ({ ...noSpend, costUsd: world.spentUsd?.() ?? 0 }) }),
    workspaces: partOf({ isOf: async () => true, read: async () => undefined, claim: async () => true }),
    runStore: partOf({
      create: async (run) => {
        await world.openRun?.(run);
        opened.push(run);
      },
      openRuns: async () => rowsBefore,
      read: async (_, runId) => {
        const found = opened.find((run) => run.runId === runId);
        if (!found) return undefined;
        const times = { leaseMs: 600_000, calledAtMs: found.leasedAtMs };
        const row = {
          ...found,
          ...times,
          id: `run#${runId}`,
          state: "leased",
          attempt: 1,
          openIn: "default",
        };
        return runSchema.parse(row);
      },
    }),
    invoker: {
      invoke: async (event) => {
        await world.invoke?.(event);
        invoked.push(event);
      },
    },
  };
  /** Runs a cycle while `forMs` pass. */
  const cycle = async ({ mode = "economy", forMs = 60_000, ...given }: CycleOptions = {}) => {
    const { remainingMs = 75_000, stop = new AbortController().signal, ...changed } = given;
    const settings = { ...deployed, polling: pollingTimes[mode], ...changed };
    const ending = runCycle(ports, settings, { remainingMs, stop });
    const [summary] = await Promise.all([ending, clock.advance(forMs)]);
    return summary;
  };
  return {
    clock,
    ports,
    cycle,
    opened,
    invoked,
    leasedWith,
    released,
    left,
    goodPolls,
    heldBack,
    log,
    metrics,
  };
}

interface CycleOptions extends Partial<CycleSettings> {
  readonly mode?: keyof typeof pollingTimes;
  readonly forMs?: number;
  readonly remainingMs?: number;
  readonly stop?: AbortSignal;
}

const deployed = {
  pool: "default",
  concurrency: 10,
  leasesPerKey: undefined,
  dailyCapUsd: undefined,
  maxEventAgeMs: 300_000,
};
/** Leaves no time for a second poll. */
export const onePoll = { remainingMs: 15_000 };

/** A queue of `count` jobs. */
export function queueOf(count: number, clock: FakeClock) {
  let left = count;
  return async (): Promise<Lease | undefined> =>
    left-- > 0 ? { workspaceId: `ws${count - left}`, leaseExpiresAtMs: clock.now() + 600_000 } : undefined;
}

export const unavailable = new RunnerError("studio_unavailable", "503", { retryable: true, status: 503 });
export const tooManyRequests = (retryAfterMs: number) =>
  new RunnerError("studio_unavailable", "429", { retryable: true, status: 429, retryAfterMs });
export const throttled = new RunnerError("run_store_unavailable", "throttled", { retryable: true });
export const fails = (error: RunnerError) => async (): Promise<never> => {
  throw error;
};
