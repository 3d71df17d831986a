import { describe, expect, it } from "vitest";
import { useFixture } from "./fixture.ts";

const fixture = useFixture({ dailyLimits: { user: 3 } });
const path = (workspaceId: string, rest = "") => `/api/workspaces/${workspaceId}${rest}`;
const retry = (workspaceId: string) => fixture.write("POST", path(workspaceId, "/retry"));

async function failed(text = "Plan a trip"): Promise<string> {
  const workspaceId = await fixture.leaseNew(text);
  await fixture.fail(workspaceId, "The model refused.");
  return workspaceId;
}

describe("retrying", () => {
  it("queues a failed job's messages again in a new job and keeps the failure in the thread", async () => {
    const workspaceId = await failed();
    const reply = await retry(workspaceId);
    expect(reply.status).toBe(201);
    expect(reply.json.state).toBe("queued");
    expect(reply.json.messages.map(({ role }: { role: string }) => role)).toEqual(["user", "failure"]);
    expect((await fixture.lease()).workspaceId).toBe(workspaceId);
    const { json } = await fixture.post("/getWorkspaceRunnerContext", { workspaceId });
    expect(json.recentText).toBe("Plan a trip");
  });

  it.each([
    ["queued", async () => fixture.studio.queueJob({ text: "one" })],
    ["leased", () => fixture.leaseNew()],
    [
      "completed",
      async () => {
        const workspaceId = await fixture.leaseNew();
        await fixture.complete(workspaceId);
        return workspaceId;
      },
    ],
  ])("is refused for a job that is %s", async (state, prepare) => {
    const workspaceId = await prepare();
    const reply = await retry(workspaceId);
    expect([reply.status, reply.json.error]).toEqual([
      409,
      "Only a job that failed can be retried, and this one did not.",
    ]);
    expect(fixture.state()).toBe(state);
  });

  it("counts against the day's limit", async () => {
    const workspaceId = await failed();
    for (const text of ["two", "three"]) fixture.studio.queueJob({ text });
    expect((await retry(workspaceId)).status).toBe(429);
  });
});

describe("renaming", () => {
  it.each([
    ["  Trip to Lisbon ", 200, "Trip to Lisbon"],
    ["", 200, "one"],
    ["x".repeat(201), 400, "Trip"],
  ])("to %j is answered with %i", async (title, status, after) => {
    const workspaceId = fixture.studio.queueJob({ text: "one", title: "Trip" });
    expect((await fixture.write("PATCH", path(workspaceId), { title })).status).toBe(status);
    expect(fixture.studio.nameOf(workspaceId)).toBe(after);
  });
});

describe("deleting", () => {
  it("removes the workspace with its messages and jobs, and answers a runner's calls with 404", async () => {
    const workspaceId = await fixture.leaseNew();
    await fixture.clock.advance(600_000); // the lease expires while its runner goes on
    const other = fixture.studio.queueJob({ text: "Another" });
    expect((await fixture.write("DELETE", path(workspaceId))).status).toBe(200);
    expect(fixture.studio.snapshot().map((each) => each.workspaceId)).toEqual([other]);
    expect(fixture.studio.messages(workspaceId)).toEqual([]);
    expect(fixture.studio.jobs()).toHaveLength(1);
    expect((await fixture.post("/heartbeatWorkspaceJob", { workspaceId })).status).toBe(404);
    expect((await fixture.complete(workspaceId)).status).toBe(404);
    expect((await fixture.lease()).workspaceId).toBe(other);
  });

  it("is refused while a runner works on the workspace", async () => {
    const workspaceId = await fixture.leaseNew();
    const reply = await fixture.write("DELETE", path(workspaceId));
    expect([reply.status, reply.json.error]).toEqual([
      409,
      "A runner is working on this workspace. Delete it when the job has ended.",
    ]);
    expect((await fixture.complete(workspaceId)).status).toBe(200);
  });

  it("is announced to every open page", async () => {
    const workspaceId = await failed();
    const heard: unknown[] = [];
    fixture.studio.onChange((id, summary) => heard.push([id, summary]));
    await fixture.write("DELETE", path(workspaceId));
    expect(heard).toEqual([[workspaceId, undefined]]);
  });
});

describe("searching", () => {
  it.each([
    ["lisbon", ["Trip"]],
    ["CAFE", ["Coffee"]],
    ["trip lisbon", ["Trip"]],
    ["trip cafe", []],
    ["refused", ["Trip"]],
    ["%", []],
    ["  ", ["Coffee", "Trip"]],
  ])("for %j finds %j", async (query, titles) => {
    fixture.studio.queueJob({ title: "Trip", text: "A week in Lisbon" });
    const trip = String((await fixture.lease())["workspaceId"]);
    await fixture.fail(trip, "The model refused.");
    await fixture.clock.advance(1);
    fixture.studio.queueJob({ title: "Coffee", text: "Open a Café" });
    const { json } = await fixture.send(`/api/workspaces?q=${encodeURIComponent(query)}`);
    expect(json.map(({ title }: { title: string }) => title)).toEqual(titles);
  });
});

describe("retrying, renaming and deleting an unknown workspace", () => {
  it.each([
    ["POST", "/retry", {}],
    ["PATCH", "", { title: "x" }],
    ["DELETE", "", undefined],
  ])("with %s is answered with 404", async (method, rest, body) => {
    expect((await fixture.write(method, path("ws_none", rest), body)).status).toBe(404);
  });
});

describe("an address where nothing is", () => {
  it.each([
    ["text/html,application/xhtml+xml", "text/html; charset=utf-8"],
    ["*/*", "application/json; charset=utf-8"],
  ])("is answered to a client that accepts %s as %s", async (accept, type) => {
    const reply = await fixture.send("/nowhere", { headers: { accept } });
    expect([reply.status, reply.headers.get("content-type")]).toEqual([404, type]);
  });
});
