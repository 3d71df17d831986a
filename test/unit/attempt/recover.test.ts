import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { overdue, reap } from "../../../lib/dispatch/reaper.ts";
import { RunnerError } from "../../../lib/core/errors.ts";
import type { AttemptEvent } from "../../../lib/adapters/lambda.ts";
import type { AttemptFailure } from "../../../lib/attempt/attempt-failure.ts";
import { jobDigest } from "../../../lib/attempt/job-digest.ts";
import { recover } from "../../../lib/attempt/recover.ts";
import { failedInvocationSchema, recoverFailed } from "../../../lib/attempt/failed-invocation.ts";
import { createBackoffRow } from "../../../lib/runs/backoff.ts";
import { createRunStore, type RunStore } from "../../../lib/runs/run-store.ts";
import type { Fence, Run, RunProgress } from "../../../lib/runs/run.ts";
import { createSpendRow } from "../../../lib/runs/spend.ts";
import type { WorkspaceRows } from "../../../lib/runs/workspaces.ts";
import type { Context } from "../../../lib/studio/schemas.ts";
import type { Studio } from "../../../lib/studio/studio.ts";
import { eventually, eventuallyTrue } from "../../support/eventually.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { partOf } from "../../support/part-of.ts";
import { startLocalTable, type LocalTable } from "../../support/run-store.ts";
import { recordingLog, recordingMetrics } from "../../support/silent.ts";
import {
  jobContext,
  key,
  keyRefused,
  lost,
  nextJobContext,
  outage,
  throwing,
  throwingAfter,
  throwingFirst,
  tooManyRequests,
} from "./attempt-world.ts";

let local: LocalTable;
let runStore: RunStore;
beforeAll(async () => {
  local = await startLocalTable();
  runStore = createRunStore(local.table);
});
afterAll(() => local.close());

const digest = jobDigest(jobContext);
const reporting = { reason: "model_refused", explanation: "declined: no" };
const notTaken = new RunnerError("studio_contract", "a page in the place of JSON");

interface World {
  readonly hasWorkspace?: boolean;
  readonly context?: () => Promise<Context>;
  readonly heartbeat?: () => Promise<{ readonly leaseExpiresAtMs: number } | undefined>;
  readonly fail?: () => Promise<void>;
  readonly invoke?: () => Promise<void>;
}

function build(world: World = {}) {
  const clock = createFakeClock(1_000_000);
  const invoked: AttemptEvent[] = [];
  const reported: string[] = [];
  const metrics = recordingMetrics();
  const log = recordingLog();
  const keys = [key("k1", "k1.s")];
  const ports = {
    clock,
    random: () => 1,
    runLimitMs: 3_600_000,
    runStore,
    workspaces: partOf<WorkspaceRows>({ isOf: async () => world.hasWorkspace ?? true }),
    backoff: createBackoffRow(local.table, clock),
    log,
    metrics,
    spend: createSpendRow(local.table),
    keys: { get: async () => keys, refresh: async () => keys, retired: async () => [] },
    studio: partOf<Studio>({
      heartbeat: async () => (await world.heartbeat?.()) ?? { leaseExpiresAtMs: 1_600_000 },
      fail: async (_, reason) => {
        await world.fail?.();
        reported.push(reason);
      },
      context: world.context ?? (async () => jobContext),
    }),
    invoker: {
      invoke: async (event: AttemptEvent) => {
        await world.invoke?.();
        invoked.push(event);
      },
    },
  };
  const recovered = async (run: RunOf, failure: AttemptFailure = "crashed") =>
    recover(ports, await seen(run), failure);
  return { ports, clock, invoked, reported, metrics, log, recovered };
}

let serial = 0;
type RunOf = Pick<Fence, "pool" | "runId">;

/** A run that was leased at 900,000 with a lease of ten minutes. */
async function leased(pool = "default"): Promise<Fence> {
  const runId = `r${++serial}`;
  const times = { leasedAtMs: 900_000, leaseExpiresAtMs: 1_500_000 };
  await runStore.create({ pool, runId, workspaceId: "ws1", keyId: "k1", ...times });
  return { pool, runId, attempt: 1, invocationId: "i1" };
}

