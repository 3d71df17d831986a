import { afterEach, expect, test } from "vitest";
import { closedPort } from "../support/free-port.ts";
import { idOf } from "../support/scenario-template.ts";
import { startScenario, type Scenario, type CycleResult } from "../support/stack.ts";

let scenario: Scenario | undefined;
afterEach(() => scenario?.close());

/**
 * Expects what every cycle must leave behind that could not look for work: an alarm, a line that says why,
 * and the job.
 */
function expectRefusal(started: Scenario, result: CycleResult, reason: string): string {
  const [line, ...more] = started.lines("cycle_ended");
  expect(more).toEqual([]);
  expect(line).toMatchObject({ level: "ERROR", reason, leased: 0 });
  expect(result.error).toMatchObject({ errorType: "RunnerError" });
  expect(started.metric("Cycles")).toBe(1);
  expect(started.studio.snapshot().map(({ state, leases }) => ({ state, leases }))).toEqual([
    { state: "queued", leases: 0 },
  ]);
  expect(started.events.filter(({ kind }) => kind === "error")).toHaveLength(1);
  return result.error!.errorMessage;
}

test("a malformed runner key is reported without any part of it", async () => {
  scenario = await startScenario();
  scenario.putSecret("Keys", "Bearer cred_1234.hunter2");
  scenario.queue("Plan a launch.");
  const said = expectRefusal(scenario, await scenario.cycle(), "secret_malformed");
  expect(said).toMatch(/^the secret "arn:aws:secretsmanager:.*" starts with "Bearer"; store the key alone$/);
  expect(JSON.stringify(scenario.events)).not.toContain("hunter2");
  expect(scenario.studio.requests()).toEqual([]);
});

test("a revoked runner key is refused, and the job stays in the queue", async () => {
  scenario = await startScenario();
  const key = scenario.studio.createKey("user");
  scenario.putSecret("Keys", key.runnerToken);
  scenario.studio.revokeKey(key.instanceId);
  scenario.queue("Plan a launch.");
  const said = expectRefusal(scenario, await scenario.cycle(), "key_refused");
  expect(said).toContain("Studio refused the runner key (revoked, or not a key of this Studio)");
});

test("the next cycle uses a key that replaced a revoked one in the secret", async () => {
  scenario = await startScenario();
  const { studio } = scenario;
  const [old, fresh] = [studio.createKey("user"), studio.createKey("user")];
  scenario.putSecret("Keys", old.runnerToken);
  expect((await scenario.cycle()).summary).toMatchObject({ reason: "empty" });
  studio.revokeKey(old.instanceId);
  scenario.putSecret("Keys", fresh.runnerToken);
  const workspaceId = scenario.queue("Plan a launch.");
  await scenario.drain();
  expect(scenario.summary(workspaceId).state).toBe("completed");
});

test("an unreachable Studio is reported with its address and what to check", async () => {
  const address = `http://127.0.0.1:${await closedPort()}`;
  scenario = await startScenario({ variables: { RUNNER_API_BASE: address } });
  scenario.queue("Plan a launch.");
  const said = expectRefusal(scenario, await scenario.cycle(), "studio_unavailable");
  expect(said).toBe(
    `Studio at ${address} could not be reached: ECONNREFUSED, check the address and that Studio is running there (POST /leaseWorkspaceJob)`,
  );
});

test("a proxy's page with status 200 is reported as a broken contract, never as an empty queue", async () => {
  scenario = await startScenario();
  scenario.studio.faults.add({ route: "/leaseWorkspaceJob", fault: { kind: "html", status: 200 } });
  scenario.queue("Plan a launch.");
  const said = expectRefusal(scenario, await scenario.cycle(), "studio_contract");
  expect(said).toContain("POST /leaseWorkspaceJob");
  expect(said).toContain("in the place of JSON");
});

test("a lease answer of the wrong shape is reported as a broken contract, never as an empty queue", async () => {
  scenario = await startScenario();
  const body = { leased: true, leaseExpiresAt: Date.now() + 600_000 };
  scenario.studio.faults.add({ route: "/leaseWorkspaceJob", fault: { kind: "status", status: 200, body } });
  scenario.queue("Plan a launch.");
  const said = expectRefusal(scenario, await scenario.cycle(), "studio_contract");
  expect(said).toContain("workspaceId");
});

test("a secret without a value is reported as such", async () => {
  scenario = await startScenario();
  scenario.cloud.clearSecret(idOf("KeysSecret"));
  scenario.queue("Plan a launch.");
  const said = expectRefusal(scenario, await scenario.cycle(), "secret_missing");
  expect(said).toMatch(
    /^the secret "arn:aws:secretsmanager:.*" has no value, or does not exist in this account and region; set it: aws /,
  );
  expect(scenario.studio.requests()).toEqual([]);
});

test("a refused model key fails the job with a reason that mentions the key and never shows it", async () => {
  scenario = await startScenario();
  scenario.putSecret("ModelKey", "sk-not-accepted-0123456789");
  const workspaceId = scenario.queue("Plan a launch.");
  await scenario.drain();
  expect(scenario.summary(workspaceId)).toMatchObject({
    state: "failed",
    failure:
      "The model provider refused the runner's key. The operator of this runner has to set a valid key.",
  });
  expect(scenario.lines("run_ended")).toMatchObject([{ state: "failed", reason: "model_key_refused" }]);
  expect(scenario.metric("RunsFailed")).toBe(1);
  expect(JSON.stringify(scenario.events)).not.toContain("not-accepted");
});

test("a model key without a value fails the job with a reason that says so", async () => {
  scenario = await startScenario();
  scenario.cloud.clearSecret(idOf("ModelKeySecret"));
  const workspaceId = scenario.queue("Plan a launch.");
  await scenario.drain();
  expect(scenario.summary(workspaceId)).toMatchObject({
    state: "failed",
    failure: "The runner has no key for the model yet. The operator of this runner has to set it.",
  });
  expect(scenario.lines("run_ended")).toMatchObject([{ reason: "secret_missing" }]);
});
