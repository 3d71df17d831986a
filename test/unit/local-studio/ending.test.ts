import { describe, expect, it } from "vitest";
import { messageOnly, useFixture } from "./fixture.ts";

const fixture = useFixture();

describe("completing", () => {
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
  it("accepts a reason of up to 500 UTF-16 units, and rejects a longer or missing one", async () => {
    const workspaceId = await fixture.leaseNew();
    for (const reason of ["x".repeat(501), `${"😀".repeat(250)}x`, "", null]) {
      expect((await fixture.fail(workspaceId, reason)).status).toBe(400);
    }
    expect((await fixture.fail(workspaceId, "😀".repeat(250))).status).toBe(200);
  });
});
