import { expect, test } from "vitest";
import { eventually, eventuallyTrue } from "../support/eventually.ts";
import { operatorOf } from "../support/here-cli.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

const tooMany = (retryAfter: string) =>
  ({ kind: "status", status: 429, headers: { "retry-after": retryAfter } }) as const;
const threeMinutesMs = 180_000;

/** Differences between consecutive times. */
const gaps = (atMs: readonly number[]): readonly number[] =>
  atMs.slice(1).map((at, index) => at - atMs[index]!);

const refusedRounds = (scenario: Scenario): readonly number[] =>
  scenario.asked().flatMap(({ status, at }) => (status === 429 ? [at] : []));

const completions = ({ studio }: Scenario): readonly number[] =>
  studio.requests().flatMap(({ path, at }) => (path === "/completeWorkspaceJob" ? [at] : []));

/** A field of the pool's back-off row, once the row exists. */
const untilMs = ({ table }: Scenario, name: "modelUntilMs" | "studioUntilMs"): Promise<unknown> =>
  eventually(`the row's ${name}`, async () => (await table.get({ pool: "local", id: "backoff" }))?.[name]);

const leaseCalls = ({ studio }: Scenario): number =>
  studio.requests().filter(({ path }) => path === "/leaseWorkspaceJob").length;

test.concurrent("with Retry-After 0 from the model and then from Studio, the pauses between calls grow and the job completes", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({}, onTestFinished);
  const { model, studio } = scenario;
  model.faults.add({ route: "POST /v1/responses", fault: tooMany("0") });
  const workspaceId = scenario.queue("Plan a launch. [[rounds:1]]");
  await scenario.cycle();
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

test.concurrent("with an epoch time as Retry-After, the pool waits for minutes and not decades, and an operator can see and end the wait", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({}, onTestFinished);
  const cli = await operatorOf(scenario);
  const epoch = tooMany(String(Math.round(Date.now() / 1_000)));
  scenario.studio.faults.add({ route: "/leaseWorkspaceJob", times: 1, fault: epoch });
  scenario.model.faults.add({ route: "POST /v1/responses", times: 1, fault: epoch });
  const workspaceId = scenario.queue("Plan a launch. [[rounds:1]]");

  expect((await scenario.cycle()).summary).toMatchObject({ reason: "rate_limited", leased: 0 });
  expect((await scenario.cycle()).summary).toMatchObject({ reason: "rate_limited", leased: 0 });
  expect(leaseCalls(scenario)).toBe(1);
  expect(await untilMs(scenario, "studioUntilMs")).toBeLessThanOrEqual(Date.now() + threeMinutesMs);
  expect((await cli(["status", "--local"])).stdout).toMatch(
    /Back-off\s+until \d\d:\d\d:\d\d UTC, as Studio asked; clear-backoff ends it/,
  );
  expect((await cli(["clear-backoff", "--local"])).stdout).toMatch(
    /^Pool local had to wait until .*, as Studio asked/,
  );

  expect((await scenario.cycle()).summary).toMatchObject({ reason: "leased", leased: 1 });
  expect(await untilMs(scenario, "modelUntilMs")).toBeLessThanOrEqual(Date.now() + threeMinutesMs);
  expect((await scenario.cycle()).summary).toMatchObject({ reason: "model_rate_limited", leased: 0 });
  expect(scenario.asked()).toHaveLength(1);
  expect((await cli(["clear-backoff", "--local"])).stdout).toMatch(
    /^Pool local had to wait until .*, as the model asked/,
  );
  // The refused attempt waits until its end. The next one asks at once.
  await scenario.kill(workspaceId);
  await scenario.drain();
  expect(scenario.summary(workspaceId)).toMatchObject({ state: "completed", leases: 1 });
  // The refused one, a tool round and the message.
  expect(scenario.asked()).toHaveLength(3);
});
