import { expect } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import type { AttemptPorts } from "../../../lib/attempt/attempt.ts";
import { jobDigest } from "../../../lib/attempt/job-digest.ts";
import type { Product } from "../../../lib/attempt/work-context.ts";
import type { Ending } from "../../../lib/runs/run-store.ts";
import { runSchema, type Run, type RunProgress } from "../../../lib/runs/run.ts";
import type { AttemptEvent } from "../../../lib/core/invoker.ts";
import { Secret, type RunnerKey } from "../../../lib/core/secret.ts";
import type { Context } from "../../../lib/studio/schemas.ts";
import type { JobCall, Studio } from "../../../lib/studio/studio.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { recordingLog, recordingMetrics } from "../../support/silent.ts";

export const event = { pool: "default", runId: "r1", attempt: 1 };
export const fifteenMinutes = { remainingMs: 900_000, requestId: "req1" };
const unused = (): never => {
  throw new Error("not this test's business");
};
export const key = (id: string, value: string): RunnerKey => ({ id, value: new Secret(value) });
export const lost = new RunnerError("lease_lost", "the lease is gone: 409", { status: 409 });
export const outage = new RunnerError("studio_unavailable", "Studio answered 502", {
  retryable: true,
  status: 502,
});

export const product: Product = {
  payload: {
    assistantMessage: "Done.",
    files: [],
    charts: [],
    datasets: [],
    svgs: [],
    lists: [],
    checklists: [],
  },
  deliverables: { chart: 1 },
};

/** The job's context, as Studio gives it for as long as the lease is this job's. */
export const jobContext: Context = {
  workspaceId: "ws1",
  title: null,
  legacyIdea: null,
  messageCount: 1,
  recentMessages: [{ id: "m1", role: "user", text: "Compare teas.", createdAtMs: 900_000 }],
  priorMessages: [],
  recentText: "Compare teas.",
  priorTextVerbatim: "",
  recentTokenEstimate: 1,
  priorTokenEstimate: 0,
  priorNeedsSummarization: false,
  storedPriorSummary: null,
  storedSummaryCoversPrior: false,
};
/** As the run's row has it once the context has been read. */
const digest = jobDigest(jobContext);

export interface World {
  readonly begins?: boolean;
  readonly work?: AttemptPorts["work"];
  readonly heartbeat?: (call: JobCall) => Promise<{ readonly leaseExpiresAtMs: number | undefined }>;
  readonly complete?: (call: JobCall, number: number) => Promise<void>;
  readonly fail?: () => Promise<void>;
  readonly ownsHeartbeat?: boolean;
  readonly owns?: boolean;
  readonly hasWorkspace?: boolean;
  readonly ownsClose?: boolean;
  readonly leasedAgoMs?: number;
  /** Over the row as the attempt begins it. */
  readonly row?: Partial<Run>;
  readonly continues?: boolean;
  readonly note?: () => Promise<void>;
  readonly invoke?: (event: AttemptEvent) => Promise<void>;
  readonly addSpend?: () => Promise<void>;
  readonly keys?: readonly RunnerKey[];
  readonly freshKeys?: readonly RunnerKey[];
  readonly context?: (call: JobCall) => Promise<Context>;
  readonly extendBackoff?: () => Promise<void>;
}

export function build(world: World = {}) {
  const clock = createFakeClock(1_000_000);
  const requests: string[] = [];
  const endings: Omit<Ending, "progress">[] = [];
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
    jobDigest: digest,
    ...world.row,
  });
  const studio: Studio = {
    lease: unused,
    context: async (call) => {
      requests.push(`context ${call.workspaceId}`);
      return (await world.context?.(call)) ?? jobContext;
    },
    updateSummary: unused,
    heartbeat: async (call) => {
      requests.push(`heartbeat ${call.key.value.reveal()}`);
      return (await world.heartbeat?.(call)) ?? { leaseExpiresAtMs: undefined };
    },
    complete: async (call) => {
      requests.push(`complete ${call.workspaceId}`);
      await world.complete?.(call, requests.filter((request) => request.startsWith("complete")).length);
    },
    fail: async (_, reason) => {
      requests.push(`fail ${reason}`);
      await world.fail?.();
    },
  };
  const deps: AttemptPorts = {
    clock,
    random: () => 1,
    newId: () => "invocation1",
    log,
    metrics,
    modelName: "m",
    stop: stop.signal,
    backoff: {
      read: unused,
      extend: async (pool, throttler, untilMs) => {
        await world.extendBackoff?.();
        heldBack.push(`${pool}: ${throttler} until ${untilMs}`);
      },
      clear: unused,
    },
    studio,
    keys: {
      get: async () => world.keys ?? [key("k1", "k1.secret")],
      refresh: async () => world.freshKeys ?? world.keys ?? [key("k1", "k1.secret")],
      retired: async () => [],
    },
    spend: {
      read: unused,
      add: async (pool, day, amounts) => {
        await world.addSpend?.();
        spent.push({ pool, day, ...amounts });
      },
    },
    workspaces: {
      isOf: async () => world.hasWorkspace ?? true,
      read: unused,
      claim: unused,
      leftAlone: unused,
    },
    runStore: {
      start: async () => (world.begins === false ? undefined : run),
      heartbeat: async () => world.ownsHeartbeat ?? true,
      owns: async () => world.owns ?? true,
      touch: unused,
      supersede: unused,
      note: async (_, progress) => {
        await world.note?.();
        notes.push(progress);
        return true;
      },
      continueRun: async (_, { progress }) => {
        continued.push(progress);
        return world.continues ?? true;
      },
      finish: async (_, { progress, ...ending }) => {
        expect(progress !== undefined || world.hasWorkspace === false).toBe(true);
        endings.push(ending);
        return world.ownsClose ?? true;
      },
      create: unused,
      restart: unused,
      finishAbandoned: unused,
      read: unused,
      openRuns: unused,
      recentRuns: unused,
      runsOf: unused,
    },
    invoker: {
      invoke: async (next) => {
        await world.invoke?.(next);
        invoked.push(next);
      },
    },
    runLimitMs: 3_600_000,
    cancelResponse: async (responseId) => void cancelled.push(responseId),
    work: world.work ?? (async () => product),
  };
  const asks = { requests, endings, notes, continued, invoked, cancelled, spent, heldBack };
  return { clock, deps, stop, log, metrics, ...asks };
}

/** Work that goes on until its signal aborts. */
export const endless: AttemptPorts["work"] = ({ signal }) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
