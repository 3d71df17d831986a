import { describe, expect, it } from "vitest";
import type { Fault } from "../../../local/studio/faults.ts";
import { noonMs, startFixture, useFixture } from "./fixture.ts";

const fixture = useFixture();
const lease = () => fixture.post("/leaseWorkspaceJob");
const control = (method: string, path: string, body?: unknown) =>
  fixture.write(method, `/_local/${path}`, body);

describe("a fault", () => {
  it("answers with its status, headers and body, as often as configured", async () => {
    fixture.studio.faults.add({
      route: "/leaseWorkspaceJob",
      times: 2,
      fault: { kind: "status", status: 429, headers: { "retry-after": "7" }, body: { error: "slow" } },
    });
    fixture.studio.queueJob({ text: "x" });
    const replies = [];
    for (let call = 0; call < 3; call++) replies.push(await lease());
    expect(replies.map((reply) => reply.status)).toEqual([429, 429, 200]);
    expect(replies[0]?.headers.get("retry-after")).toBe("7");
    expect(replies[0]?.json).toEqual({ error: "slow" });
    const hit = { atMs: noonMs, path: "/leaseWorkspaceJob", kind: "status" };
    expect(fixture.studio.faults.log()).toEqual([hit, hit]);
  });

  it.each([
    ["to another route", { route: "/failWorkspaceJob" }, 200],
    ["to its route", { route: "/heartbeatWorkspaceJob" }, 500],
    ["for another workspace", { workspaceId: "ws_other" }, 200],
    ["with the random number 0.5 at its probability", { probability: 0.5 }, 200],
    ["with the random number 0.5 below its probability", { probability: 0.51 }, 500],
  ])("applies to a call %s according to %j: status %i", async (_, rule, status) => {
    const workspaceId = await fixture.leaseNew();
    fixture.studio.faults.add({ ...rule, fault: { kind: "status", status: 500 } });
    expect((await fixture.post("/heartbeatWorkspaceJob", { workspaceId })).status).toBe(status);
    expect((await fixture.send("/api/info")).status).toBe(200);
  });

  it.each<[Fault, string, string]>([
    [{ kind: "status", status: 503, when: "before" }, "503", "queued"],
    [{ kind: "status", status: 503, when: "after" }, "503", "leased"],
    [{ kind: "html", status: 200 }, "200", "queued"],
    [{ kind: "reset", when: "before" }, "no answer", "queued"],
    [{ kind: "reset", when: "after" }, "no answer", "leased"],
    [{ kind: "cut" }, "no answer", "leased"],
  ])("of %j gives the client of a lease call %s, and leaves the job %s", async (fault, seen, state) => {
    fixture.studio.queueJob({ text: "x" });
    fixture.studio.faults.add({ times: 1, fault });
    const answer = lease().then(
      ({ status }) => String(status),
      () => "no answer",
    );
    expect([await answer, fixture.state()]).toEqual([seen, state]);
  });

  it("of kind delay postpones the effect of the call", async () => {
    fixture.studio.queueJob({ text: "x" });
    fixture.studio.faults.add({ fault: { kind: "delay", ms: 3_000 } });
    const reply = lease();
    await expect.poll(() => fixture.clock.sleeping()).toBe(2); // the reaper and the fault
    expect(fixture.state()).toBe("queued");
    await fixture.clock.advance(3_000);
    expect((await reply).json.leased).toBe(true);
  });

  it("of kind never gives no answer, and the call has no effect", async () => {
    fixture.studio.queueJob({ text: "x" });
    fixture.studio.faults.add({ fault: { kind: "never" } });
    const signal = AbortSignal.timeout(100);
    const headers = { authorization: `Bearer ${fixture.userKey}` };
    const call = fixture.send("/leaseWorkspaceJob", { method: "POST", headers, signal });
    await expect(call).rejects.toMatchObject({ name: "TimeoutError" });
    expect(fixture.state()).toBe("queued");
  });

  it("of kind replace replaces a field anywhere in an answer, but not in an error", async () => {
    const workspaceId = fixture.studio.queueJob({ text: "x" });
    fixture.studio.faults.add({ fault: { kind: "replace", field: "createdAtMs", with: 1e300 } });
    const refused = await fixture.post("/getWorkspaceRunnerContext", { workspaceId });
    expect(refused.json).toEqual({ error: "this key does not hold the lease of this workspace's job" });
    await lease();
    const { json } = await fixture.post("/getWorkspaceRunnerContext", { workspaceId });
    expect(json.recentMessages[0].createdAtMs).toBe(1e300);
  });

  it("that is added first takes precedence until it is removed", async () => {
    fixture.studio.faults.add({ fault: { kind: "status", status: 500 } });
    const remove = fixture.studio.faults.addFirst({ fault: { kind: "status", status: 429 } });
    expect((await lease()).status).toBe(429);
    remove();
    expect((await lease()).status).toBe(500);
  });
});

