import { expect, test } from "vitest";
import { isMetricLine } from "../../cli/parse-log-line.ts";
import { eventuallyTrue } from "../support/eventually.ts";
import { operatorOf } from "../support/here-cli.ts";
import { held } from "../support/hold.ts";
import { idOf } from "../support/scenario-template.ts";
import { send } from "../support/send.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

async function startGenerating(scenario: Scenario): Promise<string> {
  const workspaceId = scenario.queue(`Plan a launch. ${held}`);
  await scenario.cycle();
  await scenario.run(workspaceId, ({ responseIds }) => responseIds.length > 0);
  return workspaceId;
}

/** Runs the command as an operator called ada. */
async function cancel(scenario: Scenario, job: string): Promise<void> {
  const operator = await operatorOf(scenario);
  const { code, stderr } = await operator(["cancel", job, "--why", "the wrong file", "--local"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
}

/** What a cancelled job leaves behind in Studio, in the run store and in the metrics. */
async function expectCancelled(scenario: Scenario, workspaceId: string): Promise<void> {
  const failure = "This job was cancelled by ada: the wrong file.";
  expect(scenario.summary(workspaceId)).toMatchObject({ state: "failed", failure });
  expect(scenario.posts(workspaceId)).toEqual(["/failWorkspaceJob"]);
  const ending = { state: "failed", reason: "cancelled", explanation: failure };
  expect(await scenario.run(workspaceId, () => true)).toMatchObject({ ...ending, cancelled: { by: "ada" } });
  const failed = scenario.events.flatMap((one) =>
    one.kind === "log" && isMetricLine(one.line) && one.line.includes('"RunsFailed"')
      ? [(JSON.parse(one.line) as { reason: string }).reason]
      : [],
  );
  expect(failed).toEqual(["cancelled"]);
}

test.concurrent("a run that is cancelled during a generation asks the model nothing more, and its job can be retried", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({ leaseMs: 12_000 }, onTestFinished);
  const { studio, model } = scenario;
  const workspaceId = await startGenerating(scenario);

  await cancel(scenario, workspaceId);
  await scenario.ended(workspaceId);
  await scenario.cloud.idle();

  expect(scenario.asked()).toHaveLength(1);
  const { responseIds } = await scenario.run(workspaceId, () => true);
  const cancellations = model.requests().filter(({ path }) => path.endsWith("/cancel"));
  expect(cancellations.map(({ path }) => path)).toEqual([`/v1/responses/${responseIds[0]}/cancel`]);
  expect(await scenario.responseStatus(responseIds[0]!)).toBe("cancelled");
  await expectCancelled(scenario, workspaceId);

  scenario.hold(() => false);
  expect((await send("POST", `${studio.url}/api/workspaces/${workspaceId}/retry`, { body: {} })).status).toBe(
    201,
  );
  await scenario.drain();
  expect(scenario.summary(workspaceId)).toMatchObject({ state: "completed", failure: null });
});

test.concurrent("a streamed generation is aborted when its run is cancelled", async ({ onTestFinished }) => {
  const variables = { OPENAI_MODE: "streaming" };
  const scenario = await startScenario({ leaseMs: 12_000, variables }, onTestFinished);
  const workspaceId = await startGenerating(scenario);

  await cancel(scenario, workspaceId);
  await eventuallyTrue("the request is aborted", () => scenario.model.requests()[0]?.aborted === true);
  await scenario.ended(workspaceId);

  expect(scenario.asked()).toHaveLength(1);
  await expectCancelled(scenario, workspaceId);
});

test.concurrent("a run that is cancelled before its attempt starts never asks the model", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({}, onTestFinished);
  scenario.cloud.faults.dropEvent(1);
  const workspaceId = scenario.queue("Plan a launch.");
  await scenario.cycle();
  const { runId } = await scenario.run(workspaceId, ({ state }) => state === "leased");

  await cancel(scenario, runId);
  await scenario.cloud.invoke(
    idOf("ProcessorRunner"),
    { pool: "local", runId, attempt: 1 },
    { type: "Event" },
  );
  await scenario.ended(workspaceId);

  expect(scenario.asked()).toEqual([]);
  await expectCancelled(scenario, workspaceId);
});

test.concurrent("a cancelled run whose processor is killed is not restarted", async ({ onTestFinished }) => {
  const scenario = await startScenario({}, onTestFinished);
  const workspaceId = await startGenerating(scenario);

  await cancel(scenario, workspaceId);
  await scenario.kill(workspaceId);
  await scenario.ended(workspaceId);
  await scenario.cloud.idle();

  expect(scenario.lines("attempt_started")).toHaveLength(1);
  expect(scenario.asked()).toHaveLength(1);
  await expectCancelled(scenario, workspaceId);
});
