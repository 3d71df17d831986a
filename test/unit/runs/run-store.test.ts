import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noUsage } from "../../../lib/model/model.ts";
import { createBackoffRow } from "../../../lib/runs/backoff.ts";
import { createRunStore, type RunStore } from "../../../lib/runs/run-store.ts";
import { createTable } from "../../../lib/adapters/dynamodb.ts";
import type { Fence, Run, RunProgress } from "../../../lib/runs/run.ts";
import { anyone } from "../../support/aws.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { startLocalTable, type LocalTable } from "../../support/run-store.ts";

let local: LocalTable;
let runStore: RunStore;

beforeAll(async () => {
  local = await startLocalTable();
  runStore = createRunStore(local.table);
});
afterAll(() => local.close());

const began = { atMs: 2_000, requestId: "req1" };
const ok = { state: "completed", reason: "ok", atMs: 3_000 } as const;
const silent = { state: "lost", reason: "silent", atMs: 7_000 } as const;
const restart = { atMs: 7_000, failure: "silent", leaseExpiresAtMs: 607_000 };
const heartbeat = { atMs: 6_000, leaseExpiresAtMs: 606_000 };
const usage = { ...noUsage, inputTokens: 10, outputTokens: 5 };

let serial = 0;

async function created(pool = "default"): Promise<Fence> {
  const runId = `run-${++serial}`;
  const times = { leasedAtMs: 1_000, leaseExpiresAtMs: 601_000 };
  await runStore.create({ pool, runId, workspaceId: "ws1", keyId: "cred1", ...times });
  return { pool, runId, attempt: 1, invocationId: "first" };
}

async function started(pool = "default"): Promise<Fence> {
  const fence = await created(pool);
  expect(await runStore.start(fence, began)).toBeDefined();
  return fence;
}

/** The run as the reaper reads it. */
async function readBack(fence: Fence): Promise<Run> {
  return (await runStore.read(fence.pool, fence.runId))!;
}

const continueRun = (fence: Fence, progress: RunProgress = {}, store = runStore) =>
  store.continueRun(fence, { atMs: 5_000, continuations: 1, leaseExpiresAtMs: 700_000, progress });

describe("start", () => {
  it("moves a leased run to running and returns its row", async () => {
    const fence = await created();
    const leased = {
      workspaceId: "ws1",
      keyId: "cred1",
      leasedAtMs: 1_000,
      calledAtMs: 1_000,
      leaseMs: 600_000,
    };
    const fresh = { starts: 1, continuations: 0, failures: [], startedOver: false, repaired: false };
    const unused = { rounds: 0, responseIds: [], usage: noUsage, usageBeside: noUsage, usageBefore: noUsage };
    expect(await runStore.start(fence, began)).toMatchObject({
      ...fence,
      ...leased,
      ...fresh,
      ...unused,
      state: "running",
      delivering: false,
      openIn: "default",
      leaseExpiresAtMs: 601_000,
      requestId: "req1",
      beganAtMs: 2_000,
    });
  });

  it("accepts exactly one of five invocations of the same event", async () => {
    const fence = await created();
    const ids = ["a", "b", "c", "d", "e"];
    const runs = await Promise.all(
      ids.map((invocationId) => runStore.start({ ...fence, invocationId }, began)),
    );
    expect(runs.filter((run) => run !== undefined)).toHaveLength(1);
  });

  it("can be repeated by the same invocation, as after a lost answer", async () => {
    expect(await runStore.start(await started(), { ...began, atMs: 2_500 })).toBeDefined();
  });

  it("refuses an attempt that is not the current one, an unknown run and a finished run", async () => {
    const fence = await created();
    expect(await runStore.start({ ...fence, attempt: 2 }, began)).toBeUndefined();
    expect(await runStore.start({ ...fence, runId: "nobody" }, began)).toBeUndefined();
    await runStore.start(fence, began);
    await runStore.finish(fence, ok);
    expect(await runStore.start(fence, { ...began, atMs: 4_000 })).toBeUndefined();
  });
});

