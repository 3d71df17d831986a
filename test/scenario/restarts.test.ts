import { describe, expect, test } from "vitest";
import type { Run } from "../../lib/runs/run.ts";
import { eventuallyTrue } from "../support/eventually.ts";
import { held, heldMs } from "../support/hold.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

const reads = async (scenario: Scenario, workspaceId: string): Promise<readonly string[]> =>
  (await scenario.detail(workspaceId)).messages.map(({ role }) => role);

describe("a killed job whose earlier rounds cannot be read starts over once and logs it", () => {
  /** A job of two rounds. */
  const text = "Plan a launch. [[rounds:1]]";

  /** Lets the first round pass, and kills the worker in the second, which is held. */
  async function killInSecondRound(scenario: Scenario, workspaceId: string): Promise<Run> {
    scenario.hold(() => scenario.asked().length === 2);
    await scenario.cycle();
    const run = await scenario.run(workspaceId, ({ rounds }) => rounds === 2);
    await scenario.kill(workspaceId);
    return run;
  }

  // The slowest first: this error is believed only when it persists.
  test.concurrent("because its responses were deleted", async ({ onTestFinished }) => {
    const scenario = await startScenario({ turnMs: heldMs }, onTestFinished);
    const workspaceId = scenario.queue(text);
    const { responseIds } = await killInSecondRound(scenario, workspaceId);
    for (const responseId of responseIds) await scenario.deleteResponse(responseId);

    expect(await scenario.ended(workspaceId)).toMatchObject({ state: "completed", reason: "ok" });

    expect(scenario.asked()).toHaveLength(4);
    expect(scenario.lines("job_started_over")).toHaveLength(1);
    expect(await scenario.runs()).toMatchObject([{ startedOver: true, attempt: 2, state: "completed" }]);
    expect(scenario.summary(workspaceId)).toMatchObject({ state: "completed", leases: 1 });
  });

  test.concurrent("because the provider keeps no responses", async ({ onTestFinished }) => {
    const scenario = await startScenario(
      { turnMs: heldMs, variables: { OPENAI_STORE: "false" } },
      onTestFinished,
    );
    const workspaceId = scenario.queue(text);
    await killInSecondRound(scenario, workspaceId);

    expect(await scenario.ended(workspaceId)).toMatchObject({ state: "completed", reason: "ok" });

    expect(scenario.asked()).toHaveLength(4);
    expect(scenario.lines("job_started_over")).toMatchObject([
      { level: "WARN", reason: "model_previous_response_missing" },
    ]);
    expect(await scenario.runs()).toMatchObject([{ startedOver: true, attempt: 2, state: "completed" }]);
    expect(scenario.summary(workspaceId)).toMatchObject({ state: "completed", leases: 1 });
  });

  test.concurrent("and fails with the reason the second time", async ({ onTestFinished }) => {
    const scenario = await startScenario(
      { turnMs: heldMs, variables: { OPENAI_STORE: "false" } },
      onTestFinished,
    );
    const workspaceId = scenario.queue(text);
    scenario.hold(() => scenario.asked().length === 2 || scenario.asked().length === 4);
    await scenario.cycle();
    for (const attempt of [1, 2]) {
      await eventuallyTrue("the second round is asked for", () => scenario.asked().length === 2 * attempt);
      await scenario.run(
        workspaceId,
        (run) => run.attempt === attempt && run.rounds === 2 && run.startedOver === (attempt === 2),
      );
      await scenario.kill(workspaceId);
    }

    expect(await scenario.ended(workspaceId)).toMatchObject({
      state: "failed",
      reason: "model_previous_response_missing",
    });

    expect(scenario.asked()).toHaveLength(4);
    expect(scenario.lines("job_started_over")).toHaveLength(1);
    expect(scenario.summary(workspaceId)).toMatchObject({
      state: "failed",
      failure: "The run's earlier responses cannot be used: the provider keeps no responses.",
    });
  });
});

test.concurrent("a job that is killed each time fails after its last start with a reason for its user, and delays no other job", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({ concurrency: 2 }, onTestFinished);
  const poison = scenario.queue(`Plan a launch. ${held}`);
  const others = [1, 2, 3].map((number) => scenario.queue(`Plan launch ${number}. [[rounds:1]]`));
  const ending = (async () => {
    for (let starts = 1; starts <= 3; starts++) {
      await scenario.run(poison, (run) => run.starts === starts && run.state === "running");
      await scenario.kill(poison);
    }
  })();
  await scenario.drain();
  await ending;

  const failure = "The worker was killed (as happens when memory runs out) three times.";
  expect(scenario.summary(poison)).toMatchObject({ state: "failed", leases: 1, failure });
  expect(await reads(scenario, poison)).toEqual(["user", "failure"]);
  const run = (await scenario.runs()).find(({ workspaceId }) => workspaceId === poison);
  expect(run).toMatchObject({ state: "failed", reason: "killed", failures: ["killed", "killed", "killed"] });
  expect(others.map((id) => scenario.summary(id))).toMatchObject(
    others.map(() => ({ state: "completed", leases: 1 })),
  );
  expect(scenario.metric("RunsFailed")).toBe(1);
  expect(scenario.metric("RunsCompleted")).toBe(3);
  expect(scenario.metric("Restarts")).toBe(2);
});
