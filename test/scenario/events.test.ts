import { expect, test } from "vitest";
import { idOf } from "../support/scenario-template.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

/** How the processor's invocations ended. */
const endsOf = ({ events }: Scenario): readonly string[] =>
  events.flatMap((one) =>
    "function" in one &&
    one.function === "pool-local-processor" &&
    ["end", "error", "crash", "killed", "timeout"].includes(one.kind)
      ? [one.kind]
      : [],
  );

test.concurrent("an event that is delivered five times at once is handled once, and the other four do nothing", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({ turnMs: 300 }, onTestFinished);
  // Drops the dispatcher's own event.
  scenario.cloud.faults.dropEvent(1);
  const workspaceId = scenario.queue("Plan a launch. [[rounds:2]]");
  await scenario.cycle();
  const { runId } = await scenario.run(workspaceId, ({ state }) => state === "leased");

  const event = { pool: "local", runId, attempt: 1 };
  await Promise.all(
    Array.from({ length: 5 }, () => scenario.cloud.invoke(idOf("ProcessorRunner"), event, { type: "Event" })),
  );
  await scenario.cloud.idle();

  expect(endsOf(scenario)).toEqual(Array(5).fill("end"));
  // Two tool rounds and the message.
  expect(scenario.asked()).toHaveLength(3);
  expect(scenario.requests(workspaceId)).toEqual([
    "/leaseWorkspaceJob",
    "/getWorkspaceRunnerContext",
    "/heartbeatWorkspaceJob",
    "/completeWorkspaceJob",
  ]);
  expect(scenario.lines("attempt_duplicate")).toHaveLength(4);
  expect(scenario.metric("Duplicates")).toBe(4);
  expect(scenario.lines("run_ended")).toHaveLength(1);
  expect(scenario.metric("RunsCompleted")).toBe(1);
  expect(scenario.summary(workspaceId)).toMatchObject({ state: "completed", leases: 1 });
});

test.concurrent("an event that Lambda delivers twice is handled once, and the second does nothing", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({}, onTestFinished);
  scenario.cloud.faults.duplicate(1);
  const workspaceId = scenario.queue("Plan a launch. [[rounds:1]]");
  await scenario.drain();
  expect(endsOf(scenario)).toEqual(["end", "end"]);
  expect(scenario.asked()).toHaveLength(2);
  expect(scenario.metric("Duplicates")).toBe(1);
  expect(scenario.summary(workspaceId)).toMatchObject({ state: "completed", leases: 1 });
});

test.concurrent("an event that is delivered again after its run has ended does nothing", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({}, onTestFinished);
  scenario.queue("Plan a launch. [[rounds:1]]");
  await scenario.drain();
  const [run] = await scenario.runs();
  const before = { studio: scenario.studio.requests().length, model: scenario.model.requests().length };

  const event = { pool: "local", runId: run!.runId, attempt: 1 };
  const answer = await scenario.cloud.invoke(idOf("ProcessorRunner"), event, { type: "RequestResponse" });

  expect(answer.functionError).toBeUndefined();
  expect(JSON.parse(answer.payload!)).toEqual({ state: "duplicate", reason: "duplicate" });
  const after = { studio: scenario.studio.requests().length, model: scenario.model.requests().length };
  expect(after).toEqual(before);
  expect(await scenario.runs()).toEqual([run]);
});

test.concurrent("the reaper sends a lost event again under the same lease", async ({ onTestFinished }) => {
  const scenario = await startScenario({ variables: { RUNNER_MAX_EVENT_AGE_MS: "4000" } }, onTestFinished);
  scenario.cloud.faults.dropEvent(1);
  const workspaceId = scenario.queue("Plan a launch. [[rounds:1]]");

  await scenario.drain();

  expect(scenario.summary(workspaceId)).toMatchObject({ state: "completed", leases: 1 });
  expect(await scenario.runs()).toMatchObject([
    { state: "completed", attempt: 2, starts: 2, failures: ["event_lost"] },
  ]);
  const reaped = scenario.lines("cycle_ended").map((line) => line["reaped"]);
  expect(reaped.filter((count) => count !== 0)).toEqual([1]);
  expect(scenario.metric("Restarts")).toBe(1);
  expect(scenario.asked()).toHaveLength(2);
});

test.concurrent("the job of an event that is lost and not noticed in time returns when its lease expires", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({ leaseMs: 3_500 }, onTestFinished);
  scenario.cloud.faults.dropEvent(1);
  const workspaceId = scenario.queue("Plan a launch.");

  await scenario.drain();

  const { state, leases } = scenario.summary(workspaceId);
  expect(state).toBe("completed");
  expect(leases).toBeGreaterThan(1);
});

test.concurrent("an attempt whose event arrives after half of the lease first sends a heartbeat", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({ leaseMs: 24_000 }, onTestFinished);
  scenario.cloud.faults.delayEvent(12_200);
  const workspaceId = scenario.queue("Plan a launch.");

  await scenario.drain();

  expect(scenario.requests(workspaceId).slice(0, 3)).toEqual([
    "/leaseWorkspaceJob",
    "/heartbeatWorkspaceJob",
    "/getWorkspaceRunnerContext",
  ]);
  expect(scenario.lines("lease_renewed")).toHaveLength(1);
  expect(scenario.summary(workspaceId)).toMatchObject({ state: "completed", leases: 1 });
});

test.concurrent("an invalid event ends in a function error that says what is wrong with it", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({}, onTestFinished);
  const event = { pool: "local", attempt: "one" };
  const answer = await scenario.cloud.invoke(idOf("ProcessorRunner"), event, { type: "RequestResponse" });
  expect(answer.functionError).toBe("Unhandled");
  const { errorMessage } = JSON.parse(answer.payload!);
  expect(errorMessage).toContain("runId");
  expect(errorMessage).toContain("attempt");
});