describe("the fence", () => {
  it("lets the owner send heartbeats, note rounds and finish the run", async () => {
    const fence = await started();
    const progress = { rounds: 1, responseIds: ["resp_1"], usage };
    const ending = { state: "failed", reason: "model_refused", explanation: "no" } as const;
    const costs = { createdAtMs: 500, costUsd: 0.25 };
    expect(await runStore.heartbeat(fence, heartbeat)).toEqual({ cancelled: undefined });
    expect(await runStore.saveProgress(fence, { ...progress, createdAtMs: 500 })).toEqual({
      cancelled: undefined,
    });
    expect(await runStore.finish(fence, { ...ending, atMs: 7_000, costUsd: 0.25 })).toBe(true);
    const run = await readBack(fence);
    expect(run).toMatchObject({ ...ending, ...progress, ...costs, endedAtMs: 7_000 });
    expect(run).toMatchObject({ heartbeatAtMs: 6_000, leaseExpiresAtMs: 606_000 });
    expect(run.openIn).toBeUndefined();
  });

  it("lets a heartbeat update the lease's length, which the reaper needs to find silent attempts", async () => {
    const fence = await started();
    await runStore.heartbeat(fence, { atMs: 3_000, leaseExpiresAtMs: 1_203_000 });
    expect(await readBack(fence)).toMatchObject({ leaseMs: 1_200_000 });
  });

  it("refuses every write of an invocation that does not own the attempt", async () => {
    const other = { ...(await started()), invocationId: "second" };
    expect(await runStore.heartbeat(other, heartbeat)).toBeUndefined();
    expect(await runStore.saveProgress(other, { rounds: 1, responseIds: ["resp_1"], usage })).toBeUndefined();
    expect(await runStore.finish(other, ok)).toBe(false);
  });

  it("refuses heartbeats after the run is finished, and finishing it again with another state", async () => {
    const fence = await started();
    expect(await runStore.finish(fence, silent)).toBe(true);
    expect(await runStore.finish(fence, silent)).toBe(true);
    expect(await runStore.finish(fence, ok)).toBe(false);
    expect(await runStore.heartbeat(fence, heartbeat)).toBeUndefined();
  });

  it("refuses the owner's outcome once another process has finished the run", async () => {
    const fence = await started();
    expect(await runStore.finishAbandoned(await readBack(fence), silent)).toBe(true);
    expect(await runStore.finish(fence, { ...silent, reason: "lease_lost" })).toBe(false);
    expect(await readBack(fence)).toMatchObject({ state: "lost", reason: "silent" });
  });
});

describe("the next attempt", () => {
  it("takes over from a running attempt, which can no longer write", async () => {
    const fence = await started();
    expect(await continueRun(fence)).toBe(true);
    const next = { state: "leased", attempt: 2, calledAtMs: 5_000, continuations: 1, starts: 1 };
    expect(await readBack(fence)).toMatchObject({ ...next, leaseExpiresAtMs: 700_000 });
    expect(await runStore.heartbeat(fence, heartbeat)).toBeUndefined();
    expect(await runStore.finish(fence, ok)).toBe(false);
    const second = { ...fence, attempt: 2, invocationId: "second" };
    expect(await runStore.start(second, began)).toMatchObject({ attempt: 2, state: "running" });
  });

  it("keeps the progress that the earlier attempt recorded, and gets what it could not record", async () => {
    const fence = await started();
    const recorded = { rounds: 1, responseIds: ["resp_1"], summaryResponseId: "resp_s", usage, model: "m" };
    await runStore.saveProgress(fence, recorded);
    const unrecorded = { rounds: 2, responseIds: ["resp_1", "resp_2"] };
    await continueRun(fence, unrecorded);
    const next = await runStore.start({ ...fence, attempt: 2, invocationId: "second" }, began);
    expect(next).toMatchObject({ ...recorded, ...unrecorded });
  });

  it("is created by a restart, which counts and keeps the failure", async () => {
    const fence = await started();
    const restarted = await runStore.restart(await readBack(fence), { ...restart, failure: "crashed" });
    const next = { state: "leased", attempt: 2, starts: 2, failures: ["crashed"] };
    expect(restarted).toMatchObject({ ...next, leaseExpiresAtMs: 607_000 });
    const again = await runStore.restart(restarted!, { ...restart, failure: "timed_out" });
    expect(again).toMatchObject({ attempt: 3, starts: 3, failures: ["crashed", "timed_out"] });
  });

  it("is not created, nor the run finished, when the attempt has started or sent a heartbeat since it was read", async () => {
    const fence = await created();
    const leased = await readBack(fence);
    await runStore.start(fence, began);
    expect(await runStore.restart(leased, restart)).toBeUndefined();
    const running = await readBack(fence);
    await runStore.heartbeat(fence, heartbeat);
    expect(await runStore.restart(running, restart)).toBeUndefined();
    expect(await runStore.finishAbandoned(running, silent)).toBe(false);
    expect(await runStore.finishAbandoned(await readBack(fence), silent)).toBe(true);
    expect(await runStore.restart(await readBack(fence), restart)).toBeUndefined();
  });

  it("is created, and the run finished, even when the SDK repeats the write after a lost answer", async () => {
    const { update } = local.table;
    const repeating = createRunStore({
      ...local.table,
      update: async (...call) => {
        await update(...call);
        return update(...call);
      },
    });
    const fence = await started();
    expect(await continueRun(fence, {}, repeating)).toBe(true);
    const restarted = await repeating.restart(await readBack(fence), restart);
    expect(restarted).toMatchObject({ attempt: 3, continuations: 1, starts: 2, failures: ["silent"] });
    expect(await repeating.finishAbandoned(restarted!, { ...silent, atMs: 8_000 })).toBe(true);
  });
});

