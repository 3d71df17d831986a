import { afterEach, expect, test } from "vitest";
import type { Run } from "../../lib/ledger/run.ts";
import { eventuallyTrue } from "../support/eventually.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

let scenario: Scenario | undefined;
afterEach(() => scenario?.close());

/** A fifth of a lease of 5 s, jittered downwards. */
const leaseMs = 5_000;
const longestBeatMs = 1_000;
/** For the beat's own way there and back, and the abort's, on a loaded machine. */
const slackMs = 1_000;

const posted = (requests: readonly string[]): readonly string[] =>
  requests.filter((path) => path === "/completeWorkspaceJob" || path === "/failWorkspaceJob");

async function startGenerating(started: Scenario): Promise<string> {
  const workspaceId = started.queue("Plan a launch. [[slow:30000]]");
  await started.window();
  await eventuallyTrue("the model is asked", () => started.model.requests().length === 1);
  return workspaceId;
}

const endOf = ({ state, reason }: Run) => ({ state, reason });

test("a lease taken away in mid-generation aborts the model within a beat, and nothing is posted", async () => {
  scenario = await startScenario({ leaseMs });
  const { studio, model } = scenario;
  const workspaceId = await startGenerating(scenario);

  const stolenAtMs = Date.now();
  studio.steal(workspaceId);
  await eventuallyTrue("the model request is aborted", () => model.requests()[0]?.aborted === true);
  const elapsedMs = Date.now() - stolenAtMs;
  const beatsSince = studio
    .requests()
    .filter(({ path, at }) => path === "/heartbeatWorkspaceJob" && at >= stolenAtMs);
  const end = await scenario.ended(workspaceId);
  await scenario.cloud.idle();

  expect(beatsSince.map(({ status }) => status)).toEqual([409]);
  expect(elapsedMs).toBeLessThan(longestBeatMs + slackMs);
  expect(model.requests()).toHaveLength(1);
  expect(posted(scenario.requests(workspaceId))).toEqual([]);
  expect(end).toMatchObject({ state: "lost", reason: "lease_lost" });
  expect(scenario.lines("lease_lost")).toHaveLength(1);
  expect((await scenario.runs()).map(endOf)).toEqual([{ state: "lost", reason: "lease_lost" }]);
  expect(scenario.metric("RunsLost")).toBe(1);
});

test("a key that is revoked in mid-generation aborts the model, and nothing is posted", async () => {
  scenario = await startScenario({ leaseMs });
  const { studio, model } = scenario;
  const key = studio.createKey("user");
  scenario.putSecret("Keys", key.runnerToken);
  const workspaceId = await startGenerating(scenario);

  studio.revokeKey(key.instanceId);
  const end = await scenario.ended(workspaceId);

  expect(model.requests().map(({ aborted }) => aborted)).toEqual([true]);
  expect(posted(scenario.requests(workspaceId))).toEqual([]);
  expect(end).toMatchObject({ state: "lost", reason: "key_refused" });
});

test("a job whose lease went back to the queue is worked on by another run", async () => {
  scenario = await startScenario({ leaseMs });
  scenario.model.faults.add({ times: 1, fault: { kind: "silent" } });
  const workspaceId = scenario.queue("Plan a launch.");
  await scenario.window();
  await eventuallyTrue("the model is asked", () => scenario!.model.requests().length === 1);

  scenario.studio.steal(workspaceId, "nobody");
  await scenario.ended(workspaceId);
  await scenario.drain();

  expect((await scenario.runs()).map(endOf)).toEqual([
    { state: "lost", reason: "lease_lost" },
    { state: "completed", reason: "ok" },
  ]);
  expect(posted(scenario.requests(workspaceId))).toEqual(["/completeWorkspaceJob"]);
});

test("a lease that no beat could renew is given up at its end, and its job comes back", async () => {
  scenario = await startScenario({ leaseMs: 4_000 });
  const { studio, model } = scenario;
  studio.faults.add({ route: "/heartbeatWorkspaceJob", fault: { kind: "status", status: 503 } });
  model.faults.add({ times: 1, fault: { kind: "silent" } });
  const workspaceId = scenario.queue("Plan a launch.");
  await scenario.window();

  const end = await scenario.ended(workspaceId);
  studio.faults.clear();
  await scenario.drain();

  expect(end).toMatchObject({ state: "lost", reason: "lease_lost", explanation: expect.any(String) });
  expect(scenario.lines("beat_failed").length).toBeGreaterThan(3);
  expect(scenario.metric("BeatsFailed")).toBe(scenario.lines("beat_failed").length);
  expect(posted(scenario.requests(workspaceId))).toEqual(["/completeWorkspaceJob"]);
  const ends = (await scenario.runs()).map(endOf);
  expect(ends[0]).toEqual({ state: "lost", reason: "lease_lost" });
  expect(ends.at(-1)).toEqual({ state: "completed", reason: "ok" });
});

test("a processor that is killed loses nothing: its job comes back when the lease ends", async () => {
  scenario = await startScenario({ leaseMs: 4_000 });
  scenario.cloud.faults.kill("pool-local-processor", 150);
  const workspaceId = scenario.queue("Plan a launch. [[slow:300]]");

  await scenario.drain();

  expect(scenario.events.filter(({ kind }) => kind === "killed")).toHaveLength(1);
  const { state, leases } = scenario.summary(workspaceId);
  expect(state).toBe("completed");
  expect(leases).toBeGreaterThan(1);
  expect(posted(scenario.requests(workspaceId))).toEqual(["/completeWorkspaceJob"]);
  expect((await scenario.runs()).map(endOf).at(-1)).toEqual({ state: "completed", reason: "ok" });
});
