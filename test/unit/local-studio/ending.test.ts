import { describe, expect, it } from "vitest";
import { fullPayload, messageOnly, noonMs, useFixture } from "./fixture.ts";

const fixture = useFixture();

describe("completing", () => {
  it("stores the message and every kind of deliverable", async () => {
    const workspaceId = await fixture.leaseNew();
    await fixture.clock.advance(2_500);
    expect((await fixture.complete(workspaceId, fullPayload)).json).toEqual({ ok: true });
    const { json } = await fixture.send(`/api/workspaces/${workspaceId}`);
    const { assistantMessage, ...deliverables } = fullPayload;
    expect(json.state).toBe("completed");
    expect(json.messages[1]).toEqual({
      role: "assistant",
      id: expect.any(String),
      text: assistantMessage,
      createdAtMs: noonMs + 2_500,
      tookMs: 2_500,
      deliverables,
    });
  });

  it("rejects a payload that exceeds a cap, lists every problem and keeps the lease", async () => {
    const workspaceId = await fixture.leaseNew();
    const files = [{ name: "../plan.md", content: "x" }];
    const broken = { ...messageOnly, assistantMessage: "x".repeat(24_001), files };
    const { status, json } = await fixture.complete(workspaceId, broken);
    expect(status).toBe(400);
    expect(json.error).toMatch(/^the payload is refused: /);
    expect(json.detail.length).toBeGreaterThanOrEqual(2);
    expect(fixture.state()).toBe("leased");
  });

  it("counts UTF-16 units: accepts 24,000 emoji in a file and rejects one more character", async () => {
    const workspaceId = await fixture.leaseNew();
    const complete = (content: string) =>
      fixture.complete(workspaceId, { ...messageOnly, files: [{ name: "plan.md", content }] });
    const over = await complete(`${"😀".repeat(24_000)}x`);
    expect(over.json.error).toMatch(/files\[0\]\.content has 48001 characters, more than 48000$/);
    expect((await complete("😀".repeat(24_000))).status).toBe(200);
  });
});

describe("failing", () => {
  it("shows the reason to the user", async () => {
    const workspaceId = await fixture.leaseNew();
    await fixture.fail(workspaceId, "No model.");
    const { json } = await fixture.send(`/api/workspaces/${workspaceId}`);
    expect(json).toMatchObject({ state: "failed", failure: "No model." });
    expect(json.messages[1]).toMatchObject({ role: "failure", reason: "No model." });
  });

  it("accepts a reason of up to 500 UTF-16 units, and rejects a longer or missing one", async () => {
    const workspaceId = await fixture.leaseNew();
    for (const reason of ["x".repeat(501), `${"😀".repeat(250)}x`, "", null]) {
      expect((await fixture.fail(workspaceId, reason)).status).toBe(400);
    }
    expect((await fixture.fail(workspaceId, "😀".repeat(250))).status).toBe(200);
  });
});
