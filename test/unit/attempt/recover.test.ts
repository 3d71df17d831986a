import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { overdue, reap } from "../../../lib/dispatch/reaper.ts";
import { RunnerError } from "../../../lib/core/errors.ts";
import type { AttemptEvent } from "../../../lib/core/invoker.ts";
import type { AttemptFailure } from "../../../lib/attempt/attempt-failure.ts";
import { jobDigest } from "../../../lib/attempt/delivery.ts";
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
  const told: string[] = [];
  const metrics = recordingMetrics();
  const log = recordingLog();
  const keys = [key("k1", "k1.s")];
  const deps = {
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
        told.push(reason);
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
    recover(deps, await seen(run), failure);
  return { deps, clock, invoked, told, metrics, log, recovered };
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
  await runStore.note(fence, { rounds: 0, ...progress });
  return fence;
}

async function seen({ pool, runId }: RunOf): Promise<Run> {
  return (await runStore.read(pool, runId))!;
}

/** A run whose attempts have all crashed; it has had as many as it may have. */
async function crashedThreeTimes(): Promise<RunOf> {
  let run: Run | undefined = await seen(await running());
  for (const atMs of [950_000, 960_000])
    run = await runStore.restart(run!, { atMs, failure: "out_of_memory", leaseExpiresAtMs: 1_500_000 });
  return run!;
}

/** A run that has lasted an hour, and holds a lease. */
async function pastItsLimit(clock: ReturnType<typeof createFakeClock>): Promise<Fence> {
  const fence = await running();
  await clock.advance(3_600_000);
  await runStore.heartbeat(fence, { atMs: 4_599_000, leaseExpiresAtMs: 9_000_000 });
  return fence;
}

describe("recovery", () => {
  it("restarts the run on the next attempt while the lease answers", async () => {
    const { recovered, invoked, metrics } = build();
    const run = await running();
    expect(await recovered(run)).toBe("restarted");
    expect(invoked).toEqual([{ pool: "default", runId: run.runId, attempt: 2 }]);
    const next = { state: "leased", attempt: 2, starts: 2, failures: ["crashed"] };
    expect(await seen(run)).toMatchObject({ ...next, leaseExpiresAtMs: 1_600_000 });
    expect(metrics.emitted).toEqual(["Restarts{pool=default,reason=crashed} 1"]);
  });

  it("ends a job that kills its worker each time, with a reason that its user can read", async () => {
    const { recovered, invoked, told, metrics } = build();
    const run = await crashedThreeTimes();
    expect(await recovered(run, "out_of_memory")).toBe("failed");
    expect(told).toEqual(["The worker ran out of memory three times."]);
    expect(invoked).toEqual([]);
    expect(await seen(run)).toMatchObject({ state: "failed", reason: "out_of_memory" });
    expect(metrics.emitted).toContain("RunsFailed{pool=default,reason=out_of_memory} 1");
  });

  it("ends a run that is past its limit", async () => {
    const { recovered, clock, told } = build();
    expect(await recovered(await pastItsLimit(clock))).toBe("failed");
    expect(told).toEqual(["The job did not end within 60 minutes. The worker crashed."]);
  });

  it("is done by one of two hands", async () => {
    const [one, other] = [build(), build()];
    const run = await seen(await running());
    const both = await Promise.all([recover(one.deps, run, "crashed"), recover(other.deps, run, "silent")]);
    expect(both.toSorted()).toEqual(["left", "restarted"]);
    expect([...one.invoked, ...other.invoked]).toHaveLength(1);
  });

  it("leaves an attempt whose event cannot be sent to the reaper", async () => {
    const { recovered, log } = build({ invoke: throwing(new RunnerError("invoke_failed", "throttled")) });
    const run = await running();
    expect(await recovered(run)).toBe("restarted");
    expect(await seen(run)).toMatchObject({ state: "leased", attempt: 2 });
    expect(log.events).toContain("attempt_not_invoked");
  });

  it("asks for nothing where a newer run has the workspace", async () => {
    const { recovered, invoked, told } = build({ hasWorkspace: false });
    const run = await running();
    expect(await recovered(run, "event_lost")).toBe("lost");
    expect([...invoked, ...told]).toEqual([]);
    expect(await seen(run)).toMatchObject({ state: "lost", reason: "event_lost" });
  });

  it("closes a run whose lease is over without asking: the same key may hold the job's next lease", async () => {
    const { recovered, clock, invoked } = build();
    const run = await running();
    await clock.advance(500_000);
    expect(await recovered(run, "silent")).toBe("lost");
    expect(await seen(run)).toMatchObject({ state: "lost", reason: "silent" });
    expect(invoked).toEqual([]);
  });
});

