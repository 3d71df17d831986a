import { expect, test } from "vitest";
import type { Run } from "../../lib/runs/run.ts";
import type { RequestRecord } from "../../local/model/exchange.ts";
import { eventuallyTrue } from "../support/eventually.ts";
import { held } from "../support/hold.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

/** A heartbeat is due after a fifth of this, and a processor that starts slowly has all of it. */
const leaseMs = 12_000;

async function startGenerating(started: Scenario): Promise<string> {
  const workspaceId = started.queue(`Plan a launch. ${held}`);
  await started.cycle();
  await started.run(workspaceId, ({ responseIds }) => responseIds.length > 0);
  return workspaceId;
}

/** Requests to cancel a response, with the response's id. */
const cancellations = ({ model }: Scenario): readonly (RequestRecord & { readonly responseId: string })[] =>
  model.requests().flatMap((one) => {
    const responseId = /^\/v1\/responses\/([^/]+)\/cancel$/.exec(one.path)?.[1];
    return responseId === undefined ? [] : [{ ...one, responseId }];
  });

/**
 * Expects that the run's response was cancelled, with one request, and that the run requested nothing more.
 */
async function expectStopped(started: Scenario, { responseIds }: Run): Promise<void> {
  const lastResponseId = responseIds.at(-1);
  expect(started.asked()).toHaveLength(1);
  expect(cancellations(started).map(({ responseId, status }) => ({ responseId, status }))).toEqual([
    { responseId: lastResponseId, status: 200 },
  ]);
  expect(await started.responseStatus(lastResponseId!)).toBe("cancelled");
}

/** Answers to heartbeats that did not renew the lease. A run that continues after one would get more. */
const refusedHeartbeats = ({ studio }: Scenario): readonly number[] =>
  studio
    .requests()
    .flatMap(({ path, status }) => (path === "/heartbeatWorkspaceJob" && status !== 200 ? [status] : []));

const endOf = ({ state, reason }: Run) => ({ state, reason });

test.concurrent("when a lease is taken away during a generation, the next heartbeat cancels the response and nothing is posted", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({ leaseMs }, onTestFinished);
  const workspaceId = await startGenerating(scenario);

  scenario.studio.steal(workspaceId);
  const end = await scenario.ended(workspaceId);
  await scenario.cloud.idle();
  const [run] = await scenario.runs();

  expect(refusedHeartbeats(scenario)).toEqual([409]);
  await expectStopped(scenario, run!);
  expect(scenario.posts(workspaceId)).toEqual([]);
  expect(end).toMatchObject({ state: "lost", reason: "lease_lost" });
  expect(scenario.lines("lease_lost")).toHaveLength(1);
  expect((await scenario.runs()).map(endOf)).toEqual([{ state: "lost", reason: "lease_lost" }]);
  expect(scenario.metric("RunsLost")).toBe(1);
});

test.concurrent("a streamed generation is aborted at the next heartbeat when its lease is taken away", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({ leaseMs, variables: { OPENAI_MODE: "streaming" } }, onTestFinished);
  const { studio, model } = scenario;
  const workspaceId = await startGenerating(scenario);

  studio.steal(workspaceId);
  await eventuallyTrue("the model request is aborted", () => model.requests()[0]?.aborted === true);
  await scenario.ended(workspaceId);
  await scenario.cloud.idle();

  expect(refusedHeartbeats(scenario)).toEqual([409]);
  expect(scenario.asked()).toHaveLength(1);
  expect(scenario.posts(workspaceId)).toEqual([]);
});

test.concurrent("when a key is revoked during a generation, the response is cancelled and nothing is posted", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({ leaseMs }, onTestFinished);
  const { studio } = scenario;
  const key = studio.createKey("user");
  scenario.putSecret("Keys", key.runnerToken);
  const workspaceId = await startGenerating(scenario);

  studio.revokeKey(key.instanceId);
  const end = await scenario.ended(workspaceId);

  const [run] = await scenario.runs();
  await expectStopped(scenario, run!);
  expect(scenario.posts(workspaceId)).toEqual([]);
  expect(end).toMatchObject({ state: "lost", reason: "key_refused" });
});

test.concurrent("a job that was put back into the queue is completed by another run", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({ leaseMs }, onTestFinished);
  scenario.model.faults.add({ times: 1, fault: { kind: "silent" } });
  const workspaceId = scenario.queue("Plan a launch.");
  await scenario.cycle();
  await eventuallyTrue("the model is asked", () => scenario.model.requests().length === 1);

  scenario.studio.steal(workspaceId, "nobody");
  await scenario.ended(workspaceId);
  await scenario.drain();

  expect((await scenario.runs()).map(endOf)).toEqual([
    { state: "lost", reason: "lease_lost" },
    { state: "completed", reason: "ok" },
  ]);
  expect(scenario.posts(workspaceId)).toEqual(["/completeWorkspaceJob"]);
});

test.concurrent("a lease that no heartbeat could renew is given up at its end, and its job returns", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({ leaseMs: 6_000 }, onTestFinished);
  const { studio, model } = scenario;
  studio.faults.add({ route: "/heartbeatWorkspaceJob", fault: { kind: "status", status: 503 } });
  model.faults.add({ times: 1, fault: { kind: "silent" } });
  const workspaceId = scenario.queue("Plan a launch.");
  await scenario.cycle();

  const end = await scenario.ended(workspaceId);
  studio.faults.clear();
  await scenario.drain();

  expect(end).toMatchObject({ state: "lost", reason: "lease_lost", explanation: expect.any(String) });
  expect(scenario.lines("heartbeat_failed").length).toBeGreaterThan(3);
  expect(scenario.metric("HeartbeatsFailed")).toBe(scenario.lines("heartbeat_failed").length);
  expect(scenario.posts(workspaceId)).toEqual(["/completeWorkspaceJob"]);
  const ends = (await scenario.runs()).map(endOf);
  expect(ends[0]).toEqual({ state: "lost", reason: "lease_lost" });
  expect(ends.at(-1)).toEqual({ state: "completed", reason: "ok" });
});

test.concurrent("the job of a lease whose answer was lost returns when the lease expires", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({ leaseMs: 3_500 }, onTestFinished);
  const fault = { kind: "reset", when: "after" } as const;
  scenario.studio.faults.add({ route: "/leaseWorkspaceJob", times: 1, fault });
  const workspaceId = scenario.queue("Plan a launch. [[rounds:1]]");
  expect((await scenario.cycle()).error).toBeDefined();
  await scenario.drain();
  const { state, leases } = scenario.summary(workspaceId);
  expect(state).toBe("completed");
  expect(leases).toBeGreaterThan(1);
  // Nobody knows of the first lease.
  expect(await scenario.runs()).toHaveLength(leases - 1);
});
