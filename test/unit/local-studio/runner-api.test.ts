import { describe, expect, it } from "vitest";
import { accountToken, startFixture, useFixture } from "./fixture.ts";

const fixture = useFixture();

const jobRoutes = [
  "/leaseWorkspaceJob",
  "/getWorkspaceRunnerContext",
  "/heartbeatWorkspaceJob",
  "/updateWorkspaceRunnerSummary",
  "/completeWorkspaceJob",
  "/failWorkspaceJob",
];
const managementRoutes = ["/createRunnerInstance", "/revokeRunnerInstance", "/updateRunnerInstance"];

describe("every route of the runner's API", () => {
  it.each([...jobRoutes, ...managementRoutes])("accepts only POST: %s", async (path) => {
    const reply = await fixture.send(path);
    expect([reply.status, reply.headers.get("allow")]).toEqual([405, "POST"]);
  });

  it.each(jobRoutes)("rejects missing, malformed, wrong and unknown keys: %s", async (path) => {
    const [id] = fixture.userKey.split(".");
    const wrong = ["nonsense", "nobody.secret", `${id}.wrong`, `${fixture.userKey}.more`, accountToken];
    expect((await fixture.send(path, { method: "POST", body: "{}" })).status).toBe(401);
    for (const token of wrong) {
      expect([token, (await fixture.post(path, {}, token)).status]).toEqual([token, 401]);
    }
  });

  it.each(managementRoutes)("rejects a runner key if it manages runner instances: %s", async (path) => {
    expect((await fixture.post(path, { kind: "user" })).status).toBe(401);
  });

  it.each(["{", "[]", "null", '"text"'])("rejects the body %s", async (body) => {
    const headers = { authorization: `Bearer ${fixture.userKey}` };
    const reply = await fixture.send("/leaseWorkspaceJob", { method: "POST", headers, body });
    expect(reply.status).toBe(400);
  });

  it("rejects a body over 4 MB with the limit", async () => {
    const reply = await fixture.post("/completeWorkspaceJob", { assistantMessage: "x".repeat(5_000_000) });
    expect(reply.status).toBe(413);
    expect(reply.json.error).toBe("the body is larger than 4194304 bytes");
  });

  it.each(jobRoutes.slice(1))("requires a workspace id if it is about a job: %s", async (path) => {
    expect((await fixture.post(path, { error: "x" })).status).toBe(400);
    expect((await fixture.post(path, { workspaceId: 7 })).status).toBe(400);
  });
});

describe("managing runner instances", () => {
  const manage = (path: string, body: unknown) => fixture.post(path, body, accountToken);

  it("creates a key that works until it is revoked", async () => {
    const made = await manage("/createRunnerInstance", { kind: "user", name: "laptop" });
    const { instanceId, credentialId, runnerToken } = made.json;
    expect(made.json).toEqual({ instanceId, credentialId, runnerToken, kind: "user", name: "laptop" });
    expect(await fixture.lease(runnerToken)).toEqual({ leased: false });
    expect((await manage("/revokeRunnerInstance", { instanceId })).json).toEqual({ ok: true });
    expect(await fixture.lease(runnerToken)).toEqual({ error: "the runner key is revoked" });
  });

  it.each([
    [404, "/revokeRunnerInstance", { instanceId: "none" }],
    [404, "/updateRunnerInstance", { instanceId: "none", name: "x" }],
    [400, "/createRunnerInstance", { kind: "root" }],
    [403, "/createRunnerInstance", { kind: "global" }],
  ])("answers %i to %s with %j", async (status, path, body) => {
    expect((await manage(path, body)).status).toBe(status);
  });

  it("creates a global key for an admin", async () => {
    const admin = await startFixture({ admins: true });
    const made = await admin.post("/createRunnerInstance", { kind: "global" }, accountToken);
    expect(made.json).toMatchObject({ kind: "global" });
    await admin.close();
  });
});
