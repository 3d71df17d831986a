import { expect, it } from "vitest";
import { useFixture } from "./fixture.ts";

const fixture = useFixture();

it("close ends event streams and unanswered calls at once", async () => {
  const stream = await fetch(`${fixture.studio.url}/api/events`);
  const read = stream.text().catch(() => "cut");
  fixture.studio.faults.add({ fault: { kind: "never" } });
  const silent = fixture.post("/leaseWorkspaceJob").catch(() => "cut");
  await expect.poll(() => fixture.studio.faults.log().length).toBe(1);
  await fixture.studio.close();
  expect(await silent).toBe("cut");
  expect(await read).toMatch(/^cut$|^retry: 1000/);
  expect(fixture.clock.sleeping()).toBe(0);
});
