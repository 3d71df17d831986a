import { expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { held } from "../support/hold.ts";
import { startScenario } from "../support/stack.ts";

test("a processor that gets SIGTERM stops during a generation and posts nothing, and the reaper's next attempt continues its responses", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({ leaseMs: 8_000 }, onTestFinished);
  const workspaceId = scenario.queue(`Plan a launch. [[rounds:1]] ${held}`);
  await scenario.cycle();
  const { responseIds } = await scenario.run(workspaceId, ({ rounds }) => rounds === 1);
  // Its round lasts until this test ends it.
  await scenario.terminate(workspaceId);

  expect(scenario.lines("stopping")).toMatchObject([{ workspaceId, reason: "shutdown" }]);
  const left = await scenario.run(workspaceId, () => true);
  expect(left).toMatchObject({ state: "running", attempt: 1, responseIds });
  const before = scenario.requests(workspaceId);
  expect(before).not.toContain("/completeWorkspaceJob");
  expect(before).not.toContain("/failWorkspaceJob");

  // The process is not used again, as at a shutdown.
  scenario.hold(() => false);
  const processor = scenario.cloud.functions().find(({ label }) => label.includes("processor"))!;
  for (const { pid } of processor.environments) process.kill(pid, "SIGKILL");
  await eventually("the reaper's restart", async () => {
    await scenario.cycle();
    return scenario.lines("attempt_restarted")[0];
  });
  expect(await scenario.ended(workspaceId)).toMatchObject({ state: "completed", reason: "ok" });
  expect(await scenario.runs()).toMatchObject([{ attempt: 2, starts: 2, failures: ["silent"] }]);
  expect(scenario.asked()).toHaveLength(2);
  expect(scenario.summary(workspaceId)).toMatchObject({ state: "completed", leases: 1 });
});