async function running(progress: RunProgress = {}, pool = "default"): Promise<Fence> {
  const fence = await leased(pool);
  await runStore.start(fence, { atMs: 901_000, requestId: "req1" });
  await runStore.saveProgress(fence, { rounds: 0, ...progress });
  return fence;
}

async function seen({ pool, runId }: RunOf): Promise<Run> {
  return (await runStore.read(pool, runId))!;
}

/** A run that has crashed in each of its attempts and may have no more. */
async function crashedThreeTimes(): Promise<RunOf> {
  let run: Run | undefined = await seen(await running());
  for (const atMs of [950_000, 960_000])
    run = await runStore.restart(run!, { atMs, failure: "out_of_memory", leaseExpiresAtMs: 1_500_000 });
  return run!;
}

/** A run that is an hour old and still holds its lease. */
async function pastItsLimit(clock: ReturnType<typeof createFakeClock>): Promise<Fence> {
  const fence = await running();
  await clock.advance(3_600_000);
  await runStore.heartbeat(fence, { atMs: 4_599_000, leaseExpiresAtMs: 9_000_000 });
  return fence;
}

describe("recovery", () => {
  it("fails the job of a run that was cancelled, and starts no further attempt", async () => {
    const { recovered, invoked, reported, metrics } = build();
    const run = await running({ responseIds: ["resp_1"] });
    await runStore.cancel(run, { by: "ann", atMs: 950_000 });
    expect(await recovered(run)).toBe("failed");
    expect(invoked).toEqual([]);
    expect(reported).toEqual(["This job was cancelled by ann."]);
    expect(await seen(run)).toMatchObject({ state: "failed", reason: "cancelled", failures: ["crashed"] });
    expect(metrics.emitted).toContain("RunsFailed{pool=default,reason=cancelled} 1");
  });

  it("restarts a run whose attempt crashed while its lease is alive", async () => {
    const { recovered, invoked, metrics } = build();
    const run = await running();
    expect(await recovered(run)).toBe("restarted");
    expect(invoked).toEqual([{ pool: "default", runId: run.runId, attempt: 2 }]);
    const next = { state: "leased", attempt: 2, starts: 2, failures: ["crashed"] };
    expect(await seen(run)).toMatchObject({ ...next, leaseExpiresAtMs: 1_600_000 });
    expect(metrics.emitted).toEqual(["Restarts{pool=default,reason=crashed} 1"]);
  });

  it("fails a job that kills its worker every time, with a reason that its user can read", async () => {
    const { recovered, invoked, reported, metrics } = build();
    const run = await crashedThreeTimes();
    expect(await recovered(run, "out_of_memory")).toBe("failed");
    expect(reported).toEqual(["The worker ran out of memory three times."]);
    expect(invoked).toEqual([]);
    expect(await seen(run)).toMatchObject({ state: "failed", reason: "out_of_memory" });
    expect(metrics.emitted).toContain("RunsFailed{pool=default,reason=out_of_memory} 1");
  });

  it("fails a job that is past the run limit", async () => {
    const { recovered, clock, reported } = build();
    expect(await recovered(await pastItsLimit(clock))).toBe("failed");
    expect(reported).toEqual(["The job did not end within 60 minutes. The worker crashed."]);
  });

  it("restarts a run only once when two processes find the same dead attempt", async () => {
    const [one, other] = [build(), build()];
    const run = await seen(await running());
    const both = await Promise.all([recover(one.ports, run, "crashed"), recover(other.ports, run, "silent")]);
    expect(both.toSorted()).toEqual(["left", "restarted"]);
    expect([...one.invoked, ...other.invoked]).toHaveLength(1);
  });

  it("leaves an attempt that cannot be invoked to the reaper", async () => {
    const { recovered, log } = build({ invoke: throwing(new RunnerError("invoke_failed", "throttled")) });
    const run = await running();
    expect(await recovered(run)).toBe("restarted");
    expect(await seen(run)).toMatchObject({ state: "leased", attempt: 2 });
    expect(log.events).toContain("attempt_not_invoked");
  });

  it("finishes a run as lost, and invokes and posts nothing, when a newer run owns the workspace", async () => {
    const { recovered, invoked, reported } = build({ hasWorkspace: false });
    const run = await running();
    expect(await recovered(run, "event_lost")).toBe("lost");
    expect([...invoked, ...reported]).toEqual([]);
    expect(await seen(run)).toMatchObject({ state: "lost", reason: "event_lost" });
  });

  it("finishes a run as lost, without asking Studio, once its lease has expired", async () => {
    const { recovered, clock, invoked } = build();
    const run = await running();
    await clock.advance(500_000);
    expect(await recovered(run, "silent")).toBe("lost");
    expect(await seen(run)).toMatchObject({ state: "lost", reason: "silent" });
    expect(invoked).toEqual([]);
  });
});

