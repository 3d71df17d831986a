import { afterEach, expect, test } from "vitest";
import { idOf, startScenario, type Scenario } from "../support/stack.ts";

let scenario: Scenario | undefined;
afterEach(() => scenario?.close());

const generations = ({ model }: Scenario): number =>
  model.requests().filter(({ method, path }) => method === "POST" && path === "/v1/responses").length;

test("an event that is delivered twice is worked on once, and the second ends quietly", async () => {
  scenario = await startScenario();
  scenario.cloud.faults.duplicate(1);
  const workspaceId = scenario.queue("Plan a launch. [[rounds:2]]");

  await scenario.drain();

  // Two tool rounds and the message.
  expect(generations(scenario)).toBe(3);
  expect(scenario.requests(workspaceId)).toEqual([
    "/leaseWorkspaceJob",
    "/getWorkspaceRunnerContext",
    "/heartbeatWorkspaceJob",
    "/completeWorkspaceJob",
  ]);
  const processor = scenario.events.filter(
    (event) => "function" in event && event.function === "pool-local-processor",
  );
  const ends = processor.flatMap(({ kind }) => (["end", "error", "crash"].includes(kind) ? [kind] : []));
  expect(ends).toEqual(["end", "end"]);
  expect(scenario.lines("leg_duplicate")).toHaveLength(1);
  expect(scenario.metric("Duplicates")).toBe(1);
  expect(scenario.metric("RunsCompleted")).toBe(1);
});

test("an event that comes again after its run has ended does nothing", async () => {
  scenario = await startScenario();
  scenario.queue("Plan a launch. [[rounds:1]]");
  await scenario.drain();
  const [run] = await scenario.runs();
  const before = { studio: scenario.studio.requests().length, model: generations(scenario) };

  const event = { pool: "local", runId: run!.runId, leg: 1 };
  const answer = await scenario.cloud.invoke(idOf("ProcessorRunner"), event, { type: "RequestResponse" });

  expect(answer.functionError).toBeUndefined();
  expect(JSON.parse(answer.payload!)).toEqual({ state: "duplicate", reason: "duplicate" });
  expect({ studio: scenario.studio.requests().length, model: generations(scenario) }).toEqual(before);
  expect(await scenario.runs()).toEqual([run]);
});

test("an event that is lost loses nothing: its job comes back when the lease ends", async () => {
  scenario = await startScenario({ leaseMs: 3_500 });
  scenario.cloud.faults.dropEvent(1);
  const workspaceId = scenario.queue("Plan a launch.");

  await scenario.drain();

  const { state, leases } = scenario.summary(workspaceId);
  expect(state).toBe("completed");
  expect(leases).toBeGreaterThan(1);
});

test("an event that comes after half of the lease beats before it does anything else", async () => {
  scenario = await startScenario({ leaseMs: 8_000 });
  scenario.cloud.faults.delayEvent(4_200);
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

test("an event of another shape ends in a function error that names what is wrong with it", async () => {
  scenario = await startScenario();
  const event = { pool: "local", leg: "one" };
  const answer = await scenario.cloud.invoke(idOf("ProcessorRunner"), event, { type: "RequestResponse" });
  expect(answer.functionError).toBe("Unhandled");
  const { errorMessage } = JSON.parse(answer.payload!);
  expect(errorMessage).toContain("runId");
  expect(errorMessage).toContain("leg");
});
