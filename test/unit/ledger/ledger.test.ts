import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createControlRow } from "../../../lib/ledger/control.ts";
import { createDispatchLock } from "../../../lib/ledger/dispatch-lock.ts";
import { createLedger, type Ledger } from "../../../lib/ledger/ledger.ts";
import { createTable } from "../../../lib/dynamodb.ts";
import type { Fence } from "../../../lib/ledger/run.ts";
import { startLocalTable, type LocalTable } from "../../support/ledger.ts";

let local: LocalTable;
let ledger: Ledger;

beforeAll(async () => {
  local = await startLocalTable();
  ledger = createLedger(local.table);
});
afterAll(() => local.close());

let serial = 0;

async function opened(pool = "default"): Promise<Fence> {
  const runId = `run-${++serial}`;
  await ledger.open({
    pool,
    runId,
    workspaceId: "ws1",
    keyId: "cred1",
    leasedAtMs: 1_000,
    leaseExpiresAtMs: 601_000,
  });
  return { pool, runId, leg: 1, invocationId: "first" };
}

async function begun(): Promise<Fence> {
  const fence = await opened();
  expect(await ledger.begin(fence, 2_000)).toBeDefined();
  return fence;
}

const usage = { inputTokens: 10, cachedInputTokens: 2, outputTokens: 5, reasoningTokens: 1 };

describe("begin", () => {
  it("moves a leased run to running and gives its row", async () => {
    const fence = await opened();
    expect(await ledger.begin(fence, 2_000)).toEqual({
      pool: "default",
      id: `run#${fence.runId}`,
      runId: fence.runId,
      workspaceId: "ws1",
      keyId: "cred1",
      state: "running",
      leg: 1,
      leasedAtMs: 1_000,
      leaseExpiresAtMs: 601_000,
      openIn: "default",
      invocationId: "first",
      beganAtMs: 2_000,
      rounds: 0,
      usage: { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 },
    });
  });

  it("lets exactly one of five invocations of the same event begin", async () => {
    const fence = await opened();
    const ids = ["a", "b", "c", "d", "e"];
    const runs = await Promise.all(
      ids.map((invocationId) => ledger.begin({ ...fence, invocationId }, 2_000)),
    );
    expect(runs.filter((run) => run !== undefined)).toHaveLength(1);
  });

  it("may be repeated by the same invocation, as the SDK does after a lost answer", async () => {
    const fence = await begun();
    expect(await ledger.begin(fence, 2_500)).toBeDefined();
  });

  it("refuses a leg that is not the run's", async () => {
    const fence = await opened();
    expect(await ledger.begin({ ...fence, leg: 2 }, 2_000)).toBeUndefined();
  });

  it("refuses a run that was never opened", async () => {
    const fence = { pool: "default", runId: "nobody", leg: 1, invocationId: "first" };
    expect(await ledger.begin(fence, 2_000)).toBeUndefined();
  });

  it("refuses a run that has ended", async () => {
    const fence = await begun();
    await ledger.close(fence, { state: "completed", reason: "ok", atMs: 3_000 });
    expect(await ledger.begin(fence, 4_000)).toBeUndefined();
  });
});