describe("a lost lease", () => {
  it("ends the run as lost, which is counted", async () => {
    const { recovered, invoked, reported, metrics } = build({ heartbeat: throwing(lost) });
    const run = await running();
    expect(await recovered(run, "silent")).toBe("lost");
    expect(await seen(run)).toMatchObject({ state: "lost", reason: "silent" });
    expect([...invoked, ...reported]).toEqual([]);
    expect(metrics.emitted).toContain("RunsLost{pool=default,reason=silent} 1");
  });

  it("ends the run as completed, unconfirmed, when a completion was being delivered", async () => {
    const { recovered } = build({ heartbeat: throwing(lost) });
    const run = await running({ delivering: true });
    expect(await recovered(run)).toBe("completed");
    expect(await seen(run)).toMatchObject({ state: "completed", reason: "unconfirmed" });
  });

  it("ends the run as failed when a failure was being reported", async () => {
    const { recovered, metrics, reported } = build({ heartbeat: throwing(lost) });
    const run = await running({ reporting });
    expect(await recovered(run)).toBe("failed");
    expect(await seen(run)).toMatchObject({ state: "failed", ...reporting });
    expect(metrics.emitted).toContain("RunsFailed{pool=default,reason=model_refused} 1");
    expect(reported).toEqual([]);
  });

  it.each([
    ["a delivery", { delivering: true }, "silent"],
    ["a failure report", { reporting }, "model_refused"],
  ])("that has merely expired ends the run as lost despite %s", async (_, recorded, reason) => {
    const { recovered, clock } = build();
    const run = await running(recorded);
    await clock.advance(600_001);
    expect(await recovered(run, "silent")).toBe("lost");
    expect(await seen(run)).toMatchObject({ state: "lost", reason });
  });
});

describe("a failure that may not have reached Studio", () => {
  it("is reported by recovery when the attempt died before it was accepted", async () => {
    const { recovered, reported, invoked } = build();
    const run = await running({ reporting, jobDigest: digest });
    expect(await recovered(run)).toBe("failed");
    expect(reported).toEqual(["declined: no"]);
    expect(invoked).toEqual([]);
    expect(await seen(run)).toMatchObject({ state: "failed", reason: "model_refused", failures: [] });
  });

  it("is reported again when Studio did not accept it, without the failure of an attempt that was never invoked", async () => {
    const { recovered, reported, metrics } = build({ fail: throwingFirst(notTaken) });
    const run = await crashedThreeTimes();
    expect(await recovered(run, "out_of_memory")).toBe("left");
    expect(await recovered(run, "event_lost")).toBe("failed");
    expect(reported).toEqual(["The worker ran out of memory three times."]);
    expect(metrics.emitted).toContain("RunsFailed{pool=default,reason=out_of_memory} 1");
  });

  it("is reported again with the run limit as its reason when that was the reason before", async () => {
    const heartbeat = async () => ({ leaseExpiresAtMs: 9_000_000 });
    const { recovered, clock, reported } = build({ fail: throwingFirst(notTaken), heartbeat });
    const run = await pastItsLimit(clock);
    expect(await recovered(run)).toBe("left");
    expect(await recovered(run, "event_lost")).toBe("failed");
    expect(reported).toEqual(["The job did not end within 60 minutes. The worker crashed."]);
    expect(await seen(run)).toMatchObject({ reason: "run_limit", failures: ["crashed"] });
  });

  it("is recorded before recovery reports it, and counts as delivered when the lease is then gone", async () => {
    // Two heartbeats succeed: recovery's first one, and the one right before its report. The report arrives,
    // but its answer is lost, so recovery cannot finish the run.
    const { recovered } = build({ heartbeat: throwingAfter(2, lost), fail: throwing(notTaken) });
    const run = await crashedThreeTimes();
    expect(await recovered(run, "out_of_memory")).toBe("left");
    expect(await recovered(run, "event_lost")).toBe("failed");
    const explanation = "The worker ran out of memory three times.";
    expect(await seen(run)).toMatchObject({ state: "failed", reason: "out_of_memory", explanation });
  });

  it("is not reported for the workspace's next job", async () => {
    const { recovered, reported } = build({ context: async () => nextJobContext });
    const run = await running({ reporting, jobDigest: digest });
    expect(await recovered(run)).toBe("failed");
    expect(reported).toEqual([]);
    expect(await seen(run)).toMatchObject({ state: "failed", reason: "model_refused", unconfirmed: true });
  });

  it("is not reported for a run that was superseded meanwhile", async () => {
    const { recovered, reported } = build({
      heartbeat: async () => {
        const now = await seen(run);
        if (now.state === "leased")
          await runStore.supersede(now, { state: "lost", reason: "superseded", atMs: 1_000_000 });
        return undefined;
      },
    });
    const run = await crashedThreeTimes();
    await runStore.start({ ...(await seen(run)), invocationId: "i3" }, { atMs: 970_000, requestId: "req3" });
    expect(await recovered(run)).toBe("left");
    expect(reported).toEqual([]);
  });
});

