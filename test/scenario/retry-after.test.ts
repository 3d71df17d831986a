import { expect, test } from "vitest";
import { eventually, eventuallyTrue } from "../support/eventually.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

const tooMany = (retryAfter: string) =>
  ({ kind: "status", status: 429, headers: { "retry-after": retryAfter } }) as const;
const threeMinutesMs = 180_000;

/** Between one and the next. */
const gaps = (atMs: readonly number[]): readonly number[] =>
  atMs.slice(1).map((at, index) => at - atMs[index]!);

const refusedRounds = (scenario: Scenario): readonly number[] =>
  scenario.asked().flatMap(({ status, at }) => (status === 429 ? [at] : []));

const completions = ({ studio }: Scenario): readonly number[] =>
  studio.requests().flatMap(({ path, at }) => (path === "/completeWorkspaceJob" ? [at] : []));

const leaseCalls = ({ studio }: Scenario): number =>
  studio.requests().filter(({ path }) => path === "/leaseWorkspaceJob").length;

test.concurrent("Retry-After: 0 from the model, then from Studio: each is asked ever more seldom, and the job completes", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({}, onTestFinished);
  const { model, studio } = scenario;
  model.faults.add({ route: "POST /v1/responses", fault: tooMany("0") });
  const workspaceId = scenario.queue("Plan a launch. [[rounds:1]]");
  await scenario.window();
  await eventuallyTrue("three rounds are refused", () => refusedRounds(scenario).length >= 3);
  studio.faults.add({ route: "/completeWorkspaceJob", fault: tooMany("0") });
  model.faults.clear();
  await eventuallyTrue("three completions are refused", () => completions(scenario).length >= 3);
  studio.faults.clear();
  await scenario.drain();

  const [round1, round2] = gaps(refusedRounds(scenario));
  expect(round1).toBeGreaterThanOrEqual(490);
  expect(round2).toBeGreaterThanOrEqual(990);
  const [completion1, completion2] = gaps(completions(scenario));
  expect(completion1).toBeGreaterThanOrEqual(240);
  expect(completion2).toBeGreaterThanOrEqual(490);
  expect(scenario.summary(workspaceId)).toMatchObject({ state: "completed", leases: 1 });
});

test.concurrent("an epoch time as Retry-After holds the pool back for minutes, not for decades", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({}, onTestFinished);
  const epochSeconds = String(Math.round(Date.now() / 1_000));
  const backoffRow = () => scenario.table.get({ pool: "local", id: "backoff" });
  scenario.studio.faults.add({ route: "/leaseWorkspaceJob", times: 1, fault: tooMany(epochSeconds) });
  scenario.queue("Plan a launch. [[rounds:1]]");

  expect((await scenario.window()).summary).toMatchObject({ reason: "rate_limited", leased: 0 });
  expect((await scenario.window()).summary).toMatchObject({ reason: "rate_limited", leased: 0 });
  expect(leaseCalls(scenario)).toBe(1);
  const row = await eventually("the back-off", backoffRow);
  expect(row["studioUntilMs"]).toBeLessThanOrEqual(Date.now() + threeMinutesMs);
});