describe("open runs", () => {
  it("are the unfinished runs of their own pool only", async () => {
    const [leased, running] = [await created("p1"), await started("p1")];
    await runStore.finish(await started("p1"), ok);
    await created("p2");
    const ids = (await runStore.openRuns("p1")).map(({ runId }) => runId);
    expect(ids.toSorted()).toEqual([leased.runId, running.runId].toSorted());
  });

  it("do not include rows of another pool that name this one", async () => {
    const { pool, runId } = await created("stranger");
    await local.table.update({ pool, id: `run#${runId}` }, { set: { openIn: "victim" } });
    expect(await runStore.openRuns("victim")).toEqual([]);
  });
});

describe("the back-off row", () => {
  const clock = createFakeClock(1_000_000);

  it("only grows, separately for Studio and the model", async () => {
    const backoff = createBackoffRow(local.table, clock);
    expect(await backoff.read("calm")).toEqual({ modelUntilMs: 0, studioUntilMs: 0 });
    await backoff.extend("calm", "model", 1_009_000);
    await backoff.extend("calm", "model", 1_005_000);
    await backoff.extend("calm", "studio", 1_007_000);
    expect(await backoff.read("calm")).toEqual({ modelUntilMs: 1_009_000, studioUntilMs: 1_007_000 });
  });

  it.each([1_784_000_000_000, 1e300, Number.POSITIVE_INFINITY])(
    "holds leasing back for at most three minutes, even when asked to until %d",
    async (untilMs) => {
      const backoff = createBackoffRow(local.table, clock);
      await backoff.extend(`asked ${untilMs}`, "model", untilMs);
      expect(await backoff.read(`asked ${untilMs}`)).toEqual({ modelUntilMs: 1_180_000, studioUntilMs: 0 });
    },
  );

  it.each([1_180_001, 1_784_000_000_000, 10n ** 38n, "tomorrow", null])(
    "ignores a stored time of %s",
    async (written) => {
      const backoff = createBackoffRow(local.table, clock);
      const pool = `absurd ${written}`;
      await local.table.put({ pool, id: "backoff", studioUntilMs: written }, undefined);
      expect(await backoff.read(pool)).toEqual({ modelUntilMs: 0, studioUntilMs: 0 });
    },
  );

  it("holds nothing back once it is cleared, until it is extended again", async () => {
    const backoff = createBackoffRow(local.table, clock);
    await backoff.extend("cleared", "model", 1_009_000);
    await backoff.extend("cleared", "studio", 1_009_000);
    await backoff.clear("cleared");
    expect(await backoff.read("cleared")).toEqual({ modelUntilMs: 0, studioUntilMs: 0 });
    await backoff.extend("cleared", "model", 1_001_000);
    expect(await backoff.read("cleared")).toEqual({ modelUntilMs: 1_001_000, studioUntilMs: 0 });
  });

  it("replaces a time that is decades ahead with a new one", async () => {
    const backoff = createBackoffRow(local.table, clock);
    const decadesAheadMs = 1_784_000_000_000;
    await local.table.put({ pool: "old", id: "backoff", studioUntilMs: decadesAheadMs }, undefined);
    await backoff.extend("old", "studio", 1_007_000);
    expect(await backoff.read("old")).toEqual({ modelUntilMs: 0, studioUntilMs: 1_007_000 });
  });
});