describe("the fence", () => {
  it("lets the owner beat, note rounds and close", async () => {
    const fence = await begun();
    expect(await ledger.beat(fence, { atMs: 3_000, leaseExpiresAtMs: 603_000 })).toBe(true);
    expect(await ledger.noteRound(fence, { number: 1, responseId: "resp_1", usage })).toBe(true);
    expect(
      await ledger.close(fence, { state: "failed", reason: "model_refused", explanation: "no", atMs: 4_000 }),
    ).toBe(true);
    const run = await ledger.read("default", fence.runId);
    expect(run).toMatchObject({
      state: "failed",
      reason: "model_refused",
      explanation: "no",
      beatAtMs: 3_000,
      leaseExpiresAtMs: 603_000,
      rounds: 1,
      lastResponseId: "resp_1",
      usage,
      endedAtMs: 4_000,
    });
    expect(run?.openIn).toBeUndefined();
  });

  it("refuses every write of an invocation that does not own the leg", async () => {
    const other = { ...(await begun()), invocationId: "second" };
    expect(await ledger.beat(other, { atMs: 3_000, leaseExpiresAtMs: 603_000 })).toBe(false);
    expect(await ledger.noteRound(other, { number: 1, responseId: "resp_1", usage })).toBe(false);
    expect(await ledger.close(other, { state: "completed", reason: "ok", atMs: 3_000 })).toBe(false);
  });

  it("refuses beats after the close, and a second close with another state", async () => {
    const fence = await begun();
    expect(await ledger.close(fence, { state: "lost", reason: "lease_lost", atMs: 3_000 })).toBe(true);
    expect(await ledger.close(fence, { state: "lost", reason: "lease_lost", atMs: 3_000 })).toBe(true);
    expect(await ledger.close(fence, { state: "completed", reason: "ok", atMs: 3_000 })).toBe(false);
    expect(await ledger.beat(fence, { atMs: 4_000, leaseExpiresAtMs: 604_000 })).toBe(false);
  });

  it("closes a run whose leg never began, and only such a one", async () => {
    const unbegun = await opened();
    const ending = { state: "lost", reason: "invoke_failed", atMs: 3_000 } as const;
    expect(await ledger.closeUnbegun(unbegun, ending)).toBe(true);
    expect(await ledger.begin(unbegun, 4_000)).toBeUndefined();
    expect(await ledger.closeUnbegun(await begun(), ending)).toBe(false);
  });
});

describe("in flight", () => {
  it("counts open runs with a live lease, in their own pool only", async () => {
    const leased = await opened("p1");
    const running = await opened("p1");
    await ledger.begin(running, 2_000);
    const ended = await opened("p1");
    await ledger.begin(ended, 2_000);
    await ledger.close(ended, { state: "completed", reason: "ok", atMs: 3_000 });
    await opened("p2");
    const ids = (await ledger.inFlight("p1", 5_000)).map(({ runId }) => runId);
    expect(ids.toSorted()).toEqual([leased.runId, running.runId].toSorted());
  });

  it("forgets a run whose lease is over", async () => {
    await opened("p3");
    expect(await ledger.inFlight("p3", 600_999)).toHaveLength(1);
    expect(await ledger.inFlight("p3", 601_000)).toHaveLength(0);
  });
});

describe("the dispatch lock", () => {
  const ask = { pool: "default", nowMs: 1_000, untilMs: 61_000 };

  it("is held by one owner until released", async () => {
    const lock = createDispatchLock(local.table);
    expect(await lock.acquire({ ...ask, owner: "a" })).toBe(true);
    expect(await lock.acquire({ ...ask, owner: "b" })).toBe(false);
    await lock.release("default", "b");
    expect(await lock.acquire({ ...ask, owner: "b" })).toBe(false);
    await lock.release("default", "a");
    expect(await lock.acquire({ ...ask, owner: "b" })).toBe(true);
    await lock.release("default", "b");
  });

  it("dies by itself at its time", async () => {
    const lock = createDispatchLock(local.table);
    expect(await lock.acquire({ ...ask, owner: "a" })).toBe(true);
    expect(await lock.acquire({ ...ask, owner: "b", nowMs: 61_001, untilMs: 121_000 })).toBe(true);
  });
});

describe("the control row", () => {
  it("says not paused when there is no row, and keeps who paused and why", async () => {
    const control = createControlRow(local.table);
    expect(await control.read("quiet")).toEqual({ paused: false });
    await control.write("quiet", { paused: true, by: "ada", why: "deploy", atMs: 5 });
    expect(await control.read("quiet")).toEqual({ paused: true, by: "ada", why: "deploy", atMs: 5 });
  });
});

describe("an unreachable ledger", () => {
  it("is ledger_unavailable, and worth another try", async () => {
    const table = createTable("ledger", {
      endpoint: "http://127.0.0.1:9",
      region: "eu-central-1",
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
      maxAttempts: 1,
    });
    const failure = createLedger(table).read("default", "x");
    await expect(failure).rejects.toMatchObject({ code: "ledger_unavailable", retryable: true });
  });

  it("is not worth another try when there is no such table", async () => {
    const table = createTable("nowhere", {
      endpoint: `http://127.0.0.1:${local.port}`,
      region: "eu-central-1",
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
    });
    const failure = createLedger(table).read("default", "x");
    await expect(failure).rejects.toMatchObject({ code: "ledger_unavailable", retryable: false });
  });
});
