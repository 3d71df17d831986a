import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createControlRow } from "../../../lib/runs/control.ts";
import { createDispatchLock } from "../../../lib/runs/dispatch-lock.ts";
import { createRunStore } from "../../../lib/runs/run-store.ts";
import { createSpendRow, utcDay } from "../../../lib/runs/spend.ts";
import { startLocalTable, type LocalTable } from "../../support/run-store.ts";

let local: LocalTable;
beforeAll(async () => {
  local = await startLocalTable();
});
afterAll(() => local.close());

describe("a day's spending", () => {
  const nothing = { costUsd: 0, runs: 0, completed: 0, failed: 0, lost: 0, inputTokens: 0, outputTokens: 0 };

  it("is nothing before anything has ended", async () => {
    expect(await createSpendRow(local.table).read("p", "2026-10-04")).toEqual(nothing);
  });

  it("loses none of what many hands add at once, and is of one pool and day", async () => {
    const spend = createSpendRow(local.table);
    const end = { costUsd: 0.1, runs: 1, completed: 1, inputTokens: 10, outputTokens: 2 };
    await Promise.all(Array.from({ length: 20 }, () => spend.add("busy", "2026-10-04", end)));
    await spend.add("busy", "2026-10-04", { runs: 1, failed: 1 });
    expect(await spend.read("busy", "2026-10-04")).toEqual({
      costUsd: 2,
      runs: 21,
      completed: 20,
      failed: 1,
      lost: 0,
      inputTokens: 200,
      outputTokens: 40,
    });
    expect(await spend.read("busy", "2026-10-05")).toEqual(nothing);
    expect(await spend.read("other", "2026-10-04")).toEqual(nothing);
  });

  it("leaves the table 400 days later", async () => {
    await createSpendRow(local.table).add("kept", "2026-10-04", { runs: 1 });
    const row = await local.table.get({ pool: "kept", id: "spend#2026-10-04" });
    expect(row?.["expiresAtSeconds"]).toBe(Date.parse("2027-11-08T00:00:00Z") / 1000);
  });

  it("is that of the day in UTC", () => {
    expect(utcDay(Date.parse("2026-10-04T23:59:59.999Z"))).toBe("2026-10-04");
    expect(utcDay(Date.parse("2026-10-05T01:00:00+02:00"))).toBe("2026-10-04");
  });
});

describe("the lock's row", () => {
  const ask = { pool: "l", nowMs: 1_000, untilMs: 61_000 };
  const cycle = { reason: "empty", atMs: 5_000, polls: 25, leased: 0, inFlight: 0 };

  it("keeps what came of the last cycle after its release, and can be taken again", async () => {
    const lock = createDispatchLock(local.table);
    expect(await lock.read("l")).toEqual({});
    await lock.acquire({ ...ask, owner: "a" });
    await lock.release({ pool: "l", owner: "a" }, { lastCycle: cycle, goodPollAtMs: 5_000 });
    expect(await lock.read("l")).toEqual({ lastCycle: cycle, goodPollAtMs: 5_000 });
    expect(await lock.acquire({ ...ask, owner: "b" })).toBe(true);
    expect(await lock.read("l")).toMatchObject({ owner: "b", lockedUntilMs: 61_000, lastCycle: cycle });
  });

  it("keeps the time of the last good poll through cycles that have none", async () => {
    const lock = createDispatchLock(local.table);
    const failed = { ...cycle, reason: "studio_unavailable", atMs: 9_000 };
    await lock.release({ pool: "l", owner: "b" }, { lastCycle: failed });
    expect(await lock.read("l")).toEqual({ lastCycle: failed, goodPollAtMs: 5_000 });
  });

  it("is not written by a cycle that has lost it", async () => {
    const lock = createDispatchLock(local.table);
    await lock.acquire({ ...ask, owner: "c" });
    const late = { ...cycle, reason: "leased", atMs: 99_000 };
    await lock.release({ pool: "l", owner: "b" }, { lastCycle: late, goodPollAtMs: 99_000 });
    expect(await lock.read("l")).toMatchObject({ owner: "c", goodPollAtMs: 5_000 });
  });
});

describe("the control row", () => {
  it("changes only what is named, and takes out what is null", async () => {
    const control = createControlRow(local.table);
    await control.write("c", { concurrency: 3, concurrencyBy: "ada", concurrencyAtMs: 7 });
    await control.write("c", { paused: true, by: "ben", why: "deploy", atMs: 8 });
    await control.write("c", { dailyCapUsd: 20 });
    expect(await control.read("c")).toEqual({
      paused: true,
      by: "ben",
      why: "deploy",
      atMs: 8,
      concurrency: 3,
      concurrencyBy: "ada",
      concurrencyAtMs: 7,
      dailyCapUsd: 20,
    });
    await control.write("c", { concurrency: null, concurrencyBy: null, concurrencyAtMs: null });
    await control.write("c", { paused: false, why: undefined, dailyCapUsd: null });
    expect(await control.read("c")).toEqual({ paused: false, by: "ben", why: "deploy", atMs: 8 });
  });
});

describe("runs of the past", () => {
  const ids = ["01A", "01B", "01C", "01D", "01E"];
  beforeAll(async () => {
    const runStore = createRunStore(local.table);
    for (const [index, runId] of ids.entries()) {
      const workspaceId = index % 2 === 0 ? "even" : "odd";
      const lease = { leasedAtMs: 1_000, leaseExpiresAtMs: 601_000 };
      await runStore.create({ pool: "past", runId, workspaceId, keyId: "k", ...lease });
    }
    await runStore.create({
      pool: "other",
      runId: "01F",
      workspaceId: "even",
      keyId: "k",
      leasedAtMs: 1,
      leaseExpiresAtMs: 9,
    });
    await createControlRow(local.table).write("past", { paused: true });
    await createSpendRow(local.table).add("past", "2026-10-04", { runs: 1 });
  });

  const idsOf = (runs: readonly { readonly runId: string }[]) => runs.map(({ runId }) => runId);

  it("come newest first, page by page, rows of other kinds left out", async () => {
    const runStore = createRunStore(local.table);
    expect(idsOf(await runStore.recentRuns("past", { limit: 2 }))).toEqual(["01E", "01D"]);
    expect(idsOf(await runStore.recentRuns("past", { limit: 2, beforeRunId: "01D" }))).toEqual([
      "01C",
      "01B",
    ]);
    expect(idsOf(await runStore.recentRuns("past", { limit: 9, beforeRunId: "01B" }))).toEqual(["01A"]);
    expect(await runStore.recentRuns("past", { limit: 2, beforeRunId: "01A" })).toEqual([]);
    expect(await runStore.recentRuns("nobody", { limit: 2 })).toEqual([]);
  });

  it("of one workspace come newest first, of their pool only", async () => {
    const runStore = createRunStore(local.table);
    expect(idsOf(await runStore.runsOf("past", "even"))).toEqual(["01E", "01C", "01A"]);
    expect(await runStore.runsOf("past", "nobody")).toEqual([]);
  });

  it("keep what they have cost, and when their job was written", async () => {
    const runStore = createRunStore(local.table);
    const fence = { pool: "past", runId: "01A", attempt: 1, invocationId: "i" };
    await runStore.start(fence, { atMs: 2_000, requestId: "r" });
    await runStore.note(fence, { createdAtMs: 500 });
    await runStore.finish(fence, { state: "completed", reason: "ok", costUsd: 0.25, atMs: 3_000 });
    expect(await runStore.read("past", "01A")).toMatchObject({ createdAtMs: 500, costUsd: 0.25 });
  });
});
