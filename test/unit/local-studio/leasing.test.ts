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

  it("puts the job of an expired lease back at its head, and counts the leases", async () => {
    const workspaceId = await fixture.leaseNew();
    fixture.studio.queueJob({ text: "later" });
    await fixture.clock.advance(600_000);
    expect(summaryOf(workspaceId)).toMatchObject({ state: "queued", leases: 1, leaseExpiresAtMs: null });
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

interface Situation {
  readonly name: string;
  /** Returns the workspace and the key to call with. */
  readonly make: (given: Fixture) => Promise<{ readonly workspaceId: string; readonly key?: string }>;
  readonly status: number;
  readonly state: string | undefined;
}

const situations: readonly Situation[] = [
  {
    name: "has expired",
    make: async ({ leaseNew, clock }) => {
      const workspaceId = await leaseNew();
      await clock.advance(600_000);
      return { workspaceId };
    },
    status: 410,
    state: "queued",
  },
  {
    name: "belongs to another key",
    make: async ({ leaseNew, studio }) => ({
      workspaceId: await leaseNew(),
      key: studio.createKey("user").runnerToken,
    }),
    status: 409,
    state: "leased",
  },
  {
    name: "was stolen",
    make: async ({ leaseNew, studio }) => {
      const workspaceId = await leaseNew();
      studio.steal(workspaceId);
      return { workspaceId };
    },
    status: 409,
    state: "leased",
  },
  {
    name: "was never acquired",
    make: async ({ studio }) => ({ workspaceId: studio.queueJob({ text: "waiting" }) }),
    status: 409,
    state: "queued",
  },
  {
    name: "belongs to an unknown workspace",
    make: async () => ({ workspaceId: "ws_none" }),
    status: 404,
    state: undefined,
  },
  {
    name: "ended with its job",
    make: async ({ leaseNew, complete }) => {
      const workspaceId = await leaseNew();
      await complete(workspaceId);
      return { workspaceId };
    },
    status: 409,
    state: "completed",
  },
];

describe("a lease", () => {
  it("lasts another ten minutes after a heartbeat", async () => {
    const workspaceId = await fixture.leaseNew();
    await fixture.clock.advance(599_999);
    const heartbeat = await fixture.post("/heartbeatWorkspaceJob", { workspaceId });
    expect(heartbeat.json).toEqual({ ok: true, leaseExpiresAt: noonMs + 599_999 + 600_000 });
    await fixture.clock.advance(599_999);
    expect((await fixture.post("/heartbeatWorkspaceJob", { workspaceId })).status).toBe(200);
  });

  it.each(situations)(
    "that $name is rejected with $status on every route",
    async ({ make, status, state }) => {
      const { workspaceId, key } = await make(fixture);
      for (const [path, body] of calls) {
        const reply = await fixture.post(path, { workspaceId, ...body }, key);
        expect([path, reply.status, fixture.state()]).toEqual([path, status, state]);
      }
    },
  );
});
