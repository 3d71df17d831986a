import { afterEach, beforeEach, expect, it } from "vitest";
import { type Fixture, messageOnly, noonMs, startFixture } from "./fixture.ts";

let fixture: Fixture;

beforeEach(async () => {
  fixture = await startFixture({ leaseMs: 10_000 });
});
afterEach(() => fixture.close());

const lease = async (token?: string) => (await fixture.post("/leaseWorkspaceJob", {}, token)).json;
const ends = () => fixture.studio.leases().map((one) => `${one.jobId}.${one.lease} ${one.end ?? "held"}`);

it("a job is leased once more to the key that holds it, and each lease is in the log", async () => {
  const workspaceId = fixture.studio.queueJob({ text: "x" });
  await lease();
  fixture.studio.plan.offerAgain(workspaceId, "same");
  const other = fixture.studio.createKey("user").runnerToken;
  expect(await lease(other)).toEqual({ leased: false });
  expect((await lease()).workspaceId).toBe(workspaceId);
  expect(await lease()).toEqual({ leased: false });
  expect(ends()).toEqual(["1.1 doubled", "1.2 held"]);
});

it("a job is leased once more to another key, and its first holder has lost it", async () => {
  const workspaceId = fixture.studio.queueJob({ text: "x" });
  await lease();
  fixture.studio.plan.offerAgain(workspaceId, "other");
  expect(await lease()).toEqual({ leased: false });
  const other = fixture.studio.createKey("user").runnerToken;
  expect((await lease(other)).workspaceId).toBe(workspaceId);
  expect((await fixture.post("/heartbeatWorkspaceJob", { workspaceId })).status).toBe(409);
  expect(ends()).toEqual(["1.1 moved", "1.2 held"]);
});

it("a job that has ended is not leased once more", async () => {
  const workspaceId = fixture.studio.queueJob({ text: "x" });
  await lease();
  fixture.studio.plan.offerAgain(workspaceId, "same");
  await fixture.post("/completeWorkspaceJob", { workspaceId, ...messageOnly });
  expect(await lease()).toEqual({ leased: false });
  expect(ends()).toEqual(["1.1 completed"]);
});

it("short leases are short with their heartbeats, for as many leases as were asked for", async () => {
  const workspaceId = fixture.studio.queueJob({ text: "x" });
  fixture.studio.plan.shorten(workspaceId, 50, 1);
  expect((await lease()).leaseExpiresAt).toBe(noonMs + 50);
  const { json } = await fixture.post("/heartbeatWorkspaceJob", { workspaceId });
  expect(json.leaseExpiresAt).toBe(noonMs + 50);
  await fixture.clock.advance(50);
  expect((await lease()).leaseExpiresAt).toBe(noonMs + 50 + 10_000);
  expect(ends()).toEqual(["1.1 expired", "1.2 held"]);
});

it("a message posted in a job of its own is leased when the first job has ended, and its answer is its own", async () => {
  const workspaceId = fixture.studio.queueJob({ text: "first" });
  fixture.studio.post(workspaceId, "second");
  await lease();
  expect(await lease()).toEqual({ leased: false });
  await fixture.post("/failWorkspaceJob", { workspaceId, error: "no" });
  await lease();
  await fixture.post("/completeWorkspaceJob", { workspaceId, ...messageOnly });
  expect(fixture.studio.jobs().map(({ jobId, state, failure }) => [jobId, state, failure])).toEqual([
    [1, "failed", "no"],
    [2, "completed", null],
  ]);
  const thread = fixture.studio.messages(workspaceId).map(({ jobId, role, text }) => [jobId, role, text]);
  expect(thread).toEqual([
    [1, "user", "first"],
    [2, "user", "second"],
    [1, "failure", "no"],
    [2, "assistant", "Done."],
  ]);
});
