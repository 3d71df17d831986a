import { expect, it } from "vitest";
import { noonMs, useFixture } from "./fixture.ts";

const fixture = useFixture({ leaseMs: 10_000 });
const ends = () => fixture.studio.leases().map((one) => `${one.jobId}.${one.lease} ${one.end ?? "held"}`);

it("a job is leased once more to the key that holds it", async () => {
  const workspaceId = await fixture.leaseNew();
  fixture.studio.plan.offerAgain(workspaceId, "same");
  const other = fixture.studio.createKey("user").runnerToken;
  expect(await fixture.lease(other)).toEqual({ leased: false });
  expect((await fixture.lease()).workspaceId).toBe(workspaceId);
  expect(await fixture.lease()).toEqual({ leased: false });
  expect(ends()).toEqual(["1.1 doubled", "1.2 held"]);
});

it("a job is leased once more to another key, and its first holder has lost it", async () => {
  const workspaceId = await fixture.leaseNew();
  fixture.studio.plan.offerAgain(workspaceId, "other");
  expect(await fixture.lease()).toEqual({ leased: false });
  const other = fixture.studio.createKey("user").runnerToken;
  expect((await fixture.lease(other)).workspaceId).toBe(workspaceId);
  expect((await fixture.post("/heartbeatWorkspaceJob", { workspaceId })).status).toBe(409);
  expect(ends()).toEqual(["1.1 moved", "1.2 held"]);
});

it("a job that has ended is not leased once more", async () => {
  const workspaceId = await fixture.leaseNew();
  fixture.studio.plan.offerAgain(workspaceId, "same");
  await fixture.complete(workspaceId);
  expect(await fixture.lease()).toEqual({ leased: false });
  expect(ends()).toEqual(["1.1 completed"]);
});

it("short leases are short with their heartbeats, for as many leases as were asked for", async () => {
  const workspaceId = fixture.studio.queueJob({ text: "x" });
  fixture.studio.plan.shorten(workspaceId, 50, 1);
  expect((await fixture.lease()).leaseExpiresAt).toBe(noonMs + 50);
  const { json } = await fixture.post("/heartbeatWorkspaceJob", { workspaceId });
  expect(json.leaseExpiresAt).toBe(noonMs + 50);
  await fixture.clock.advance(50);
  expect((await fixture.lease()).leaseExpiresAt).toBe(noonMs + 50 + 10_000);
  expect(ends()).toEqual(["1.1 expired", "1.2 held"]);
});

it("a message posted as a job of its own is leased after the first job has ended", async () => {
  const workspaceId = await fixture.leaseNew("first");
  fixture.studio.post(workspaceId, "second");
  expect(await fixture.lease()).toEqual({ leased: false });
  await fixture.fail(workspaceId);
  await fixture.lease();
  await fixture.complete(workspaceId);
  const thread = fixture.studio.messages(workspaceId).map(({ jobId, role }) => `${jobId} ${role}`);
  expect(thread).toEqual(["1 user", "2 user", "1 failure", "2 assistant"]);
});
