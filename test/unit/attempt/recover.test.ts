import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { overdue, reap } from "../../../lib/dispatch/reaper.ts";
import { RunnerError } from "../../../lib/core/errors.ts";
import type { AttemptEvent } from "../../../lib/core/invoker.ts";
import { jobDigest } from "../../../lib/attempt/job-digest.ts";
import { recover, type RecoveryPorts } from "../../../lib/attempt/recover.ts";
import { failedInvocationSchema, recoverFailed } from "../../../lib/attempt/failed-invocation.ts";
import { createBackoffRow } from "../../../lib/runs/backoff.ts";
import { createRunStore, type RunStore } from "../../../lib/runs/run-store.ts";
import type { Fence, Run } from "../../../lib/runs/run.ts";
import { createSpendRow } from "../../../lib/runs/spend.ts";
import { Secret } from "../../../lib/core/secret.ts";
import type { Context } from "../../../lib/studio/schemas.ts";
import { eventually, eventuallyTrue } from "../../support/eventually.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { startLocalTable, type LocalTable } from "../../support/run-store.ts";
import { recordingLog, recordingMetrics } from "../../support/silent.ts";

let local: LocalTable;
let runStore: RunStore;
beforeAll(async () => {
  local = await startLocalTable();
  runStore = createRunStore(local.table);
});
afterAll(() => local.close());

const unused = (): never => {
  throw new Error("not this test's business");
};
const lost = new RunnerError("lease_lost", "409", { status: 409 });
const outage = new RunnerError("studio_unavailable", "502", { retryable: true, status: 502 });

