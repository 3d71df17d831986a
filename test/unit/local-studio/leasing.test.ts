import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Fixture, messageOnly, noonMs, startFixture } from "./fixture.ts";

let fixture: Fixture;

beforeEach(async () => {
  fixture = await startFixture();
});
afterEach(() => fixture.close());

async function leaseNew(text = "Plan a trip"): Promise<string> {
  const workspaceId = fixture.studio.queueJob({ text });
  const lease = await fixture.post("/leaseWorkspaceJob");
  expect(lease.json.workspaceId).toBe(workspaceId);
  return workspaceId;
}

describe("leasing", () => {
  it("says { leased: false } for an empty queue", async () => {
    const reply = await fixture.post("/leaseWorkspaceJob");
    expect(reply.status).toBe(200);
    expect(reply.json).toEqual({ leased: false });
  });

  it("gives the oldest job first, each once, for ten minutes", async () => {
    const first = fixture.studio.queueJob({ text: "one", title: "First" });
    const second = fixture.studio.queueJob({ text: "two" });
    const leases = [await fixture.post("/leaseWorkspaceJob"), await fixture.post("/leaseWorkspaceJob")];
    expect(leases.map((lease) => lease.json.workspaceId)).toEqual([first, second]);
    expect(leases[0]?.json).toEqual({
      leased: true,
      workspaceId: first,
      leaseExpiresAt: noonMs + 600_000,
      workspace: {
        workspaceId: first,
        title: "First",
        target: "user",
        createdAtMs: noonMs,
        updatedAtMs: noonMs,
      },
    });
    expect((await fixture.post("/leaseWorkspaceJob")).json).toEqual({ leased: false });
  });

  it("gives one job to one of many callers at once", async () => {
    fixture.studio.queueJob({ text: "one" });
    const replies = await Promise.all(Array.from({ length: 20 }, () => fixture.post("/leaseWorkspaceJob")));
    expect(replies.filter((reply) => reply.json.leased)).toHaveLength(1);
  });
});

describe("the queue", () => {
  it("keeps user jobs from global keys, and global jobs from user keys", async () => {
    const globalKey = fixture.studio.createKey("global").runnerToken;
    const userJob = fixture.studio.queueJob({ text: "mine" });
    expect((await fixture.post("/leaseWorkspaceJob", {}, globalKey)).json).toEqual({ leased: false });
    const globalJob = fixture.studio.queueJob({ text: "everyone's", target: "global" });
    expect((await fixture.post("/leaseWorkspaceJob", {}, globalKey)).json.workspaceId).toBe(globalJob);
    expect((await fixture.post("/leaseWorkspaceJob")).json.workspaceId).toBe(userJob);
  });

  it("puts an expired lease back at the head of the queue, counting the leases", async () => {
    const workspaceId = await leaseNew();
    fixture.studio.queueJob({ text: "later" });
    await fixture.clock.advance(600_000);
    expect(fixture.studio.snapshot().find((each) => each.workspaceId === workspaceId)).toMatchObject({
      state: "queued",
      leases: 1,
      leaseExpiresAtMs: null,
    });
    expect((await fixture.post("/leaseWorkspaceJob")).json.workspaceId).toBe(workspaceId);
    expect(fixture.studio.snapshot().find((each) => each.workspaceId === workspaceId)?.leases).toBe(2);
  });
});

const calls = [
  ["/getWorkspaceRunnerContext", {}],
  ["/heartbeatWorkspaceJob", {}],
  ["/updateWorkspaceRunnerSummary", { summaryText: "s", fromMessageId: "a", throughMessageId: "b" }],
  ["/completeWorkspaceJob", messageOnly],
  ["/failWorkspaceJob", { error: "no" }],
] as const;

describe("a lease", () => {
  it("is made ten minutes long again by a heartbeat", async () => {
    const workspaceId = await leaseNew();
    await fixture.clock.advance(599_999);
    const heartbeat = await fixture.post("/heartbeatWorkspaceJob", { workspaceId });
    expect(heartbeat.json).toEqual({ ok: true, leaseExpiresAt: noonMs + 599_999 + 600_000 });
    await fixture.clock.advance(599_999);
    expect((await fixture.post("/heartbeatWorkspaceJob", { workspaceId })).status).toBe(200);
  });

  it.each(calls)("that expired is gone for %s", async (path, body) => {
    const workspaceId = await leaseNew();
    await fixture.clock.advance(600_000);
    expect((await fixture.post(path, { workspaceId, ...body })).status).toBe(410);
    expect(fixture.studio.snapshot()[0]?.state).toBe("queued");
  });

  it.each(calls)("of another key is refused for %s", async (path, body) => {
    const workspaceId = await leaseNew();
    const other = fixture.studio.createKey("user").runnerToken;
    expect((await fixture.post(path, { workspaceId, ...body }, other)).status).toBe(409);
    expect(fixture.studio.snapshot()[0]?.state).toBe("leased");
  });

  it.each(calls)("taken away is refused for %s", async (path, body) => {
    const workspaceId = await leaseNew();
    fixture.studio.steal(workspaceId);
    expect((await fixture.post(path, { workspaceId, ...body })).status).toBe(409);
    expect((await fixture.post("/leaseWorkspaceJob")).json).toEqual({ leased: false });
  });

  it.each(calls)("never taken is refused for %s", async (path, body) => {
    const workspaceId = fixture.studio.queueJob({ text: "waiting" });
    expect((await fixture.post(path, { workspaceId, ...body })).status).toBe(409);
  });

  it.each(calls)("of an unknown workspace is not found for %s", async (path, body) => {
    expect((await fixture.post(path, { workspaceId: "ws_none", ...body })).status).toBe(404);
  });

  it("ends with its key: a revoked key is refused at once", async () => {
    const made = fixture.studio.createKey("user");
    const workspaceId = fixture.studio.queueJob({ text: "x" });
    await fixture.post("/leaseWorkspaceJob", {}, made.runnerToken);
    fixture.studio.revokeKey(made.instanceId);
    const reply = await fixture.post("/heartbeatWorkspaceJob", { workspaceId }, made.runnerToken);
    expect(reply.status).toBe(401);
    expect(reply.json).toEqual({ error: "the runner key is revoked" });
  });
});
