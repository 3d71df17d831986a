import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { accountToken, type Fixture, startFixture } from "./fixture.ts";

let fixture: Fixture;

beforeEach(async () => {
  fixture = await startFixture();
});
afterEach(() => fixture.close());

const manage = (path: string, body: unknown) => fixture.post(path, body, accountToken);

describe("managing instances", () => {
  it("creates a key that works until it is revoked", async () => {
    const made = await manage("/createRunnerInstance", { kind: "user", name: "laptop" });
    expect(made.status).toBe(201);
    const { instanceId, credentialId, runnerToken } = made.json;
    expect(made.json).toEqual({ instanceId, credentialId, runnerToken, kind: "user", name: "laptop" });
    expect(runnerToken).toMatch(new RegExp(`^${credentialId}\\.[A-Za-z0-9_-]{43}$`));
    expect((await fixture.post("/leaseWorkspaceJob", {}, runnerToken)).status).toBe(200);
    const renamed = await manage("/updateRunnerInstance", { instanceId, name: "desk" });
    expect(renamed.json).toEqual({ ok: true, name: "desk" });
    expect((await manage("/revokeRunnerInstance", { instanceId })).json).toEqual({ ok: true });
    expect((await fixture.post("/leaseWorkspaceJob", {}, runnerToken)).status).toBe(401);
  });

  it("does not know other instances", async () => {
    expect((await manage("/revokeRunnerInstance", { instanceId: "none" })).status).toBe(404);
    expect((await manage("/updateRunnerInstance", { instanceId: "none", name: "x" })).status).toBe(404);
  });

  it("refuses an unknown kind", async () => {
    expect((await manage("/createRunnerInstance", { kind: "root" })).status).toBe(400);
  });

  it("creates a global key for an admin only", async () => {
    expect((await manage("/createRunnerInstance", { kind: "global" })).status).toBe(403);
    const admin = await startFixture({ admins: true });
    const made = await admin.post("/createRunnerInstance", { kind: "global" }, accountToken);
    expect(made.json).toMatchObject({ kind: "global" });
    await admin.close();
  });
});