describe("a lease that Studio says is gone", () => {
  it("makes the run lost, which is counted", async () => {
    const { recovered, invoked, told, metrics } = build({ heartbeat: throwing(lost) });
    const run = await running();
    expect(await recovered(run, "silent")).toBe("lost");
    expect(await seen(run)).toMatchObject({ state: "lost", reason: "silent" });
    expect([...invoked, ...told]).toEqual([]);
    expect(metrics.emitted).toContain("RunsLost{pool=default,reason=silent} 1");
  });

  it("shows that a completion that was being delivered has arrived", async () => {
    const { recovered } = build({ heartbeat: throwing(lost) });
    const run = await running({ delivering: true });
    expect(await recovered(run)).toBe("completed");
    expect(await seen(run)).toMatchObject({ state: "completed", reason: "unconfirmed" });
  });

  it("shows that a failure that was being reported has arrived", async () => {
    const { recovered, metrics, told } = build({ heartbeat: throwing(lost) });
    const run = await running({ reporting });
    expect(await recovered(run)).toBe("failed");
    expect(await seen(run)).toMatchObject({ state: "failed", ...reporting });
    expect(metrics.emitted).toContain("RunsFailed{pool=default,reason=model_refused} 1");
    expect(told).toEqual([]);
  });

  it.each([
    ["a delivery", { delivering: true }, "silent"],
    ["a report", { reporting }, "model_refused"],
  ])("shows nothing of %s where it has only run out, as in an outage", async (_, noted, reason) => {
    const { recovered, clock } = build();
    const run = await running(noted);
    await clock.advance(600_001);
    expect(await recovered(run, "silent")).toBe("lost");
    expect(await seen(run)).toMatchObject({ state: "lost", reason });
  });
});