describe("cancel", () => {
  const cancellation = { by: "ann", why: "a typo", atMs: 4_000 };
  const reporting = { reason: "model_refused", explanation: "no" };

  it("marks a run that waits for its attempt and one that runs, which both see it", async () => {
    const waiting = await created();
    expect(await runStore.cancel(waiting, cancellation)).toMatchObject({ cancelled: cancellation });
    expect(await runStore.start(waiting, began)).toMatchObject({ cancelled: cancellation });
    const running = await started();
    expect(await runStore.cancel(running, cancellation)).toMatchObject({ state: "running" });
    expect(await readBack(running)).toMatchObject({ cancelled: cancellation });
  });

  it("keeps the first of two marks", async () => {
    const fence = await started();
    await runStore.cancel(fence, cancellation);
    expect(await runStore.cancel(fence, { by: "ben", atMs: 5_000 })).toBeUndefined();
    expect(await readBack(fence)).toMatchObject({ cancelled: cancellation });
  });

  it.each([
    [
      "whose deliverables are being sent",
      (fence: Fence) => runStore.saveProgress(fence, { delivering: true }),
    ],
    ["whose failure is being reported", (fence: Fence) => runStore.saveProgress(fence, { reporting })],
    ["that is finished", (fence: Fence) => runStore.finish(fence, ok)],
  ])("leaves a run alone %s", async (_, move) => {
    const fence = await started();
    await move(fence);
    expect(await runStore.cancel(fence, cancellation)).toBeUndefined();
    expect((await readBack(fence)).cancelled).toBeUndefined();
  });

  it("creates no row for an unknown run", async () => {
    const unknown = { pool: "default", runId: "nobody" };
    expect(await runStore.cancel(unknown, cancellation)).toBeUndefined();
    expect(await runStore.read("default", "nobody")).toBeUndefined();
  });

  it("is possible again while Studio's refusal of the deliverables is repaired", async () => {
    const fence = await started();
    await runStore.saveProgress(fence, { delivering: true });
    await runStore.saveProgress(fence, { delivering: false, repaired: true });
    expect(await runStore.cancel(fence, cancellation)).toMatchObject({ cancelled: cancellation });
  });

  it("bounds what is written, and ignores a mark that it cannot read", async () => {
    const fence = await started();
    const long = { by: "a\u001b".repeat(200), why: "two\nlines", atMs: 4_000 };
    const { by, why } = (await runStore.cancel(fence, long))!.cancelled!;
    expect(by).toHaveLength(80);
    expect(by.startsWith(String.raw`a\u001ba`)).toBe(true);
    expect(why).toBe("two lines");
    await local.table.update({ pool: fence.pool, id: `run#${fence.runId}` }, { set: { cancelled: "yes" } });
    expect((await readBack(fence)).cancelled).toBeUndefined();
  });
});

describe("an open row that is not a run", () => {
  it("is reported and left out, so that one row cannot stop a pool", async () => {
    const errors: string[] = [];
    const tolerant = createRunStore(local.table, ({ message }) => errors.push(message));
    const strange = { id: "run#strange", openIn: "odd", leaseExpiresAtMs: 1, attempt: "first" };
    await local.table.put({ ...strange, pool: "odd" }, undefined);
    expect(await tolerant.openRuns("odd")).toEqual([]);
    expect(errors).toEqual([expect.stringMatching(/^the run store row run#strange is not a run: .*attempt/)]);
    expect(await runStore.openRuns("odd")).toEqual([]);
    expect(await tolerant.recentRuns("odd", { limit: 10 })).toEqual([]);
    expect(await tolerant.read("odd", "strange")).toBeUndefined();
  });

  it("is also one with the schema version of a newer release, which a rollback leaves behind", async () => {
    await runStore.create({
      pool: "old",
      runId: "r1",
      workspaceId: "w",
      keyId: "k",
      leasedAtMs: 0,
      leaseExpiresAtMs: 9,
    });
    expect(await runStore.openRuns("old")).toMatchObject([{ schemaVersion: 1 }]);
    await local.table.update({ pool: "old", id: "run#r1" }, { set: { schemaVersion: 2 } });
    expect(await runStore.openRuns("old")).toEqual([]);
  });
});

it.each([
  ["is retryable when the store cannot be reached", "runs", () => 9, true],
  ["is not retryable when there is no such table", "nowhere", () => local.port, false],
])("an error run_store_unavailable %s", async (_, name, port, retryable) => {
  const failure = createRunStore(createTable(name, anyone(`http://127.0.0.1:${port()}`))).read(
    "default",
    "x",
  );
  await expect(failure).rejects.toMatchObject({ code: "run_store_unavailable", retryable });
});
