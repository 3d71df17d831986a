import { expect } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { runAttempt } from "../../../lib/attempt/attempt.ts";
import { jobDigest } from "../../../lib/attempt/job-digest.ts";
import type { Product } from "../../../lib/attempt/work-context.ts";
import type { RunStore } from "../../../lib/runs/run-store.ts";
import { emptyDraft } from "../../../lib/deliverables/draft.ts";
import { runSchema, type FinishedRun, type Held, type Run, type RunProgress } from "../../../lib/runs/run.ts";
import type { AttemptEvent } from "../../../lib/adapters/lambda.ts";
import { Secret, type RunnerKey } from "../../../lib/core/secret.ts";
import type { Context } from "../../../lib/studio/schemas.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { context } from "../agent/context-support.ts";
import { partOf } from "../../support/part-of.ts";
import { recordingLog, recordingMetrics } from "../../support/silent.ts";

export const event = { pool: "default", runId: "r1", attempt: 1 };
export const key = (id: string, value: string): RunnerKey => ({ id, value: new Secret(value) });
export const lost = new RunnerError("lease_lost", "the lease is gone: 409", { status: 409 });
export const outage = new RunnerError("studio_unavailable", "Studio answered 502", {
  retryable: true,
  status: 502,
});
export const keyRefused = new RunnerError("key_refused", "401", { status: 401 });
export const throttled = new RunnerError("run_store_unavailable", "throttled", { retryable: true });
export const tooManyRequests = (retryAfterMs?: number): RunnerError =>
  new RunnerError("studio_unavailable", "429", { retryable: true, status: 429, retryAfterMs });

export const throwing = (error: unknown) => async (): Promise<never> => {
  throw error;
};

/** Throws on its first `times` calls, then does nothing. */
export function throwingFirst(error: unknown, times = 1): () => Promise<undefined> {
  let calls = 0;
  return async () => {
    if (++calls <= times) throw error;
  };
}

/** Does nothing on its first `times` calls, then always throws. */
export function throwingAfter(times: number, error: unknown): () => Promise<undefined> {
  let calls = 0;
  return async () => {
    if (++calls > times) throw error;
  };
}

export const product: Product = {
  payload: { assistantMessage: "Done.", ...emptyDraft },
  deliverables: { chart: 1 },
};

/** The job's context, which Studio returns while the lease is for this job. */
export const jobContext = context({
  workspaceId: "ws1",
  title: null,
  messageCount: 1,
  recentMessages: [{ id: "m1", role: "user", text: "Compare teas.", createdAtMs: 900_000 }],
  priorMessages: [],
  recentText: "Compare teas.",
});
/** The context of the workspace's next job. */
export const nextJobContext: Context = { ...jobContext, recentMessages: [] };

/** The run store: the run is the caller's, and nobody has cancelled it. */
export const held: Held = { cancelled: undefined };

type Ports = Parameters<typeof runAttempt>[0];
export type Work = Ports["work"];

export interface World {
  readonly work?: Work;
  readonly heartbeat?: () => Promise<{ readonly leaseExpiresAtMs: number } | undefined>;
  readonly complete?: () => Promise<void>;
  readonly fail?: () => Promise<void>;
  readonly context?: () => Promise<Context | undefined>;
  readonly runStore?: Partial<RunStore>;
  readonly hasWorkspace?: boolean;
  readonly leasedAgoMs?: number;
  /** Overrides fields of the row that the attempt starts with. */
  readonly row?: Partial<Run>;
  readonly saveProgress?: () => Promise<void>;
  readonly invoke?: () => Promise<void>;
  readonly addSpend?: () => Promise<void>;
  readonly extendBackoff?: () => Promise<void>;
  readonly cancelResponse?: () => Promise<void>;
}

