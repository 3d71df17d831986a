import { expect, test } from "vitest";
import type { Run } from "../../lib/runs/run.ts";
import type { FaultRule } from "../../local/studio/faults.ts";
import { eventually, eventuallyTrue } from "../support/eventually.ts";
import { heldMs } from "../support/hold.ts";
import { startScenario, type Scenario } from "../support/stack.ts";
import { freezeWorker } from "../support/working-on.ts";

/**
 * Studio identifies a lease by key and workspace only, so the runner has to know which post belongs to which
 * job.
 */

const endOf = ({ state, reason }: Run) => `${state}: ${reason}`;

const endsOf = async (scenario: Scenario): Promise<readonly string[]> => (await scenario.runs()).map(endOf);

/** The texts that Studio has stored for the workspace's messages, in order. */
async function answers(scenario: Scenario, workspaceId: string): Promise<readonly string[]> {
  const { messages } = await scenario.detail(workspaceId);
  return messages.flatMap((one) => {
    if (one.role === "user") return [];
    return one.role === "failure" ? [`failure: ${one.reason}`] : [`assistant: ${one.text.slice(0, 60)}`];
  });
}

/** A job in progress, in a workspace where the next message already waits. */
async function twoMessages(scenario: Scenario, first: string, second: string): Promise<string> {
  const workspaceId = scenario.queue(first);
  await scenario.cycle();
  await scenario.run(workspaceId, ({ rounds }) => rounds > 0);
  await scenario.post(workspaceId, second);
  scenario.hold(() => false);
  return workspaceId;
}

const hit = ({ studio }: Scenario, route: `/${string}`, fault: FaultRule["fault"]): void =>
  studio.faults.add({ route, times: 1, fault });

/** Runs dispatch cycles until there is one more run, or the existing one has a newer attempt. */
async function dispatchUntilMoved(scenario: Scenario): Promise<void> {
  await eventually("a newer attempt or run", async () => {
    await scenario.cycle();
    const runs = await scenario.runs();
    return runs.length > 1 || runs[0]!.attempt > 1 ? true : undefined;
  });
}

const isPosted = (scenario: Scenario, workspaceId: string, path: string): Promise<void> =>
  eventuallyTrue(`a call of ${path}`, () => scenario.requests(workspaceId).includes(path));

test.concurrent("a completion without an answer is not posted again as the answer to the workspace's next message", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({ turnMs: heldMs }, onTestFinished);
  hit(scenario, "/completeWorkspaceJob", { kind: "html", status: 502, when: "after" });
  const workspaceId = await twoMessages(scenario, "Plan a launch. [[rounds:1]]", "What is new? [[refuse]]");
  // Delays Studio's heartbeats, so that the second job has the lease before the first run can repeat its
  // post.
  hit(scenario, "/heartbeatWorkspaceJob", { kind: "delay", ms: 1 });
  for (const route of ["/heartbeatWorkspaceJob", "/getWorkspaceRunnerContext"] as const)
    hit(scenario, route, { kind: "delay", ms: 5_000 });
  await isPosted(scenario, workspaceId, "/completeWorkspaceJob");
  await dispatchUntilMoved(scenario);
  await scenario.drain();
  expect(await answers(scenario, workspaceId)).toEqual([
    expect.stringMatching(/^assistant: /),
    "failure: The model declined: I can't help with that request.",
  ]);
  expect(await endsOf(scenario)).toEqual(["completed: unconfirmed", "failed: model_refused"]);
});

test.concurrent("a failure report without an answer is not posted again for the workspace's next message", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({ turnMs: heldMs }, onTestFinished);
  hit(scenario, "/failWorkspaceJob", { kind: "html", status: 502, when: "after" });
  const workspaceId = await twoMessages(scenario, "What is new? [[refuse]]", "Plan a launch. [[rounds:1]]");
  await isPosted(scenario, workspaceId, "/failWorkspaceJob");
  await dispatchUntilMoved(scenario);
  await scenario.drain();
  expect(await answers(scenario, workspaceId)).toEqual([
    "failure: The model declined: I can't help with that request.",
    expect.stringMatching(/^assistant: /),
  ]);
  expect(await endsOf(scenario)).toEqual(["failed: model_refused", "completed: ok"]);
});

test.concurrent("a job that Studio leases twice to one key is paid once and answered once", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({ turnMs: heldMs }, onTestFinished);
  const workspaceId = scenario.queue("Plan a launch. [[rounds:2]]");
  await scenario.cycle();
  await scenario.run(workspaceId, ({ rounds }) => rounds === 1);
  scenario.studio.steal(workspaceId, "nobody");
  await scenario.cycle();
  scenario.hold(() => false);
  await scenario.drain();
  expect(await endsOf(scenario)).toEqual(["lost: superseded", "completed: ok"]);
  expect(scenario.asked()).toHaveLength(3);
  expect(await answers(scenario, workspaceId)).toHaveLength(1);
});

test.concurrent("an attempt that was frozen while another took over requests nothing more from the model", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({ turnMs: heldMs, leaseMs: 8_000 }, onTestFinished);
  const workspaceId = scenario.queue("Plan a launch. [[rounds:3]]");
  await scenario.cycle();
  await scenario.run(workspaceId, ({ rounds }) => rounds === 1);
  const thaw = await freezeWorker(scenario.events, workspaceId);
  await dispatchUntilMoved(scenario);
  thaw();
  scenario.hold(() => false);
  await scenario.drain();
  await scenario.cloud.idle();
  expect((await endsOf(scenario)).at(-1)).toBe("completed: ok");
  expect(scenario.asked()).toHaveLength(4);
  expect(await answers(scenario, workspaceId)).toHaveLength(1);
});