describe("a failure that Studio may not know of", () => {
  it("is told by recovery where a dead attempt could not tell it any more", async () => {
    const { recovered, told, invoked } = build();
    const run = await running({ reporting, jobDigest: digest });
    expect(await recovered(run)).toBe("failed");
    expect(told).toEqual(["declined: no"]);
    expect(invoked).toEqual([]);
    expect(await seen(run)).toMatchObject({ state: "failed", reason: "model_refused", failures: [] });
  });

  it("is told again where Studio did not take it, without the trouble of an attempt that was never called", async () => {
    const { recovered, told, metrics } = build({ fail: throwingFirst(notTaken) });
    const run = await crashedThreeTimes();
    expect(await recovered(run, "out_of_memory")).toBe("left");
    expect(await recovered(run, "event_lost")).toBe("failed");
    expect(told).toEqual(["The worker ran out of memory three times."]);
    expect(metrics.emitted).toContain("RunsFailed{pool=default,reason=out_of_memory} 1");
  });

  it("is told again with the run's limit as its reason, where that was the reason", async () => {
    const heartbeat = async () => ({ leaseExpiresAtMs: 9_000_000 });
    const { recovered, clock, told } = build({ fail: throwingFirst(notTaken), heartbeat });
    const run = await pastItsLimit(clock);
    expect(await recovered(run)).toBe("left");
    expect(await recovered(run, "event_lost")).toBe("failed");
    expect(told).toEqual(["The job did not end within 60 minutes. The worker crashed."]);
    expect(await seen(run)).toMatchObject({ reason: "run_limit", failures: ["crashed"] });
  });

  it("is noted before recovery tells it, and has arrived where the lease is gone then", async () => {
    // Recovery's heartbeat, and the one right before its report. That arrives, and recovery dies before it can close the run.
    const { recovered } = build({ heartbeat: throwingAfter(2, lost), fail: throwing(notTaken) });
    const run = await crashedThreeTimes();
    expect(await recovered(run, "out_of_memory")).toBe("left");
    expect(await recovered(run, "event_lost")).toBe("failed");
    const explanation = "The worker ran out of memory three times.";
    expect(await seen(run)).toMatchObject({ state: "failed", reason: "out_of_memory", explanation });
  });

  it("is not told to the workspace's next job", async () => {
    const { recovered, told } = build({ context: async () => nextJobContext });
    const run = await running({ reporting, jobDigest: digest });
    expect(await recovered(run)).toBe("failed");
    expect(told).toEqual([]);
    expect(await seen(run)).toMatchObject({ state: "failed", reason: "model_refused", unconfirmed: true });
  });

  it("is not told for a run that was superseded meanwhile", async () => {
    const { recovered, told } = build({
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
    expect(told).toEqual([]);
  });
});

it("starts no attempt under the lease of the workspace's next job", async () => {
  const { recovered, invoked } = build({ context: async () => nextJobContext });
  const run = await running({ delivering: true, jobDigest: digest });
  expect(await recovered(run)).toBe("completed");
  expect(invoked).toEqual([]);
  expect(await seen(run)).toMatchObject({ state: "completed", reason: "unconfirmed", unconfirmed: true });
});

describe("trouble with recovery's heartbeat", () => {
  it("that passes does not keep the run from its restart", async () => {
    const { recovered, clock } = build({ heartbeat: throwingFirst(outage) });
    const recovery = recovered(await running());
    await eventuallyTrue("the pause before the second heartbeat", () => clock.sleeping() > 1);
    await clock.advance(250);
    expect(await recovery).toBe("restarted");
  });

  it("that lasts leaves the run alone while the lease may be alive; after its end it is lost", async () => {
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

  it("because of a refused key leaves the run until the key is accepted again or the lease ends", async () => {
    const { recovered, clock, metrics } = build({ heartbeat: throwingFirst(keyRefused, 2) });
    const [waiting, lapsing] = [await running(), await running()];
    expect(await recovered(waiting)).toBe("left");
    expect(await recovered(lapsing)).toBe("left");
    expect(metrics.emitted).toContain("KeysRefused{pool=default} 1");
    expect(await recovered(waiting)).toBe("restarted");
    await clock.advance(500_001);
    expect(await recovered(lapsing)).toBe("lost");
  });

  it("because of a 429 holds the pool's leasing back", async () => {
    const { deps, recovered } = build({ heartbeat: throwing(tooManyRequests(45_000)) });
    expect(await recovered(await running({}, "pressed"))).toBe("left");
    await eventually("the back-off", async () =>
      (await deps.backoff.read("pressed")).studioUntilMs === 1_045_000 ? true : undefined,
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
  const told = ({ deps }: ReturnType<typeof build>, { pool, runId }: RunOf, more: object = {}) => {
    const requestPayload = { pool, runId, attempt: 1 };
    return recoverFailed(deps, failedInvocationSchema.parse({ ...record, requestPayload, ...more }));
  };

  it("is restarted", async () => {
    const world = build();
    const run = await running();
    expect(await told(world, run)).toBe("restarted");
    expect(world.invoked).toEqual([{ pool: "default", runId: run.runId, attempt: 2 }]);
    expect(await seen(run)).toMatchObject({ failures: ["killed"] });
  });

  it("is restarted where its event grew too old before it began", async () => {
    const run = await leased();
    const requestContext = { requestId: "req9", condition: "EventAgeExceeded" };
    expect(await told(build(), run, { requestContext, responsePayload: undefined })).toBe("restarted");
    expect(await seen(run)).toMatchObject({ failures: ["event_lost"] });
  });

  it("is nothing to a run whose newer attempt has been called", async () => {
    const world = build();
    const run = await running();
    const next = { atMs: 950_000, continuations: 1, leaseExpiresAtMs: 1_500_000, progress: {} };
    await runStore.continueRun(run, next);
    expect(await told(world, run)).toBe("left");
    expect([...world.invoked, ...world.told]).toEqual([]);
  });

  it("is nothing to an attempt that is at work in another invocation", async () => {
    const requestContext = { requestId: "req2", condition: "RetriesExhausted" };
    expect(await told(build(), await running(), { requestContext })).toBe("left");
  });

  it("is nothing to a run that has ended, or that nobody knows", async () => {
    const run = await running();
    await runStore.finish(run, { state: "completed", reason: "ok", atMs: 950_000 });
    expect(await told(build(), run)).toBe("left");
    expect(await told(build(), { pool: "default", runId: "nobody" })).toBe("left");
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
  ] as const)("judges %s", async (_, change, expected) => {
    const { beganAtMs: _began, heartbeatAtMs: _heartbeat, ...run } = await seen(await running({}, "judged"));
    expect(overdue({ ...run, ...change }, settings, 1_000_000)).toBe(expected);
  });

  it("recovers what should have moved, and leaves the rest", async () => {
    const { deps, invoked, clock } = build();
    const pool = "reaped";
    const silent = await running({}, pool);
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