it("recovery starts no attempt under the lease of the workspace's next job", async () => {
  const { recovered, invoked } = build({ context: async () => nextJobContext });
  const run = await running({ delivering: true, jobDigest: digest });
  expect(await recovered(run)).toBe("completed");
  expect(invoked).toEqual([]);
  expect(await seen(run)).toMatchObject({ state: "completed", reason: "unconfirmed", unconfirmed: true });
});

describe("recovery's heartbeat", () => {
  it("is repeated after an error, and the run is restarted", async () => {
    const { recovered, clock } = build({ heartbeat: throwingFirst(outage) });
    const recovery = recovered(await running());
    await eventuallyTrue("the pause before the second heartbeat", () => clock.sleeping() > 1);
    await clock.advance(250);
    expect(await recovery).toBe("restarted");
  });

  it("that keeps failing leaves the run open until the lease expires, and then the run is lost", async () => {
    const { recovered, clock, log } = build({ heartbeat: throwing(outage) });
    const run = await running();
    const recovery = recovered(run);
    await eventuallyTrue("the pause before the next try", () => clock.sleeping() > 1);
    await clock.advance(2_000);
    expect(await recovery).toBe("left");
    expect(log.events).toEqual(["heartbeat_failed"]);
    expect(await seen(run)).toMatchObject({ state: "running", attempt: 1 });
    await clock.advance(498_000);
    expect(await recovered(run)).toBe("lost");
  });

  it("with a refused key leaves the run open until the key is accepted again or the lease expires", async () => {
    const { recovered, clock, metrics } = build({ heartbeat: throwingFirst(keyRefused, 2) });
    const [waiting, lapsing] = [await running(), await running()];
    expect(await recovered(waiting)).toBe("left");
    expect(await recovered(lapsing)).toBe("left");
    expect(metrics.emitted).toContain("KeysRefused{pool=default} 1");
    expect(await recovered(waiting)).toBe("restarted");
    await clock.advance(500_001);
    expect(await recovered(lapsing)).toBe("lost");
  });

  it("that is answered with 429 extends the pool's back-off", async () => {
    const { ports, recovered } = build({ heartbeat: throwing(tooManyRequests(45_000)) });
    expect(await recovered(await running({}, "pressed"))).toBe("left");
    await eventually("the back-off", async () =>
      (await ports.backoff.read("pressed")).studioUntilMs === 1_045_000 ? true : undefined,
    );
  });
});

