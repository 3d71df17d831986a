import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { accountToken, type Fixture, startFixture } from "./fixture.ts";

let fixture: Fixture;

beforeEach(async () => {
  fixture = await startFixture();
});
afterEach(() => fixture.close());

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
  it.each([...jobRoutes, ...managementRoutes])("%s takes POST only", async (path) => {
    const reply = await fixture.send(path);
    expect(reply.status).toBe(405);
    expect(reply.headers.get("allow")).toBe("POST");
    expect(reply.json.error).toEqual(expect.any(String));
  });

  it.each(jobRoutes)("%s refuses a missing, a malformed and an unknown key", async (path) => {
    const [id] = fixture.userKey.split(".");
    expect((await fixture.send(path, { method: "POST", body: "{}" })).status).toBe(401);
    for (const token of [
      "nonsense",
      "nobody.secret",
      `${id}.wrong`,
      `${fixture.userKey}.more`,
      accountToken,
    ]) {
      const reply = await fixture.post(path, {}, token);
      expect([token, reply.status, typeof reply.json.error]).toEqual([token, 401, "string"]);
    }
  });

  it.each(managementRoutes)("%s refuses a runner key", async (path) => {
    expect((await fixture.post(path, { kind: "user" })).status).toBe(401);
  });

  it.each(["{", "[]", "null", '"text"'])("refuses the body %s", async (body) => {
    const headers = { authorization: `Bearer ${fixture.userKey}` };
    const reply = await fixture.send("/leaseWorkspaceJob", { method: "POST", headers, body });
    expect(reply.status).toBe(400);
  });

  it("refuses a body over 4 MB and says so", async () => {
    const reply = await fixture.post("/completeWorkspaceJob", { assistantMessage: "x".repeat(5_000_000) });
    expect(reply.status).toBe(413);
    expect(reply.json.error).toBe("the body is larger than 4194304 bytes");
  });

  it("knows no other route", async () => {
    expect((await fixture.post("/releaseWorkspaceJob")).status).toBe(404);
  });

  it.each(jobRoutes.slice(1))("%s needs a workspace id", async (path) => {
    expect((await fixture.post(path, { error: "x" })).status).toBe(400);
    expect((await fixture.post(path, { workspaceId: 7 })).status).toBe(400);
  });
});
