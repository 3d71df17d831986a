import { describe, expect, test } from "vitest";
import { createControlRow } from "../../lib/runs/control.ts";
import { eventuallyTrue } from "../support/eventually.ts";
import { heldMs } from "../support/hold.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

const stateOf = (started: Scenario, workspaceIds: readonly string[]): readonly string[] =>
  workspaceIds.map((id) => started.summary(id).state);

describe("concurrency", () => {
  /** Watches from now on. The result returns the highest number of simultaneous leases. */
  function watchWidest({ studio }: Scenario): () => number {
    let most = 0;
    studio.onChange(() => {
      most = Math.max(most, studio.snapshot().filter(({ state }) => state === "leased").length);
    });
    return () => most;
  }

  test.concurrent("of 2 completes 6 jobs, never more than two at once", async ({ onTestFinished }) => {
    const scenario = await startScenario({ serve: true, concurrency: 2, turnMs: 100 }, onTestFinished);
    const { studio } = scenario;
    const widest = watchWidest(scenario);
    const workspaceIds = Array.from({ length: 6 }, (_, index) => scenario.queue(`Plan launch ${index}.`));

    await eventuallyTrue("all jobs are completed", () =>
      studio.snapshot().every(({ state }) => state === "completed"),
    );

    expect(widest()).toBe(2);
    const leasedAtOnce = studio.snapshot().map(({ leases }) => leases);
    expect(leasedAtOnce).toEqual([1, 1, 1, 1, 1, 1]);
    expect(stateOf(scenario, workspaceIds)).toEqual(Array(6).fill("completed"));
    // Processes are reused. There is one more only where a slot was filled before its process had answered.
    const processor = scenario.cloud.functions().find(({ label }) => label.endsWith("processor"));
    expect(processor!.environments.length).toBeLessThan(6);
  });

  test.concurrent("that is used up keeps an economy cycle running, which fills every free slot until the queue is empty", async ({
    onTestFinished,
  }) => {
    const scenario = await startScenario({ concurrency: 1, turnMs: heldMs }, onTestFinished);
    const workspaceIds = [1, 2, 3].map((number) => scenario.queue(`Plan launch ${number}. [[rounds:1]]`));
    const cycle = scenario.cycle();
    await eventuallyTrue("one is leased", () => stateOf(scenario, workspaceIds).includes("leased"));
    expect(stateOf(scenario, workspaceIds)).toEqual(["leased", "queued", "queued"]);

    scenario.hold(() => false);

    expect((await cycle).summary).toMatchObject({ reason: "leased", leased: 3 });
    for (const id of workspaceIds) expect((await scenario.ended(id)).state).toBe("completed");
    expect(scenario.metric("Cycles")).toBe(1);
  });
});

describe("a paused pool", () => {
  test.concurrent("leases nothing and says why, until it is resumed", async ({ onTestFinished }) => {
    const scenario = await startScenario({}, onTestFinished);
    const control = createControlRow(scenario.table);
    const workspaceId = scenario.queue("Plan a launch.");

    await control.write("local", { paused: true, by: "ops", why: "month's end" });
    const paused = await scenario.cycle();
    expect(paused.summary).toEqual({ reason: "paused", polls: 0, leased: 0, inFlight: 0, reaped: 0 });
    expect(scenario.lines("cycle_ended")).toMatchObject([{ level: "INFO", reason: "paused" }]);
    expect(scenario.studio.requests()).toEqual([]);
    expect(scenario.summary(workspaceId)).toMatchObject({ state: "queued", leases: 0 });

    await control.write("local", { paused: false });
    await scenario.drain();
    expect(scenario.summary(workspaceId)).toMatchObject({ state: "completed", leases: 1 });
  });

  test.concurrent("lets running jobs finish", async ({ onTestFinished }) => {
    const scenario = await startScenario({ turnMs: heldMs }, onTestFinished);
    const workspaceId = scenario.queue("Plan a launch. [[rounds:1]]");
    await scenario.cycle();
    await createControlRow(scenario.table).write("local", { paused: true });
    scenario.hold(() => false);
    expect((await scenario.ended(workspaceId)).state).toBe("completed");
  });
});

test.concurrent("of two simultaneous cycles only one polls, and the other says why it does not", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({}, onTestFinished);
  scenario.studio.faults.add({
    route: "/leaseWorkspaceJob",
    times: 1,
    fault: { kind: "delay", ms: 5_000 },
  });
  const workspaceId = scenario.queue("Plan a launch.");
  const first = scenario.cycle();
  await eventuallyTrue("the first cycle polls", () => scenario.studio.requests().length === 1);
  expect((await scenario.cycle()).summary).toEqual({
    reason: "overlap",
    polls: 0,
    leased: 0,
    inFlight: 0,
    reaped: 0,
  });
  expect((await first).summary).toMatchObject({ reason: "leased", leased: 1 });
  expect((await scenario.ended(workspaceId)).state).toBe("completed");
});

test.concurrent("a cycle that finds nothing says so", async ({ onTestFinished }) => {
  const scenario = await startScenario({}, onTestFinished);
  expect((await scenario.cycle()).summary).toEqual({
    reason: "empty",
    polls: 1,
    leased: 0,
    inFlight: 0,
    reaped: 0,
  });
  expect(scenario.metric("Cycles")).toBe(1);
});

test.concurrent("a cycle for a pool that the dispatcher does not serve ends in a function error", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({}, onTestFinished);
  const answer = await scenario.cloud.invoke(
    scenario.cloud.functions().find(({ label }) => label.endsWith("dispatcher"))!.logicalId,
    { pool: "other" },
    { type: "RequestResponse" },
  );
  expect(answer.functionError).toBe("Unhandled");
  expect(JSON.parse(answer.payload!)).toMatchObject({
    errorMessage: 'the event is wrong: pool: names the pool "other"; this one serves "local"',
  });
});
