import { expect, test } from "vitest";
import { closedPort } from "../support/free-port.ts";
import { eventuallyTrue } from "../support/eventually.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

/** Long enough for every run to learn of it, and for a cycle or two on a busy machine. */
const askedSeconds = 6;
const headers = { "retry-after": String(askedSeconds) };

const leaseCalls = ({ studio }: Scenario): readonly number[] =>
  studio.requests().flatMap(({ path, at }) => (path === "/leaseWorkspaceJob" ? [at] : []));

test.concurrent("after a 429 from the model, no run of the pool requests a round and no job is leased until the wait is over", async ({
  onTestFinished,
}) => {
  // A run reads the pool's row once a second, long before its end.
  const scenario = await startScenario({ turnMs: 250 }, onTestFinished);
  const workspaceIds = [1, 2, 3].map((number) => scenario.queue(`Plan launch ${number}. [[rounds:9]]`));
  await scenario.cycle();
  await eventuallyTrue("all are at work", () => scenario.asked().length >= 6);
  scenario.model.faults.add({
    route: "POST /v1/responses",
    times: 1,
    fault: { kind: "status", status: 429, headers },
  });
  await eventuallyTrue("one is refused", () => scenario.asked().some(({ status }) => status === 429));
  const refusedAtMs = scenario.asked().find(({ status }) => status === 429)!.at;
  await eventuallyTrue("the others know", () => scenario.lines("pool_held_back").length === 2);
  const askedBefore = scenario.asked().length;
  const leaseCallsBefore = leaseCalls(scenario).length;
  expect((await scenario.cycle()).summary).toMatchObject({ reason: "model_rate_limited", leased: 0 });
  expect(leaseCalls(scenario)).toHaveLength(leaseCallsBefore);
  await scenario.drain();

  const askedSince = scenario.asked().slice(askedBefore);
  expect(askedSince.length).toBeGreaterThan(3);
  expect(askedSince.filter(({ at }) => at - refusedAtMs < askedSeconds * 1_000)).toEqual([]);
  expect(workspaceIds.map((id) => scenario.summary(id))).toMatchObject(
    workspaceIds.map(() => ({ state: "completed", leases: 1 })),
  );
  // Ten rounds of each job, and the one that was refused.
  expect(scenario.asked()).toHaveLength(3 * 10 + 1);
});

test.concurrent("after a 429 from Studio on a lease call, this cycle and the next wait as long as it asked", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({}, onTestFinished);
  scenario.studio.faults.add({
    route: "/leaseWorkspaceJob",
    times: 1,
    fault: { kind: "status", status: 429, headers },
  });
  const workspaceId = scenario.queue("Plan a launch. [[rounds:1]]");

  expect((await scenario.cycle()).summary).toMatchObject({ reason: "rate_limited", polls: 1, leased: 0 });
  expect((await scenario.cycle()).summary).toMatchObject({ reason: "rate_limited", polls: 1, leased: 0 });
  expect(leaseCalls(scenario)).toHaveLength(1);
  await scenario.drain();

  const [refusedAtMs, nextAtMs] = leaseCalls(scenario);
  expect(nextAtMs! - refusedAtMs!).toBeGreaterThanOrEqual(askedSeconds * 1_000);
  expect(scenario.summary(workspaceId)).toMatchObject({ state: "completed", leases: 1 });
});

test.concurrent("while DynamoDB is out of reach nothing is leased, and the alarm fires", async ({
  onTestFinished,
}) => {
  const nowhere = `http://127.0.0.1:${await closedPort()}`;
  const scenario = await startScenario({ variables: { AWS_ENDPOINT_URL_DYNAMODB: nowhere } }, onTestFinished);
  const workspaceId = scenario.queue("Plan a launch.");

  const { error } = await scenario.cycle();

  expect(error).toMatchObject({
    errorType: "RunnerError",
    errorMessage: expect.stringContaining("the run store did not answer"),
  });
  expect(scenario.lines("cycle_ended")).toMatchObject([
    { level: "ERROR", reason: "run_store_unavailable", leased: 0 },
  ]);
  expect(scenario.studio.requests()).toEqual([]);
  expect(scenario.summary(workspaceId)).toMatchObject({ state: "queued", leases: 0 });
});