describe("a failed invocation", () => {
  const record = {
    version: "1.0",
    timestamp: "2026-11-20T12:00:00.000Z",
    requestContext: {
      requestId: "req1",
      functionArn: "arn:f",
      condition: "RetriesExhausted",
      approximateInvokeCount: 1,
    },
    responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
    responsePayload: {
      errorType: "Runtime.ExitError",
      errorMessage: "RequestId: req1 Error: Runtime exited with error: signal: killed",
    },
  };
  const recoverFailure = ({ ports }: ReturnType<typeof build>, { pool, runId }: RunOf, more: object = {}) => {
    const requestPayload = { pool, runId, attempt: 1 };
    return recoverFailed(ports, failedInvocationSchema.parse({ ...record, requestPayload, ...more }));
  };

  it("restarts its run", async () => {
    const world = build();
    const run = await running();
    expect(await recoverFailure(world, run)).toBe("restarted");
    expect(world.invoked).toEqual([{ pool: "default", runId: run.runId, attempt: 2 }]);
    expect(await seen(run)).toMatchObject({ failures: ["killed"] });
  });

  it("restarts its run when the event expired before the attempt started", async () => {
    const run = await leased();
    const requestContext = { requestId: "req9", condition: "EventAgeExceeded" };
    const expired = { requestContext, responsePayload: undefined };
    expect(await recoverFailure(build(), run, expired)).toBe("restarted");
    expect(await seen(run)).toMatchObject({ failures: ["event_lost"] });
  });

  it("is ignored when a newer attempt has been invoked", async () => {
    const world = build();
    const run = await running();
    const next = { atMs: 950_000, continuations: 1, leaseExpiresAtMs: 1_500_000, progress: {} };
    await runStore.continueRun(run, next);
    expect(await recoverFailure(world, run)).toBe("left");
    expect([...world.invoked, ...world.reported]).toEqual([]);
  });

  it("is ignored when the attempt is running in another invocation", async () => {
    const requestContext = { requestId: "req2", condition: "RetriesExhausted" };
    expect(await recoverFailure(build(), await running(), { requestContext })).toBe("left");
  });

  it("is ignored for a run that has ended or does not exist", async () => {
    const run = await running();
    await runStore.finish(run, { state: "completed", reason: "ok", atMs: 950_000 });
    expect(await recoverFailure(build(), run)).toBe("left");
    expect(await recoverFailure(build(), { pool: "default", runId: "nobody" })).toBe("left");
  });
});

describe("the reaper", () => {
  const settings = { pool: "default", maxEventAgeMs: 300_000 };

  it.each([
    ["leaves an attempt that was just invoked", { state: "leased", calledAtMs: 640_000 }, undefined],
    [
      "finds an attempt whose event must have expired",
      { state: "leased", calledAtMs: 639_999 },
      "event_lost",
    ],
    [
      "leaves an attempt whose last heartbeat is two intervals old",
      { state: "running", heartbeatAtMs: 760_000 },
      undefined,
    ],
    [
      "finds an attempt that has been silent for more than two and a half intervals",
      { state: "running", heartbeatAtMs: 699_999 },
      "silent",
    ],
    ["leaves an attempt that has just started", { state: "running", beganAtMs: 990_000 }, undefined],
    ["finds a silent attempt that started long ago", { state: "running", beganAtMs: 600_000 }, "silent"],
  ] as const)("%s", async (_, change, expected) => {
    const { beganAtMs: _began, heartbeatAtMs: _heartbeat, ...run } = await seen(await running({}, "judged"));
    expect(overdue({ ...run, ...change }, settings, 1_000_000)).toBe(expected);
  });

  it("recovers a run whose attempt stopped responding, and leaves the others as they are", async () => {
    const { ports, invoked, clock } = build();
    const pool = "reaped";
    const silent = await running({}, pool);
    const waiting = await leased(pool);
    await clock.advance(210_000); // silent since 901,000: more than 300,000; called at 900,000: less than 360,000
    const healthy = await leased(pool);
    await runStore.start(healthy, { atMs: clock.now(), requestId: "req2" });
    expect(await reap(ports, { ...settings, pool }, await runStore.openRuns(pool))).toBe(1);
    expect(invoked).toEqual([{ pool, runId: silent.runId, attempt: 2 }]);
    expect(await seen(waiting)).toMatchObject({ attempt: 1, state: "leased" });
    expect(await seen(healthy)).toMatchObject({ attempt: 1, state: "running" });
  });
});
