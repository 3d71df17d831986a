import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Run } from "../../lib/runs/run.ts";
import { eventuallyTrue } from "../support/eventually.ts";
import { heldMs } from "../support/hold.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

describe("a job whose processor is killed continues at once under the same lease", () => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await startScenario({ turnMs: heldMs });
  });
  afterAll(() => scenario.close());

  /**
   * Kills the workspace's processor once its run matches `when`, and waits for the run's end, without a cycle
   * that could recover it. Returns the number of requests to the model.
   */
  async function killOnce(workspaceId: string, when: (run: Run) => boolean): Promise<number> {
    const before = scenario.asked().length;
    await scenario.cycle();
    await scenario.run(workspaceId, when);
    await scenario.kill(workspaceId);
    scenario.hold(() => false);
    await scenario.cloud.idle();
    const run = await scenario.run(workspaceId, () => true);
    expect(run).toMatchObject({
      attempt: 2,
      starts: 2,
      failures: ["killed"],
      startedOver: false,
      state: "completed",
      reason: "ok",
    });
    expect(scenario.summary(workspaceId)).toMatchObject({ state: "completed", failure: null });
    return scenario.asked().length - before;
  }

  test("during a generation, and requests no round twice", async () => {
    const before = scenario.asked().length;
    scenario.hold(() => scenario.asked().length === before + 2);
    const workspaceId = scenario.queue("Plan a launch. [[rounds:2]]");
    const asked = await killOnce(workspaceId, ({ rounds }) => rounds === 2);
    // Two tool rounds and the message.
    expect(asked).toBe(3);
    expect(scenario.summary(workspaceId).leases).toBe(1);
    expect(scenario.posts(workspaceId)).toEqual(["/completeWorkspaceJob"]);
  });

  test("during the completion, and requests nothing again", async () => {
    scenario.studio.faults.add({ route: "/completeWorkspaceJob", times: 1, fault: { kind: "never" } });
    const workspaceId = scenario.queue("Plan a launch. [[rounds:1]]");
    const asked = await killOnce(workspaceId, ({ delivering }) => delivering);
    expect(asked).toBe(2);
    expect(scenario.summary(workspaceId).leases).toBe(1);
    const { messages } = await scenario.detail(workspaceId);
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant"]);
  });

  test("after a completion without an answer, and posts nothing again", async () => {
    const delay = { kind: "delay", ms: 60_000, when: "after" } as const;
    scenario.studio.faults.add({ route: "/completeWorkspaceJob", times: 1, fault: delay });
    const workspaceId = scenario.queue("Plan a launch. [[rounds:1]]");
    await scenario.cycle();
    await eventuallyTrue("Studio has it", () => scenario.summary(workspaceId).state === "completed");
    await scenario.kill(workspaceId);
    expect(await scenario.ended(workspaceId)).toMatchObject({ state: "completed", reason: "unconfirmed" });
    expect(scenario.posts(workspaceId)).toEqual(["/completeWorkspaceJob"]);
    expect((await scenario.runs()).at(-1)).toMatchObject({ attempt: 1, state: "completed", failures: [] });
  });

  test("during the summary of its earlier messages, and does not request it twice", async () => {
    const history = "We sell 1,200 subscriptions a month and must keep the budget. ".repeat(200);
    const workspaceId = scenario.queue(`${history}\n\nPlan a launch. [[rounds:1]]`);
    await scenario.drain();
    const before = scenario.asked().length;
    scenario.hold(() => scenario.asked().length === before + 1);
    await scenario.post(workspaceId, "Now for spring. [[rounds:1]]");
    const asked = await killOnce(workspaceId, ({ summaryResponseId, rounds }) => {
      expect(rounds).not.toBe(1);
      return summaryResponseId !== undefined;
    });
    // The summary, one tool round and the message.
    expect(asked).toBe(3);
    expect(scenario.lines("prior_context").at(-1)).toMatchObject({ what: "fresh" });
    expect(
      scenario.requests(workspaceId).filter((path) => path === "/updateWorkspaceRunnerSummary"),
    ).toHaveLength(1);
  });

  test("and each restart is counted by its cause", () => {
    expect(scenario.metric("Restarts")).toBe(3);
    expect(scenario.lines("recovery_ended").map(({ what, reason }) => `${what}: ${reason}`)).toEqual([
      "restarted: killed",
      "restarted: killed",
      "completed: killed",
      "restarted: killed",
    ]);
    expect(scenario.metric("RunsCompleted")).toBe(5);
    expect(scenario.metric("RunsFailed") + scenario.metric("RunsLost")).toBe(0);
  });
});

describe("a dispatcher that is killed", () => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await startScenario({ leaseMs: 5_000, dispatcherTimeoutSeconds: 4 });
  });
  afterAll(() => scenario.close());

  test("during a cycle loses no job: started jobs continue, and the job of an unknown lease returns", async () => {
    const { studio } = scenario;
    const workspaceIds = ["one", "two"].map((name) => scenario.queue(`Plan launch ${name}. [[rounds:1]]`));
    const leased = (): readonly string[] =>
      studio.snapshot().flatMap(({ workspaceId, leases }) => (leases > 0 ? [workspaceId] : []));
    // The second lease is granted, but its answer does not arrive before the dispatcher ends.
    const stop = studio.onChange(() => {
      stop();
      studio.faults.add({
        route: "/leaseWorkspaceJob",
        times: 1,
        fault: { kind: "delay", ms: 20_000, when: "after" },
      });
    });
    const cycle = scenario.cycle();
    await eventuallyTrue("both are leased", () => leased().length === 2);
    await scenario.run(workspaceIds[0]!, ({ state }) => state === "running");
    scenario.killDispatcher();
    expect((await cycle).error).toMatchObject({ errorType: "Runtime.ExitError" });

    await scenario.drain();

    expect(workspaceIds.map((id) => scenario.summary(id))).toMatchObject([
      { state: "completed", leases: 1 },
      { state: "completed", leases: 2 },
    ]);
    expect(workspaceIds.map((id) => scenario.posts(id))).toEqual([
      ["/completeWorkspaceJob"],
      ["/completeWorkspaceJob"],
    ]);
    expect(await scenario.runs()).toHaveLength(2);
  });
});