export function build(world: World = {}) {
  const clock = createFakeClock(1_000_000);
  const requests: string[] = [];
  const outcomes: Omit<FinishedRun, "progress">[] = [];
  const notes: RunProgress[] = [];
  const continued: RunProgress[] = [];
  const invoked: AttemptEvent[] = [];
  const cancelled: string[] = [];
  const spent: object[] = [];
  const heldBack: string[] = [];
  const stop = new AbortController();
  const log = recordingLog();
  const metrics = recordingMetrics();
  const leasedAtMs = clock.now() - (world.leasedAgoMs ?? 0);
  const run = runSchema.parse({
    ...event,
    id: "run#r1",
    workspaceId: "ws1",
    keyId: "k1",
    state: "running",
    leasedAtMs,
    leaseMs: 600_000,
    leaseExpiresAtMs: leasedAtMs + 600_000,
    calledAtMs: leasedAtMs,
    beganAtMs: clock.now(),
    jobDigest: jobDigest(jobContext),
    ...world.row,
  });
  const keys = [key("k1", "k1.secret")];
  const ports: Ports = {
    clock,
    random: () => 1,
    newId: () => "invocation1",
    log,
    metrics,
    modelName: "m",
    stop: stop.signal,
    backoff: partOf({
      extend: async (pool, throttler, untilMs) => {
        await world.extendBackoff?.();
        heldBack.push(`${pool}: ${throttler} until ${untilMs}`);
      },
    }),
    studio: partOf({
      context: async (call) => {
        requests.push(`context ${call.workspaceId}`);
        return (await world.context?.()) ?? jobContext;
      },
      heartbeat: async (call) => {
        requests.push(`heartbeat ${call.key.value.reveal()}`);
        return (await world.heartbeat?.()) ?? { leaseExpiresAtMs: undefined };
      },
      complete: async (call) => {
        requests.push(`complete ${call.workspaceId}`);
        await world.complete?.();
      },
      fail: async (_, reason) => {
        requests.push(`fail ${reason}`);
        await world.fail?.();
      },
    }),
    keys: { get: async () => keys, refresh: async () => keys, retired: async () => [] },
    spend: partOf({
      add: async (pool, day, amounts) => {
        await world.addSpend?.();
        spent.push({ pool, day, ...amounts });
      },
    }),
    workspaces: partOf({ isOf: async () => world.hasWorkspace ?? true }),
    runStore: partOf({
      start: async () => run,
      heartbeat: async () => held,
      owns: async () => held,
      saveProgress: async (_, progress) => {
        await world.saveProgress?.();
        notes.push(progress);
        return held;
      },
      continueRun: async (_, { progress }) => {
        continued.push(progress);
        return true;
      },
      finish: async (_, { progress, ...ending }) => {
        expect(progress !== undefined || world.hasWorkspace === false).toBe(true);
        outcomes.push(ending);
        return true;
      },
      ...world.runStore,
    }),
    invoker: {
      invoke: async (next) => {
        await world.invoke?.();
        invoked.push(next);
      },
    },
    runLimitMs: 3_600_000,
    cancelResponse: world.cancelResponse ?? (async (responseId) => void cancelled.push(responseId)),
    work: world.work ?? (async () => product),
  };
  const startAttempt = (remainingMs = 900_000) =>
    runAttempt(ports, { ...event, attempt: run.attempt }, { remainingMs, requestId: "req1" });
  const asked = { requests, outcomes, notes, continued, invoked, cancelled, spent, heldBack };
  return { clock, ports, stop, log, metrics, startAttempt, ...asked };
}

/** Runs an attempt to its end while `forMs` pass, and returns its result and what it did. */
export async function ran(world: World = {}, { forMs = 0, remainingMs = 900_000 } = {}) {
  const built = build(world);
  const [result] = await Promise.all([built.startAttempt(remainingMs), built.clock.advance(forMs)]);
  return { ...built, result };
}

export const only = (requests: readonly string[], verb: "heartbeat" | "complete" | "fail") =>
  requests.filter((request) => request.startsWith(verb));

/** Work that goes on until its signal aborts. */
export const endless: Work = ({ signal }) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
