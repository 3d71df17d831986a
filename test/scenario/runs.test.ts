import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { RunDetail, RunRow, RunsView, StepView } from "../../local/runs/view.ts";
import type { WorkspaceDetail } from "../../local/studio/page-api.ts";
import { operatorOf } from "../support/here-cli.ts";
import { held } from "../support/hold.ts";
import { send } from "../support/send.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

interface Story {
  readonly runs: readonly { readonly runId: string; readonly steps: readonly StepView[] }[];
}

test("a run and its timeline are still there after the stack is started again", async ({
  onTestFinished,
}) => {
  const stateDir = mkdtempSync(join(tmpdir(), "studio-runner-restarted-"));
  onTestFinished(() => rmSync(stateDir, { recursive: true }));
  const timelineIn = async ({ studio }: Scenario): Promise<RunDetail> => {
    const get = async (path: string): Promise<unknown> =>
      (await fetch(`${studio.url}/api/runs${path}`)).json();
    const { runs } = (await get("?state=completed")) as RunsView;
    return (await get(`/${runs[0]?.runId}`)) as RunDetail;
  };
  const first = await startScenario({ stateDir });
  const workspaceId = first.queue("Plan a launch. [[rounds:1]]");
  await first.drain();
  await first.ended(workspaceId);
  const before = await timelineIn(first);
  await first.close();
  const second = await startScenario({ stateDir }, onTestFinished);

  const after = await timelineIn(second);
  expect(after).toEqual(before);
  expect(after.log.length).toBeGreaterThan(0);
});

test("the pages follow a job in the words of explain, and cancel another during a generation", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({ leaseMs: 12_000 }, onTestFinished);
  const { url } = scenario.studio;
  const get = async <T>(path: string): Promise<T> => (await (await fetch(`${url}${path}`)).json()) as T;
  const compose = async (text: string, title?: string): Promise<string> => {
    const answer = await send("POST", `${url}/api/workspaces`, { body: { text, title } });
    return ((await answer.json()) as WorkspaceDetail).workspaceId;
  };

  const planned = await compose("Plan a launch. [[rounds:1]]", "The launch");
  await scenario.drain();
  await scenario.ended(planned);
  const { runs, next } = await get<RunsView>("/api/runs?q=LAUNCH&state=completed");
  expect({ runs, next }).toMatchObject({
    runs: [{ workspaceId: planned, title: "The launch", attempts: 1, isInvented: true, progress: null }],
    next: null,
  });
  const run = await get<RunDetail>(`/api/runs/${runs[0]!.runId}`);
  expect(run.phases.map(({ kind, round }) => (round === null ? kind : `${kind} ${round}`))).toEqual([
    "queue",
    "start",
    "context",
    ...Array.from({ length: run.rounds }, (_, at) => `round ${at + 1}`),
    "delivery",
  ]);
  expect(run.log.length).toBeGreaterThan(0);

  const operator = await operatorOf(scenario);
  const told = await operator(["explain", planned, "--local", "--json"]);
  expect(run.steps).toEqual((JSON.parse(told.stdout) as Story).runs[0]?.steps);

  const endless = await compose(`Plan forever. ${held}`);
  await scenario.cycle();
  await scenario.run(endless, ({ responseIds }) => responseIds.length > 0);
  const [working] = await get<readonly RunRow[]>(`/api/workspaces/${endless}/runs`);
  expect(working).toMatchObject({
    title: scenario.studio.nameOf(endless),
    state: "running",
    progress: "Round 1: the model is writing",
  });
  expect(await get<RunsView>("/api/runs?q=plan forever")).toMatchObject({ runs: [{ workspaceId: endless }] });
  const answer = await send("POST", `${url}/api/runs/${working!.runId}/cancel`, { body: {} });
  expect(await answer.json()).toEqual({ sentence: expect.stringContaining("stops at its next heartbeat") });
  await scenario.ended(endless);

  const cancelled = await get<RunDetail>(`/api/runs/${working!.runId}`);
  expect(cancelled).toMatchObject({ state: "failed", reason: "cancelled", progress: null });
  expect(cancelled.steps.map(({ what }) => what)).toContain(`cancelled by ${cancelled.cancelledBy}`);
  expect(scenario.summary(endless).failure).toBe(`This job was cancelled by ${cancelled.cancelledBy}.`);
});
