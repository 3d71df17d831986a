import { afterEach, expect, test } from "vitest";
import { startScenario, type Scenario } from "../support/stack.ts";

let scenario: Scenario | undefined;
afterEach(() => scenario?.close());

/** Of these, three quarters are for working and the rest for reporting (lib/job/leg.ts). */
const processorTimeoutSeconds = 6;

test("a job that is too slow for one invocation fails with a clear reason before Lambda ends it", async () => {
  scenario = await startScenario({ processorTimeoutSeconds });
  // The failure is reported from the reserve, also when Studio does not take it at once.
  scenario.studio.faults.add({
    route: "/failWorkspaceJob",
    times: 1,
    fault: { kind: "status", status: 503 },
  });
  const workspaceId = scenario.queue("Plan a launch. [[slow:60000]]");

  await scenario.drain();

  const failure = "The job was stopped after 0.1 minutes: the time of one invocation was over.";
  expect(scenario.summary(workspaceId)).toMatchObject({ state: "failed", failure, leases: 1 });
  expect(scenario.model.requests()).toMatchObject([{ aborted: true }]);
  expect(await scenario.runs()).toMatchObject([{ state: "failed", reason: "leg_deadline" }]);
  expect(scenario.events.filter(({ kind }) => kind === "timeout" || kind === "killed")).toEqual([]);
  expect(scenario.metric("RunsFailed")).toBe(1);
});
