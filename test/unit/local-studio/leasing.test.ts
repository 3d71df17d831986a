import { describe, expect, it } from "vitest";
import { type Fixture, messageOnly, noonMs, useFixture } from "./fixture.ts";

const fixture = useFixture();
const summaryOf = (workspaceId: string) =>
  fixture.studio.snapshot().find((each) => each.workspaceId === workspaceId);

describe("the queue", () => {
  it("leases the oldest job first, each job once, for ten minutes", async () => {
    const first = fixture.studio.queueJob({ text: "one", title: "First" });
    const second = fixture.studio.queueJob({ text: "two" });
    expect(await fixture.lease()).toEqual({
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
    expect((await fixture.lease()).workspaceId).toBe(second);
    expect(await fixture.lease()).toEqual({ leased: false });
  });

  it("leases a job to only one of many concurrent callers", async () => {
    fixture.studio.queueJob({ text: "one" });
    const leases = await Promise.all(Array.from({ length: 20 }, () => fixture.lease()));
    expect(leases.filter(({ leased }) => leased)).toHaveLength(1);
  });

  it.each(["user", "global"] as const)("shows a %s job to no key of the other kind", async (target) => {
    fixture.studio.queueJob({ text: "one", target });
    const kinds = { user: fixture.userKey, global: fixture.studio.createKey("global").runnerToken };
    const other = target === "user" ? kinds.global : kinds.user;
    expect(await fixture.lease(other)).toEqual({ leased: false });
    expect((await fixture.lease(kinds[target])).leased).toBe(true);
  });

  it("puts the job of an expired lease back at its head, and counts the leases", async () => {
    const workspaceId = await fixture.leaseNew();
    fixture.studio.queueJob({ text: "later" });
    await fixture.clock.advance(600_000);
    expect(summaryOf(workspaceId)).toMatchObject({ state: "queued", leases: 1 });
    expect((await fixture.lease()).workspaceId).toBe(workspaceId);
    expect(summaryOf(workspaceId)?.leases).toBe(2);
  });
});

const calls = [
  ["/getWorkspaceRunnerContext", {}],
  ["/heartbeatWorkspaceJob", {}],
  ["/updateWorkspaceRunnerSummary", { summaryText: "s", fromMessageId: "a", throughMessageId: "b" }],
  ["/completeWorkspaceJob", messageOnly],
  ["/failWorkspaceJob", { error: "no" }],
] as const;

type Make = (given: Fixture) => Promise<{ readonly workspaceId: string; readonly key?: string }>;

const leased: Make = async ({ leaseNew }) => ({ workspaceId: await leaseNew() });
const expired: Make = async (given) => {
  const workspaceId = await given.leaseNew();
  await given.clock.advance(600_000);
  return { workspaceId };
};
const stolen: Make = async (given) => {
  const workspaceId = await given.leaseNew();
  given.studio.steal(workspaceId);
  return { workspaceId };
};
const completed: Make = async (given) => {
  const workspaceId = await given.leaseNew();
  await given.complete(workspaceId);
  return { workspaceId };
};
const another: Make = async (given) => ({
  ...(await leased(given)),
  key: given.studio.createKey("user").runnerToken,
});
const unleased: Make = async ({ studio }) => ({ workspaceId: studio.queueJob({ text: "waiting" }) });
const unknown: Make = async () => ({ workspaceId: "ws_none" });

describe("a lease", () => {
  it("lasts another ten minutes after a heartbeat", async () => {
    const workspaceId = await fixture.leaseNew();
    await fixture.clock.advance(599_999);
    const heartbeat = await fixture.post("/heartbeatWorkspaceJob", { workspaceId });
    expect(heartbeat.json).toEqual({ ok: true, leaseExpiresAt: noonMs + 599_999 + 600_000 });
    await fixture.clock.advance(599_999);
    expect((await fixture.post("/heartbeatWorkspaceJob", { workspaceId })).status).toBe(200);
  });

  it.each<[string, Make, number, string | undefined]>([
    ["has expired", expired, 410, "queued"],
    ["belongs to another key", another, 409, "leased"],
    ["was stolen", stolen, 409, "leased"],
    ["was never acquired", unleased, 409, "queued"],
    ["belongs to an unknown workspace", unknown, 404, undefined],
    ["ended with its job", completed, 409, "completed"],
  ])("that %s is rejected on every route", async (_, make, status, state) => {
    const { workspaceId, key } = await make(fixture);
    for (const [path, body] of calls) {
      const reply = await fixture.post(path, { workspaceId, ...body }, key);
      expect([path, reply.status, fixture.state()]).toEqual([path, status, state]);
    }
  });
});
