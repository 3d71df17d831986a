import { expect, it } from "vitest";
import { noonMs, useFixture } from "./fixture.ts";

const fixture = useFixture({ leaseMs: 10_000 });
const ends = () => fixture.studio.leases().map((one) => `${one.jobId}.${one.lease} ${one.end ?? "held"}`);

it("a job offered again to the same key is leased a second time to its holder only", async () => {
  const workspaceId = await fixture.leaseNew();
  fixture.studio.plan.offerAgain(workspaceId, "same");
  const other = fixture.studio.createKey("user").runnerToken;
  expect(await fixture.lease(other)).toEqual({ leased: false });
  expect((await fixture.lease()).workspaceId).toBe(workspaceId);
  expect(await fixture.lease()).toEqual({ leased: false });
  expect(ends()).toEqual(["1.1 doubled", "1.2 held"]);
});

it("a job offered again to another key is leased to that key, and its first holder loses the lease", async () => {
  const workspaceId = await fixture.leaseNew();
  fixture.studio.plan.offerAgain(workspaceId, "other");
  expect(await fixture.lease()).toEqual({ leased: false });
  const other = fixture.studio.createKey("user").runnerToken;
  expect((await fixture.lease(other)).workspaceId).toBe(workspaceId);
  expect((await fixture.post("/heartbeatWorkspaceJob", { workspaceId })).status).toBe(409);
  expect(ends()).toEqual(["1.1 moved", "1.2 held"]);
});

it("a job that has ended is not leased again", async () => {
  const workspaceId = await fixture.leaseNew();
  fixture.studio.plan.offerAgain(workspaceId, "same");
  await fixture.complete(workspaceId);
  expect(await fixture.lease()).toEqual({ leased: false });
  expect(ends()).toEqual(["1.1 completed"]);
});

it("a shortened lease stays short after a heartbeat, and only for the given number of leases", async () => {
  const workspaceId = fixture.studio.queueJob({ text: "x" });
  fixture.studio.plan.shorten(workspaceId, 50, 1);
  expect((await fixture.lease()).leaseExpiresAt).toBe(noonMs + 50);
  const { json } = await fixture.post("/heartbeatWorkspaceJob", { workspaceId });
  expect(json.leaseExpiresAt).toBe(noonMs + 50);
  await fixture.clock.advance(50);
  expect((await fixture.lease()).leaseExpiresAt).toBe(noonMs + 50 + 10_000);
  expect(ends()).toEqual(["1.1 expired", "1.2 held"]);
});

it("a message posted as a separate job is leased after the first job has ended", async () => {
  const workspaceId = await fixture.leaseNew("first");
  fixture.studio.post(workspaceId, "second");
  expect(await fixture.lease()).toEqual({ leased: false });
  await fixture.fail(workspaceId);
  await fixture.lease();
  await fixture.complete(workspaceId);
  const thread = fixture.studio.messages(workspaceId).map(({ jobId, role }) => `${jobId} ${role}`);
  expect(thread).toEqual(["1 user", "2 user", "1 failure", "2 assistant"]);
});
