import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { eventuallyTrue } from "../support/eventually.ts";
import { commandLineOf, descendantsOf, environmentOf } from "../support/processes.ts";
import { idOf } from "../support/scenario-template.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

/** Jobs of every sort of ending, with servers that repeat the keys in their own words. */
async function makeTrouble(scenario: Scenario): Promise<void> {
  const { studio, model, cloud } = scenario;
  const { runnerKey, modelKey } = scenario.secrets();
  const echo = (key: string) => ({ error: { message: `You sent Bearer ${key}`, code: "odd", echo: key } });

  scenario.queue("Plan a launch. [[slow:300]]");
  await scenario.drain();
  scenario.queue("Plan a launch. [[refuse]]");
  await scenario.drain();

  model.faults.add({ times: 1, fault: { kind: "status", status: 400, body: echo(modelKey) } });
  scenario.queue("Plan a launch.");
  await scenario.drain();
  model.faults.add({ times: 1, fault: { kind: "status", status: 500, body: echo(modelKey) } });
  scenario.queue("Plan a launch.");
  await scenario.drain();

  const refusal = { kind: "status", status: 400, body: { error: `odd key ${runnerKey}` } } as const;
  // Also as it comes back mended.
  studio.faults.add({ route: "/completeWorkspaceJob", times: 2, fault: refusal });
  scenario.queue("Plan a launch.");
  await scenario.drain();
  studio.faults.add({ route: "/leaseWorkspaceJob", times: 1, fault: refusal });
  await scenario.window();
  studio.faults.add({
    route: "/leaseWorkspaceJob",
    times: 1,
    fault: { kind: "status", status: 401, body: { error: `unknown key ${runnerKey}` } },
  });
  await scenario.window();

  // Its event goes to the dead letters; the sweep finds the run.
  const workspaceId = scenario.queue("Plan a launch. [[slow:500]]");
  await scenario.window();
  cloud.faults.kill(settler, 0);
  await scenario.kill(workspaceId);
  for (const tries of [1, 2, 3]) {
    await eventuallyTrue("the settler is killed", () => killed(scenario, settler) === tries);
    if (tries < 3) cloud.faults.kill(settler, 0);
  }
  await scenario.drain();

  // This one is settled.
  const settledId = scenario.queue("Plan a launch. [[slow:500]]");
  await scenario.window();
  await scenario.kill(settledId);
  await scenario.drain();
}

const settler = "pool-local-settler";

const killed = ({ events }: Scenario, label: string): number =>
  events.filter((one) => one.kind === "killed" && one.function === label).length;

describe("no secret is seen", () => {
  let scenario: Scenario;
  let secrets: readonly string[];

  beforeAll(async () => {
    scenario = await startScenario({ leaseMs: 6_000 });
    const { runnerKey, modelKey } = scenario.secrets();
    secrets = [runnerKey.split(".")[1]!, modelKey];
    await makeTrouble(scenario);
  });
  afterAll(() => scenario.close());

  function expectNoSecretIn(text: string): void {
    for (const secret of secrets) expect(text.includes(secret)).toBe(false);
  }

  test("in what is looked at here, if it were there", () => {
    expect(secrets.map((secret) => secret.length >= 32)).toEqual([true, true]);
    const reasons = scenario.lines("run_ended").map(({ reason }) => reason);
    expect(reasons).toEqual(["ok", "model_refused", "model_rejected", "ok", "studio_rejected", "ok", "ok"]);
    const windows = scenario.lines("window_ended").map(({ reason }) => reason);
    expect(windows).toContain("studio_rejected");
    expect(windows).toContain("key_refused");
  });

  test("in a log line, an error or an event of the cloud", () => {
    expectNoSecretIn(JSON.stringify(scenario.events));
  });

  test("in the event of a leg, as the dead letters have it", () => {
    const messages = scenario.cloud.queue(idOf("SettlerDeadLetters")).receive();
    expect(messages).toHaveLength(1);
    expect(JSON.stringify(messages)).toContain("runId");
    expectNoSecretIn(JSON.stringify(messages));
  });

  test("in the ledger", async () => {
    const rows = await scenario.table.query({ where: { text: "#pool = :pool", values: { pool: "local" } } });
    expect(rows.length).toBeGreaterThanOrEqual(7);
    expectNoSecretIn(JSON.stringify(rows));
  });

  test("in what Studio's user reads", async () => {
    for (const { workspaceId } of scenario.studio.snapshot())
      expectNoSecretIn(JSON.stringify(await scenario.detail(workspaceId)));
  });

  test("in the template", () => {
    expectNoSecretIn(readFileSync(inject("templateFile"), "utf8"));
  });

  test("in the command line or the environment of a process", () => {
    const pids = descendantsOf(process.pid);
    const titles = pids.map(commandLineOf);
    expect(titles).toContain("studio-runner pool-local-dispatcher");
    expect(titles).toContain("studio-runner pool-local-processor");
    expect(titles).toContain("studio-runner pool-local-settler");
    expect(titles).toContain("studio-runner dynamodb");
    const environments = pids.flatMap(environmentOf);
    expect(environments).toContain(`RUNNER_API_BASE=${scenario.studio.url}`);
    expectNoSecretIn([...titles, ...environments].join("\n"));
  });
});
