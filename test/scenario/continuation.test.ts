import { describe, expect, test } from "vitest";
import { held } from "../support/hold.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

/**
 * Three quarters of this are for working, and the rest for starting the next attempt
 * (lib/attempt/deadline.ts).
 */
const processorTimeoutSeconds = 6;
/** Shorter than two attempts; an attempt has no time to start late. */
const leaseMs = 8_000;

/** Invocations that Lambda ended. */
const brokenAttempts = ({ events }: Scenario): readonly string[] =>
  events.flatMap(({ kind }) => (["timeout", "killed", "crash", "error"].includes(kind) ? [kind] : []));

/** Time from the lease to the completion, in ms. */
function heldForMs({ studio }: Scenario, workspaceId: string): number {
  const at = studio.requests().flatMap((one) => (one.workspaceId === workspaceId ? [one.at] : []));
  return at.at(-1)! - at[0]!;
}

describe("a job that is too slow for one invocation", () => {
  test.concurrent("completes in several, with one generation per round and one lease", async ({
    onTestFinished,
  }) => {
    const scenario = await startScenario({ processorTimeoutSeconds, leaseMs }, onTestFinished);
    const workspaceId = scenario.queue(`Plan a launch. [[rounds:1]] ${held}`);
    await scenario.cycle();
    await scenario.run(workspaceId, ({ attempt, state }) => attempt === 3 && state === "running");
    scenario.hold(() => false);

    await scenario.drain();

    expect(scenario.summary(workspaceId)).toMatchObject({ state: "completed", leases: 1, failure: null });
    // One tool round and the message.
    expect(scenario.asked().map(({ status }) => status)).toEqual([200, 200]);
    const [run, ...others] = await scenario.runs();
    expect(others).toEqual([]);
    expect(run).toMatchObject({ state: "completed", reason: "ok", rounds: 2, starts: 1, failures: [] });
    expect(run!.attempt).toBeGreaterThan(2);
    expect(run!.continuations).toBe(run!.attempt - 1);
    expect(scenario.metric("Continuations")).toBe(run!.continuations);
    expect(scenario.lines("job_resumed")).toHaveLength(run!.continuations);
    // The lease was renewed in every attempt.
    expect(heldForMs(scenario, workspaceId)).toBeGreaterThan(leaseMs);
    expect(brokenAttempts(scenario)).toEqual([]);
    expect(scenario.metric("RunsCompleted")).toBe(1);
  });

  test.concurrent("and for the run's limit fails with a reason that says so, and its generation is cancelled", async ({
    onTestFinished,
  }) => {
    const limit = { RUNNER_RUN_LIMIT_MS: "8900" };
    const scenario = await startScenario(
      { processorTimeoutSeconds, leaseMs, variables: limit },
      onTestFinished,
    );
    // The failure is reported even if Studio does not accept it at once.
    const fault = { kind: "status", status: 503 } as const;
    scenario.studio.faults.add({ route: "/failWorkspaceJob", times: 1, fault });
    const workspaceId = scenario.queue(`Plan a launch. ${held}`);

    await scenario.drain();

    const failure = "The job did not end within 0.1 minutes.";
    expect(scenario.summary(workspaceId)).toMatchObject({ state: "failed", failure, leases: 1 });
    const [run, ...others] = await scenario.runs();
    expect(others).toEqual([]);
    expect(run).toMatchObject({ state: "failed", reason: "run_limit", attempt: 2 });
    expect(scenario.asked()).toHaveLength(1);
    expect(await scenario.responseStatus(run!.responseIds.at(-1)!)).toBe("cancelled");
    expect(brokenAttempts(scenario)).toEqual([]);
    expect(scenario.metric("RunsFailed")).toBe(1);
  });
});

test.concurrent("a completion that Studio refuses for longer than an attempt is delivered by the next attempt without a new generation", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({ processorTimeoutSeconds, leaseMs }, onTestFinished);
  scenario.studio.faults.add({ route: "/completeWorkspaceJob", fault: { kind: "status", status: 503 } });
  const workspaceId = scenario.queue("Plan a launch. [[rounds:1]]");
  await scenario.cycle();
  await scenario.run(workspaceId, ({ attempt, delivering }) => attempt === 2 && delivering);
  expect(scenario.asked()).toHaveLength(2);
  scenario.studio.faults.clear();

  expect(await scenario.ended(workspaceId)).toMatchObject({ state: "completed", reason: "ok" });

  expect(scenario.asked()).toHaveLength(2);
  expect(scenario.summary(workspaceId)).toMatchObject({ state: "completed", leases: 1 });
  const { messages } = await scenario.detail(workspaceId);
  expect(messages.map(({ role }) => role)).toEqual(["user", "assistant"]);
  expect(await scenario.runs()).toMatchObject([
    { state: "completed", attempt: 2, continuations: 1, starts: 1 },
  ]);
  expect(brokenAttempts(scenario)).toEqual([]);
});
