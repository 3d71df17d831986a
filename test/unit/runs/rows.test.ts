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

describe("a day's spend", () => {
  const nothing = { costUsd: 0, runs: 0, completed: 0, failed: 0, lost: 0, inputTokens: 0, outputTokens: 0 };

  it("is zero before any run has ended", async () => {
    expect(await createSpendRow(local.table).read("p", "2026-10-04")).toEqual(nothing);
  });

  it("keeps all concurrent additions, separately for each pool and day", async () => {
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

  it("expires from the table after 400 days", async () => {
    await createSpendRow(local.table).add("kept", "2026-10-04", { runs: 1 });
    const row = await local.table.get({ pool: "kept", id: "spend#2026-10-04" });
    expect(row?.["expiresAtSeconds"]).toBe(Date.parse("2027-11-08T00:00:00Z") / 1000);
  });

  it("belongs to the day in UTC", () => {
    expect(utcDay(Date.parse("2026-10-04T23:59:59.999Z"))).toBe("2026-10-04");
    expect(utcDay(Date.parse("2026-10-05T01:00:00+02:00"))).toBe("2026-10-04");
  });
});

describe("the dispatch lock", () => {
  const ask = { nowMs: 1_000, untilMs: 61_000 };
  const cycle = { reason: "empty", atMs: 5_000, polls: 25, leased: 0, inFlight: 0 };
  const ended = { lastCycle: cycle, goodPollAtMs: 5_000 };
  const held = async (pool: string) => {
    const lock = createDispatchLock(local.table);
    expect(await lock.acquire({ ...ask, pool, owner: "a" })).toMatchObject({ owner: "a" });
    return lock;
  };

  it("is held by one owner until that owner releases it", async () => {
    const lock = await held("l1");
    expect(await lock.acquire({ ...ask, pool: "l1", owner: "b" })).toBeUndefined();
    await lock.release({ pool: "l1", owner: "b" }, ended);
    expect(await lock.read("l1")).toEqual({ owner: "a", lockedUntilMs: 61_000 });
    await lock.release({ pool: "l1", owner: "a" }, ended);
    expect(await lock.acquire({ ...ask, pool: "l1", owner: "b" })).toMatchObject({ owner: "b" });
  });

  it("expires if it is not released", async () => {
    const lock = await held("l2");
    const later = { pool: "l2", owner: "b", nowMs: 61_001, untilMs: 121_000 };
    expect(await lock.acquire(later)).toBeDefined();
  });

  it("can be acquired although what an earlier cycle recorded in its row is unreadable", async () => {
    const lock = createDispatchLock(local.table);
    await local.table.put(
      { pool: "l5", id: "lock", lastCycle: "yesterday", goodPollAtMs: "soon" },
      undefined,
    );
    expect(await lock.acquire({ ...ask, pool: "l5", owner: "a" })).toEqual({
      owner: "a",
      lockedUntilMs: 61_000,
    });
    expect(await lock.read("l5")).toEqual({ owner: "a", lockedUntilMs: 61_000 });
  });

  it("records a good poll only for its owner", async () => {
    const lock = await held("l4");
    await lock.recordGoodPoll({ pool: "l4", owner: "b" }, 2_000);
    expect(await lock.read("l4")).toEqual({ owner: "a", lockedUntilMs: 61_000 });
    await lock.recordGoodPoll({ pool: "l4", owner: "a" }, 3_000);
    expect(await lock.read("l4")).toEqual({ owner: "a", lockedUntilMs: 61_000, goodPollAtMs: 3_000 });
  });

  it("keeps the outcome of the last cycle, and the time of the last good poll across cycles without one", async () => {
    const lock = await held("l3");
    await lock.release({ pool: "l3", owner: "a" }, ended);
    expect(await lock.read("l3")).toEqual(ended);
    await lock.acquire({ ...ask, pool: "l3", owner: "b" });
    expect(await lock.read("l3")).toEqual({ owner: "b", lockedUntilMs: 61_000, ...ended });
    const failed = { ...cycle, reason: "studio_unavailable", atMs: 9_000 };
    await lock.release({ pool: "l3", owner: "b" }, { lastCycle: failed });
    expect(await lock.read("l3")).toEqual({ lastCycle: failed, goodPollAtMs: 5_000 });
  });
});

describe("the control row", () => {
  it("changes only the given fields, and removes those that are null", async () => {
    const control = createControlRow(local.table);
    expect(await control.read("c")).toEqual({ paused: false });
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

describe("past runs", () => {
  const ids = ["01A", "01B", "01C", "01D", "01E"];
  beforeAll(async () => {
    const runStore = createRunStore(local.table);
    for (const [index, runId] of ids.entries()) {
      const workspaceId = index % 2 === 0 ? "even" : "odd";
      const lease = { leasedAtMs: 1_000, leaseExpiresAtMs: 601_000 };
      await runStore.create({ pool: "past", runId, workspaceId, keyId: "k", ...lease });
    }
    const other = { pool: "other", runId: "01F", workspaceId: "even", keyId: "k" };
    await runStore.create({ ...other, leasedAtMs: 1, leaseExpiresAtMs: 9 });
    await createControlRow(local.table).write("past", { paused: true });
    await createSpendRow(local.table).add("past", "2026-10-04", { runs: 1 });
  });

  const idsOf = (runs: readonly { readonly runId: string }[]) => runs.map(({ runId }) => runId);

  it("are listed newest first, page by page, without rows of other kinds", async () => {
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

  it("of one workspace are listed newest first, for their own pool only", async () => {
    const runStore = createRunStore(local.table);
    expect(idsOf(await runStore.runsOf("past", "even"))).toEqual(["01E", "01C", "01A"]);
    expect(await runStore.runsOf("past", "nobody")).toEqual([]);
  });
});
