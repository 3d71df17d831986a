import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exampleWorkspaces } from "../../local/model/examples.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

describe("the three example workspaces", () => {
  let scenario: Scenario;
  let workspaceIds: readonly string[];

  beforeAll(async () => {
    scenario = await startScenario();
    workspaceIds = exampleWorkspaces.map((example) =>
      scenario.studio.queueJob({ ...example, target: "user" }),
    );
    await scenario.drain();
  });
  afterAll(() => scenario.close());

  test("are all completed, each by the first attempt of one run", async () => {
    expect(workspaceIds.map((id) => scenario.summary(id).state)).toEqual([
      "completed",
      "completed",
      "completed",
    ]);
    const runs = await scenario.runs();
    expect(runs.map(({ workspaceId }) => workspaceId).toSorted()).toEqual(workspaceIds.toSorted());
    expect(runs.map(({ state, reason, attempt }) => ({ state, reason, attempt }))).toEqual([
      { state: "completed", reason: "ok", attempt: 1 },
      { state: "completed", reason: "ok", attempt: 1 },
      { state: "completed", reason: "ok", attempt: 1 },
    ]);
  });

  test("together hold every kind of deliverable", async () => {
    const details = await Promise.all(workspaceIds.map((id) => scenario.detail(id)));
    const made = details.flatMap(({ messages }) =>
      messages.flatMap((message) => (message.role === "assistant" ? [message.deliverables] : [])),
    );
    const chartKinds = new Set(made.flatMap(({ charts }) => charts.map((chart) => chart.kind)));
    expect([...chartKinds].toSorted()).toEqual(["area", "bar", "line", "pie", "scatter", "stacked_bar"]);
    const others = (["files", "datasets", "lists", "checklists", "svgs"] as const).filter((kind) =>
      made.some((one) => one[kind].length > 0),
    );
    expect(others).toEqual(["files", "datasets", "lists", "checklists", "svgs"]);
  });

  test("each need exactly four requests to Studio", () => {
    for (const id of workspaceIds) {
      expect(scenario.requests(id)).toEqual([
        "/leaseWorkspaceJob",
        "/getWorkspaceRunnerContext",
        "/heartbeatWorkspaceJob",
        "/completeWorkspaceJob",
      ]);
    }
  });

  test("are counted once each", () => {
    expect(scenario.metric("JobsLeased")).toBe(3);
    expect(scenario.metric("RunsCompleted")).toBe(3);
    expect(scenario.metric("RunsFailed") + scenario.metric("RunsLost") + scenario.metric("Duplicates")).toBe(
      0,
    );
    expect(scenario.lines("run_ended")).toHaveLength(3);
  });

  test("run in processes whose titles name their function", () => {
    const processes = scenario.cloud
      .functions()
      .flatMap(({ environments }) => environments.map(({ pid }) => ({ pid, title: titleOf(pid) })));
    expect(processes.map(({ title }) => title).toSorted()).toEqual([
      "studio-runner pool-local-dispatcher",
      "studio-runner pool-local-processor",
      "studio-runner pool-local-processor",
      "studio-runner pool-local-processor",
    ]);
    expect(new Set([process.pid, ...processes.map(({ pid }) => pid)]).size).toBe(5);
  });
});

const titleOf = (pid: number): string =>
  readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
