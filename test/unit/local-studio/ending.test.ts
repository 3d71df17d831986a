import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Fixture, fullPayload, messageOnly, noonMs, startFixture } from "./fixture.ts";

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

describe("completing", () => {
  it("keeps the message and every kind of deliverable", async () => {
    const workspaceId = await leaseNew();
    await fixture.clock.advance(2_500);
    const reply = await fixture.post("/completeWorkspaceJob", { workspaceId, ...fullPayload });
    expect([reply.status, reply.json]).toEqual([200, { ok: true }]);
    const detail = await fixture.send(`/api/workspaces/${workspaceId}`);
    const { assistantMessage, ...deliverables } = fullPayload;
    expect(detail.json.state).toBe("completed");
    expect(detail.json.messages[1]).toEqual({
      role: "assistant",
      id: expect.any(String),
      text: assistantMessage,
      createdAtMs: noonMs + 2_500,
      tookMs: 2_500,
      deliverables,
    });
  });

  it("is refused the second time", async () => {
    const workspaceId = await leaseNew();
    await fixture.post("/completeWorkspaceJob", { workspaceId, ...messageOnly });
    const again = await fixture.post("/completeWorkspaceJob", { workspaceId, ...messageOnly });
    expect(again.status).toBe(409);
    expect((await fixture.post("/failWorkspaceJob", { workspaceId, error: "late" })).status).toBe(409);
  });

  it("refuses a payload that breaks a cap, names every problem and leaves the lease", async () => {
    const workspaceId = await leaseNew();
    const payload = {
      ...messageOnly,
      assistantMessage: "x".repeat(24_001),
      files: [{ name: "../plan.md", content: "x" }],
    };
    const reply = await fixture.post("/completeWorkspaceJob", { workspaceId, ...payload });
    expect(reply.status).toBe(400);
    expect(reply.json.error).toMatch(/^the payload is refused: /);
    expect(reply.json.detail.length).toBeGreaterThanOrEqual(2);
    expect(fixture.studio.snapshot()[0]?.state).toBe("leased");
  });

  it("counts UTF-16 units: takes 24,000 emoji in a file and refuses one character more", async () => {
    const workspaceId = await leaseNew();
    const complete = (content: string) =>
      fixture.post("/completeWorkspaceJob", {
        workspaceId,
        ...messageOnly,
        files: [{ name: "plan.md", content }],
      });
    const over = await complete(`${"😀".repeat(24_000)}x`);
    expect(over.status).toBe(400);
    expect(over.json.error).toMatch(/files\[0\]\.content has 48001 characters, more than 48000$/);
    expect((await complete("😀".repeat(24_000))).status).toBe(200);
  });

  it("refuses a payload without message and deliverable", async () => {
    const workspaceId = await leaseNew();
    const payload = { ...messageOnly, assistantMessage: "" };
    expect((await fixture.post("/completeWorkspaceJob", { workspaceId, ...payload })).status).toBe(400);
  });
});

describe("failing", () => {
  it("shows the reason to the user", async () => {
    const workspaceId = await leaseNew();
    expect((await fixture.post("/failWorkspaceJob", { workspaceId, error: "No model." })).status).toBe(200);
    const detail = await fixture.send(`/api/workspaces/${workspaceId}`);
    expect(detail.json).toMatchObject({ state: "failed", failure: "No model." });
    expect(detail.json.messages[1]).toMatchObject({ role: "failure", reason: "No model." });
  });

  it("takes a reason of 500 characters and refuses 501, none and an empty one", async () => {
    const workspaceId = await leaseNew();
    const fail = (error: unknown) => fixture.post("/failWorkspaceJob", { workspaceId, error });
    expect((await fail("x".repeat(501))).status).toBe(400);
    expect((await fail(undefined)).status).toBe(400);
    expect((await fail("")).status).toBe(400);
    expect((await fail("x".repeat(500))).status).toBe(200);
  });

  it("counts the reason in UTF-16 units", async () => {
    const workspaceId = await leaseNew();
    const fail = (error: string) => fixture.post("/failWorkspaceJob", { workspaceId, error });
    expect((await fail(`${"😀".repeat(250)}x`)).status).toBe(400);
    expect((await fail("😀".repeat(250))).status).toBe(200);
  });
});