it("the journal has every request to the runner's API, with its caller, workspace and status", async () => {
  const workspaceId = fixture.studio.queueJob({ text: "x" });
  await fixture.post("/~Processor-1/leaseWorkspaceJob");
  await fixture.clock.advance(5);
  await fixture.post("/heartbeatWorkspaceJob", { workspaceId: "ws_none" });
  await fixture.post("/leaseWorkspaceJob", {}, "wrong.key");
  fixture.studio.faults.add({ fault: { kind: "reset", when: "before" } });
  await fixture.fail(workspaceId).catch(() => undefined);
  await fixture.send("/api/info");
  const [credentialId] = fixture.userKey.split(".");
  const early = { at: noonMs, doneAt: noonMs, answeredAt: noonMs };
  const later = { at: noonMs + 5, doneAt: noonMs + 5, answeredAt: noonMs + 5 };
  const held = { credentialId, workspaceId, jobId: 1, lease: 1, leaseMs: 600_000 };
  expect(fixture.studio.requests()).toEqual([
    { path: "/leaseWorkspaceJob", caller: "Processor-1", ...early, status: 200, ...held },
    { path: "/heartbeatWorkspaceJob", ...later, status: 404, credentialId, workspaceId: "ws_none" },
    { path: "/leaseWorkspaceJob", ...later, status: 401, credentialId: "wrong" },
    { path: "/failWorkspaceJob", at: noonMs + 5, status: 0, credentialId, workspaceId },
  ]);
});

describe("the control routes", () => {
  it("let other processes queue jobs, create and revoke keys, steal leases and inject faults", async () => {
    const { workspaceId } = (await control("POST", "jobs", { text: "x", title: "T" })).json;
    const made = (await control("POST", "keys", { kind: "user" })).json;
    expect((await fixture.lease(made.runnerToken)).workspaceId).toBe(workspaceId);
    expect((await control("POST", "steal", { workspaceId })).status).toBe(200);
    const heartbeat = () => fixture.post("/heartbeatWorkspaceJob", { workspaceId }, made.runnerToken);
    expect((await heartbeat()).status).toBe(409);
    expect(fixture.state()).toBe("leased");
    await control("POST", "revoke", { instanceId: made.instanceId });
    expect((await heartbeat()).status).toBe(401);
    await control("POST", "faults", { fault: { kind: "status", status: 500 } });
    expect((await heartbeat()).status).toBe(500);
    expect((await control("GET", "faults")).json).toMatchObject([{ kind: "status", workspaceId }]);
    await control("DELETE", "faults");
    expect((await heartbeat()).status).toBe(401);
    expect((await control("GET", "requests")).json).toHaveLength(5);
  });

  it("can steal a lease for nobody, which puts the job back into the queue", async () => {
    const { workspaceId } = (await control("POST", "jobs", { legacyIdea: "x" })).json;
    await lease();
    await control("POST", "steal", { workspaceId, to: "nobody" });
    expect((await fixture.post("/heartbeatWorkspaceJob", { workspaceId })).status).toBe(409);
    expect(fixture.state()).toBe("queued");
    expect((await control("POST", "steal", { workspaceId })).status).toBe(409);
    expect((await control("POST", "steal", { workspaceId: "none" })).status).toBe(404);
  });

  it("reject an invalid fault", async () => {
    expect((await control("POST", "faults", { fault: { kind: "flood" } })).status).toBe(400);
    const typo = { rout: "/leaseWorkspaceJob", fault: { kind: "never" } };
    expect((await control("POST", "faults", typo)).status).toBe(400);
  });

  it("do not exist without the option", async () => {
    const plain = await startFixture({ control: false });
    expect((await plain.send("/_local/requests")).status).toBe(404);
    expect((await plain.write("POST", "/_local/jobs", { text: "x" })).status).toBe(404);
    await plain.close();
  });
});