const context: Context = {
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
const digest = jobDigest(context);
const nextJob = { ...context, recentMessages: [] };

interface World {
  readonly hasWorkspace?: boolean;
  readonly context?: () => Promise<Context>;
  readonly heartbeat?: () => Promise<{ readonly leaseExpiresAtMs: number | undefined }>;
  readonly fail?: () => Promise<void>;
  readonly invoke?: () => Promise<void>;
}

function build(world: World = {}) {
  const clock = createFakeClock(1_000_000);
  const invoked: AttemptEvent[] = [];
  const told: string[] = [];
  const metrics = recordingMetrics();
  const log = recordingLog();
  const deps: RecoveryPorts = {
    clock,
    random: () => 1,
    runLimitMs: 3_600_000,
    runStore,
    workspaces: {
      isOf: async () => world.hasWorkspace ?? true,
      read: unused,
      claim: unused,
      leftAlone: unused,
    },
    backoff: createBackoffRow(local.table, clock),
    log,
    metrics,
    spend: createSpendRow(local.table),
    keys: {
      get: async () => [{ id: "k1", value: new Secret("k1.s") }],
      refresh: async () => [],
      retired: async () => [],
    },
    studio: {
      heartbeat: world.heartbeat ?? (async () => ({ leaseExpiresAtMs: 1_600_000 })),
      fail: async (_, reason) => {
        await world.fail?.();
        told.push(reason);
      },
      lease: unused,
      context: world.context ?? (async () => context),
      updateSummary: unused,
      complete: unused,
    },
    invoker: {
      invoke: async (event) => {
        await world.invoke?.();
        invoked.push(event);
      },
    },
  };
  return { deps, clock, invoked, told, metrics, log };
}

let serial = 0;

/** A run that was leased at 900,000 with a lease of ten minutes. */
async function leased(pool = "default"): Promise<Fence> {
  const runId = `r${++serial}`;
  await runStore.create({
    pool,
    runId,
    workspaceId: "ws1",
    keyId: "k1",
    leasedAtMs: 900_000,
    leaseExpiresAtMs: 1_500_000,
  });
  return { pool, runId, attempt: 1, invocationId: "i1" };
}

async function running(pool = "default"): Promise<Fence> {
  const fence = await leased(pool);
  await runStore.start(fence, { atMs: 901_000, requestId: "req1" });
  return fence;
}

async function seen({ pool, runId }: Fence): Promise<Run> {
  return (await runStore.read(pool, runId))!;
}

/** After `starts` attempts that crashed. */
async function crashed(starts: number): Promise<Run> {
  let run = await seen(await running());
  for (let start = 1; start < starts; start++) {
    run = (await runStore.restart(run, {
      atMs: 950_000,
      failure: "out_of_memory",
      leaseExpiresAtMs: 1_500_000,
    }))!;
  }
  return run;
}

describe("recovery", () => {
  it("restarts the run on the next attempt while the lease answers", async () => {
    const { deps, invoked, metrics } = build();
    const fence = await running();
    expect(await recover(deps, await seen(fence), "crashed")).toBe("restarted");
    expect(invoked).toEqual([{ pool: "default", runId: fence.runId, attempt: 2 }]);
    expect(await seen(fence)).toMatchObject({
      state: "leased",
      attempt: 2,
      starts: 2,
      failures: ["crashed"],
      leaseExpiresAtMs: 1_600_000,
    });
    expect(metrics.emitted).toEqual(["Restarts{pool=default,reason=crashed} 1"]);
  });

  it("ends a job that kills its worker each time, with a reason that its user can read", async () => {
    const { deps, invoked, told, metrics } = build();
    const run = await crashed(3);
    expect(await recover(deps, run, "out_of_memory")).toBe("failed");
    expect(told).toEqual(["The worker ran out of memory three times."]);
    expect(invoked).toEqual([]);
    expect(await runStore.read("default", run.runId)).toMatchObject({
      state: "failed",
      reason: "out_of_memory",
    });
    expect(metrics.emitted).toContain("RunsFailed{pool=default,reason=out_of_memory} 1");
  });

  it("tells a failure that Studio did not take before, and adds no trouble of an attempt that was never called", async () => {
    let tries = 0;
    const { deps, told, metrics } = build({
      fail: async () => {
        if (++tries === 1) throw new RunnerError("studio_contract", "a page in the place of JSON");
      },
    });
    const run = await crashed(3);
    expect(await recover(deps, run, "out_of_memory")).toBe("left");
    expect(await recover(deps, (await runStore.read("default", run.runId))!, "event_lost")).toBe("failed");
    expect(told).toEqual(["The worker ran out of memory three times."]);
    expect(metrics.emitted).toContain("RunsFailed{pool=default,reason=out_of_memory} 1");
  });

  it("closes a run whose lease is gone as lost, and counts it", async () => {
    const { deps, invoked, told, metrics } = build({
      heartbeat: async () => {
        throw lost;
      },
    });
    const fence = await running();
    expect(await recover(deps, await seen(fence), "silent")).toBe("lost");
    expect(await seen(fence)).toMatchObject({ state: "lost", reason: "silent" });
    expect([...invoked, ...told]).toEqual([]);
    expect(metrics.emitted).toContain("RunsLost{pool=default,reason=silent} 1");
  });

  it("takes a lease that went during the delivery for an accepted completion", async () => {
    const { deps } = build({
      heartbeat: async () => {
        throw lost;
      },
    });
    const fence = await running();
    await runStore.note(fence, { delivering: true });
    expect(await recover(deps, await seen(fence), "crashed")).toBe("completed");
    expect(await seen(fence)).toMatchObject({ state: "completed", reason: "unconfirmed" });
  });

  it("does not take a lease that ran out during the delivery, in an outage, for an accepted completion", async () => {
    const { deps, clock } = build({});
    const fence = await running();
    await runStore.note(fence, { delivering: true });
    await clock.advance(600_001);
    expect(await recover(deps, await seen(fence), "silent")).toBe("lost");
    expect(await seen(fence)).toMatchObject({ state: "lost", reason: "silent" });
  });

  it("is not put off by one failed heartbeat", async () => {
    let heartbeats = 0;
    const { deps, clock } = build({
      heartbeat: async () => {
        if (++heartbeats === 1) throw outage;
        return { leaseExpiresAtMs: 1_600_000 };
      },
    });
    const recovery = recover(deps, await seen(await running()), "crashed");
    await eventuallyTrue(
      "the pause before the second heartbeat",
      () => heartbeats === 1 && clock.sleeping() > 1,
    );
    await clock.advance(250);
    expect(await recovery).toBe("restarted");
  });

  it("leaves a run alone while Studio is down and the lease may be alive; after its end it is lost", async () => {
    const { deps, clock, log } = build({
      heartbeat: async () => {
        throw outage;
      },
    });
    const fence = await running();
    const recovery = recover(deps, await seen(fence), "crashed");
    await eventuallyTrue("the pause before the next try", () => clock.sleeping() > 1);
    await clock.advance(2_000);
    expect(await recovery).toBe("left");
    expect(log.events).toEqual(["heartbeat_failed"]);
    expect(await seen(fence)).toMatchObject({ state: "running", attempt: 1 });
    await clock.advance(498_000);
    expect(await recover(deps, await seen(fence), "crashed")).toBe("lost");
  });

  it("is done by one of two hands", async () => {
    const one = build();
    const other = build();
    const run = await seen(await running());
    const both = await Promise.all([recover(one.deps, run, "crashed"), recover(other.deps, run, "silent")]);
    expect(both.toSorted()).toEqual(["left", "restarted"]);
    expect([...one.invoked, ...other.invoked]).toHaveLength(1);
  });

  it("leaves an attempt whose event cannot be sent to the reaper", async () => {
    const { deps, log } = build({
      invoke: async () => {
        throw new RunnerError("invoke_failed", "throttled");
      },
    });
    const fence = await running();
    expect(await recover(deps, await seen(fence), "crashed")).toBe("restarted");
    expect(await seen(fence)).toMatchObject({ state: "leased", attempt: 2 });
    expect(log.events).toContain("attempt_not_invoked");
  });

  it("closes a run whose lease is over without asking: the same key may hold the job's next lease", async () => {
    const { deps, clock, invoked } = build();
    const fence = await running();
    await clock.advance(500_000);
    expect(await recover(deps, await seen(fence), "silent")).toBe("lost");
    expect(await seen(fence)).toMatchObject({ state: "lost", reason: "silent" });
    expect(invoked).toEqual([]);
  });

  it("takes a lease that went during the report of a failure for an accepted report", async () => {
    const { deps, metrics, told } = build({
      heartbeat: async () => {
        throw lost;
      },
    });
    const fence = await running();
    const reporting = { reason: "model_refused", explanation: "the model declined: no" };
    await runStore.note(fence, { reporting });
    expect(await recover(deps, await seen(fence), "crashed")).toBe("failed");
    expect(await seen(fence)).toMatchObject({ state: "failed", ...reporting });
    expect(metrics.emitted).toContain("RunsFailed{pool=default,reason=model_refused} 1");
    expect(told).toEqual([]);
  });

  it("does not take a lease that ran out during the report for an accepted report", async () => {
    const { deps, clock } = build();
    const fence = await running();
    await runStore.note(fence, { reporting: { reason: "model_refused", explanation: "no" } });
    await clock.advance(600_001);
    expect(await recover(deps, await seen(fence), "silent")).toBe("lost");
    expect(await seen(fence)).toMatchObject({ state: "lost", reason: "model_refused" });
  });

  it("tells the failure itself that a dead attempt could not tell any more", async () => {
    const { deps, told, invoked } = build();
    const fence = await running();
    const reporting = { reason: "model_refused", explanation: "declined: no" };
    await runStore.note(fence, { reporting, jobDigest: digest });
    expect(await recover(deps, await seen(fence), "crashed")).toBe("failed");
    expect(told).toEqual(["declined: no"]);
    expect(invoked).toEqual([]);
    expect(await seen(fence)).toMatchObject({ state: "failed", reason: "model_refused", failures: [] });
  });

  it("notes its own report before it sends it, and takes a lease that is gone then for its arrival", async () => {
    let heartbeats = 0;
    const { deps } = build({
      heartbeat: async () => {
        // The recovery's, and the one right before its report.
        if (++heartbeats > 2) throw lost;
        return { leaseExpiresAtMs: 1_600_000 };
      },
      // It arrives, and recovery dies before it can close the run.
      fail: async () => {
        throw new RunnerError("studio_contract", "a page in the place of JSON");
      },
    });
    const run = await crashed(3);
    expect(await recover(deps, run, "out_of_memory")).toBe("left");
    expect(await recover(deps, (await runStore.read("default", run.runId))!, "event_lost")).toBe("failed");
    expect(await runStore.read("default", run.runId)).toMatchObject({
      state: "failed",
      reason: "out_of_memory",
      explanation: "The worker ran out of memory three times.",
    });
  });

  it("asks for nothing where a newer run has the workspace", async () => {
    const { deps, invoked, told } = build({ hasWorkspace: false });
    const fence = await running();
    expect(await recover(deps, await seen(fence), "event_lost")).toBe("lost");
    expect([...invoked, ...told]).toEqual([]);
    expect(await seen(fence)).toMatchObject({ state: "lost", reason: "event_lost" });
  });

  it("tells the workspace's next job nothing of a failure that may have been told", async () => {
    const { deps, told } = build({ context: async () => nextJob });
    const fence = await running();
    const reporting = { reason: "model_refused", explanation: "declined: no" };
    await runStore.note(fence, { reporting, jobDigest: digest });
    expect(await recover(deps, await seen(fence), "crashed")).toBe("failed");
    expect(told).toEqual([]);
    expect(await seen(fence)).toMatchObject({ state: "failed", reason: "model_refused", unconfirmed: true });
  });

  it("starts no attempt under the lease of the workspace's next job", async () => {
    const { deps, invoked } = build({ context: async () => nextJob });
    const fence = await running();
    await runStore.note(fence, { delivering: true, jobDigest: digest });
    expect(await recover(deps, await seen(fence), "crashed")).toBe("completed");
    expect(invoked).toEqual([]);
    expect(await seen(fence)).toMatchObject({ state: "completed", reason: "unconfirmed", unconfirmed: true });
  });

  it("posts nothing for a run that was superseded while its failure was to be told", async () => {
    const { deps, told } = build({
      heartbeat: async () => {
        const run = await seen(fence);
        if (run.state === "leased")
          await runStore.supersede(run, { state: "lost", reason: "superseded", atMs: 1_000_000 });
        return { leaseExpiresAtMs: 1_600_000 };
      },
    });
    const fence = await running();
    await runStore.note(fence, { jobDigest: digest });
    await local.table.update({ pool: "default", id: `run#${fence.runId}` }, { set: { starts: 3 } });
    expect(await recover(deps, await seen(fence), "crashed")).toBe("left");
    expect(told).toEqual([]);
  });

  it("leaves a run whose key is refused until the key is accepted again or the lease ends", async () => {
    let isRefused = true;
    const { deps, clock, metrics } = build({
      heartbeat: async () => {
        if (isRefused) throw new RunnerError("key_refused", "401", { status: 401 });
        return { leaseExpiresAtMs: 1_600_000 };
      },
    });
    const [waiting, lapsing] = [await running(), await running()];
    expect(await recover(deps, await seen(waiting), "crashed")).toBe("left");
    expect(await recover(deps, await seen(lapsing), "crashed")).toBe("left");
    expect(metrics.emitted).toContain("KeysRefused{pool=default} 1");
    isRefused = false;
    expect(await recover(deps, await seen(waiting), "crashed")).toBe("restarted");
    await clock.advance(500_001);
    expect(await recover(deps, await seen(lapsing), "crashed")).toBe("lost");
  });

  it("holds the pool's leasing back when Studio answers its heartbeat with 429", async () => {
    const { deps } = build({
      heartbeat: async () => {
        throw new RunnerError("studio_unavailable", "429", {
          retryable: true,
          status: 429,
          retryAfterMs: 45_000,
        });
      },
    });
    expect(await recover(deps, await seen(await running("pressed")), "crashed")).toBe("left");
    await eventually("the back-off", async () =>
      (await deps.backoff.read("pressed")).studioUntilMs === 1_045_000 ? true : undefined,
    );
  });

  it("that tells of the run's limit late names no attempt that was never called", async () => {
    let tries = 0;
    const { deps, clock, told } = build({
      fail: async () => {
        if (++tries === 1) throw new RunnerError("studio_contract", "a page in the place of JSON");
      },
      heartbeat: async () => ({ leaseExpiresAtMs: 9_000_000 }),
    });
    const fence = await running();
    await clock.advance(3_600_000);
    await runStore.heartbeat(fence, { atMs: 4_599_000, leaseExpiresAtMs: 9_000_000 });
    expect(await recover(deps, await seen(fence), "crashed")).toBe("left");
    expect(await recover(deps, await seen(fence), "event_lost")).toBe("failed");
    expect(told).toEqual(["The job did not end within 60 minutes. The worker crashed."]);
    expect(await seen(fence)).toMatchObject({ reason: "run_limit", failures: ["crashed"] });
  });

  it("ends a run that is past its limit", async () => {
    const { deps, clock, told } = build();
    const fence = await running();
    await clock.advance(3_600_000);
    await runStore.heartbeat(fence, { atMs: 4_599_000, leaseExpiresAtMs: 5_199_000 });
    expect(await recover(deps, await seen(fence), "crashed")).toBe("failed");
    expect(told).toEqual(["The job did not end within 60 minutes. The worker crashed."]);
  });
});

describe("recovery", () => {
  const record = (event: AttemptEvent, more: Record<string, unknown> = {}) => ({
    version: "1.0",
    timestamp: "2026-11-20T12:00:00.000Z",
    requestContext: {
      requestId: "req1",
      functionArn: "arn:f",
      condition: "RetriesExhausted",
      approximateInvokeCount: 1,
    },
    requestPayload: event,
    responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
    responsePayload: {
      errorType: "Runtime.ExitError",
      errorMessage: "RequestId: req1 Error: Runtime exited with error: signal: killed",
    },
    ...more,
  });
  const eventOf = ({ pool, runId, attempt }: Fence): AttemptEvent => ({ pool, runId, attempt });
  const recoverRecord = (deps: RecoveryPorts, event: AttemptEvent, more: Record<string, unknown> = {}) =>
    recoverFailed(deps, failedInvocationSchema.parse(record(event, more)));

  it("restarts the attempt whose invocation failed", async () => {
    const { deps, invoked } = build();
    const fence = await running();
    expect(await recoverRecord(deps, eventOf(fence))).toBe("restarted");
    expect(invoked).toEqual([{ ...eventOf(fence), attempt: 2 }]);
    expect(await seen(fence)).toMatchObject({ failures: ["killed"] });
  });

  it("restarts an attempt whose event grew too old before it began", async () => {
    const { deps } = build();
    const fence = await leased();
    const requestContext = { requestId: "req9", condition: "EventAgeExceeded" };
    const aged = { requestContext, responsePayload: undefined };
    expect(await recoverRecord(deps, eventOf(fence), aged)).toBe("restarted");
    expect(await seen(fence)).toMatchObject({ failures: ["event_lost"] });
  });

  it("never touches a run whose newer attempt has been called", async () => {
    const { deps, invoked, told } = build();
    const fence = await running();
    const next = { atMs: 950_000, continuations: 1, leaseExpiresAtMs: 1_500_000, progress: {} };
    await runStore.continueRun(fence, next);
    expect(await recoverRecord(deps, eventOf(fence))).toBe("left");
    expect([...invoked, ...told]).toEqual([]);
  });

  it("never touches an attempt that is at work in another invocation", async () => {
    const { deps } = build();
    const fence = await running();
    const duplicate = { requestContext: { requestId: "req2", condition: "RetriesExhausted" } };
    expect(await recoverRecord(deps, eventOf(fence), duplicate)).toBe("left");
  });

  it("has nothing to do for a run that has ended, or that nobody knows", async () => {
    const { deps } = build();
    const fence = await running();
    await runStore.finish(fence, { state: "completed", reason: "ok", atMs: 950_000 });
    expect(await recoverRecord(deps, eventOf(fence))).toBe("left");
    expect(await recoverRecord(deps, { pool: "default", runId: "nobody", attempt: 1 })).toBe("left");
  });
});

describe("the reaper", () => {
  const settings = { pool: "default", maxEventAgeMs: 300_000 };

  it.each([
    ["an attempt that was just called", { state: "leased", calledAtMs: 640_000 }, undefined],
    ["an attempt whose event must be gone", { state: "leased", calledAtMs: 639_999 }, "event_lost"],
    ["an attempt heard two intervals ago", { state: "running", heartbeatAtMs: 760_000 }, undefined],
    [
      "an attempt silent for more than two and a half",
      { state: "running", heartbeatAtMs: 699_999 },
      "silent",
    ],
    ["an attempt that just started", { state: "running", beganAtMs: 990_000 }, undefined],
    ["a silent attempt that started long ago", { state: "running", beganAtMs: 600_000 }, "silent"],
  ] as const)("judges %s", async (_, change, verdict) => {
    const { beganAtMs: _began, heartbeatAtMs: _heartbeat, ...run } = await seen(await running("judged"));
    expect(overdue({ ...run, ...change }, settings, 1_000_000)).toBe(verdict);
  });

  it("recovers what should have moved, and leaves the rest", async () => {
    const { deps, invoked, clock } = build();
    const pool = "reaped";
    const silent = await running(pool);
    const waiting = await leased(pool);
    await clock.advance(210_000); // silent since 901,000: more than 300,000; called at 900,000: less than 360,000
    const well = await leased(pool);
    await runStore.start(well, { atMs: clock.now(), requestId: "req2" });
    expect(await reap(deps, { ...settings, pool }, await runStore.openRuns(pool))).toBe(1);
    expect(invoked).toEqual([{ pool, runId: silent.runId, attempt: 2 }]);
    expect(await seen(waiting)).toMatchObject({ attempt: 1, state: "leased" });
    expect(await seen(well)).toMatchObject({ attempt: 1, state: "running" });
  });
});
