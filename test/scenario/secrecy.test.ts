import { copyFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commands } from "../../cli/commands.ts";
import { buildStack } from "../../local/build.ts";
import { accountOf } from "../support/aws.ts";
import { buildWith } from "../support/build-with.ts";
import { operatorOf, type HereCli } from "../support/here-cli.ts";
import { commandLineOf, descendantsOf, environmentOf } from "../support/processes.ts";
import { killWithRecovery } from "../support/kill-recovery.ts";
import { rotateByLambda } from "../support/rotate-by-lambda.ts";
import { idOf } from "../support/scenario-template.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

/** Values that look like keys but are not, as a person may paste them in the wrong place. */
const canaries = {
  unknownKey: "cred_canary0000000000000.CANARYunknownRunnerKey0000000000000000000000",
  malformedKey: "CANARYmalformedRunnerKey000000000000000000",
  unknownModelKey: "sk-proj-CANARYunknownModelKey00000000000000000000",
  unknownAccount: JSON.stringify({ refreshToken: "CANARYunknownRefreshToken0000000000", apiKey: "web" }),
  malformedAccount: '{"refreshToken":"CANARYmalformedAccount00000000000"',
  argument: "sk-proj-CANARYgivenAsAnArgument0000000000000000000",
} as const;
const canaryParts = Object.values(canaries).map((text) => /CANARY\w+/.exec(text)![0]);

/** Runs jobs with every kind of ending, while servers repeat the keys in their answers. */
async function makeFailure(scenario: Scenario): Promise<void> {
  const { studio, model } = scenario;
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
  // Refused again after the model's correction.
  studio.faults.add({ route: "/completeWorkspaceJob", times: 2, fault: refusal });
  scenario.queue("Plan a launch.");
  await scenario.drain();
  studio.faults.add({ route: "/leaseWorkspaceJob", times: 1, fault: refusal });
  await scenario.cycle();
  studio.faults.add({
    route: "/leaseWorkspaceJob",
    times: 1,
    fault: { kind: "status", status: 401, body: { error: `unknown key ${runnerKey}` } },
  });
  await scenario.cycle();

  // Its event goes to the dead letters, and the reaper finds the run.
  const workspaceId = scenario.queue("Plan a launch. [[slow:500]]");
  await scenario.cycle();
  await killWithRecovery(scenario, workspaceId);
  await scenario.drain();

  // This one is recovered.
  const settledId = scenario.queue("Plan a launch. [[slow:500]]");
  await scenario.cycle();
  await scenario.kill(settledId);
  await scenario.drain();
}

/** Uses bundles of its own, which are searched too. */
const build = buildWith(
  { monitoring: { email: "night@example.com", previewCharacters: 200 } },
  {},
  buildStack,
);

interface Answer {
  readonly line: string;
  readonly code: number | null;
  readonly expected: number;
  readonly text: string;
}

/** A command line, its expected exit code, and standard input. */
type Row = readonly [argv: readonly string[], code: number, input?: string];

/** Every command. Failing ones come after successful ones. */
const rowsFor = (scenario: Scenario, made: Made): readonly Row[] => {
  const { modelKey } = scenario.secrets();
  const { workspaceId, runId } = made;
  const account = JSON.stringify(scenario.studio.credentials);
  return [
    [["status"], 1],
    [["doctor"], 1],
    [["jobs", "--limit", "50"], 0],
    [["explain", workspaceId], 0],
    [["explain", runId], 0],
    [["logs", "--since", "1h"], 0],
    [["logs", "--function", "processor", "--job", workspaceId], 0],
    [["cancel", workspaceId], 1],
    [["pause", "--why", "a look"], 0],
    [["drain", "--timeout", "60s"], 0],
    [["resume"], 0],
    [["set-concurrency", "3"], 0],
    [["set-concurrency", "default"], 0],
    [["set-cap", "50"], 0],
    [["set-cap", "default"], 0],
    [["clear-backoff"], 0],
    [["config"], 0],
    [["cost"], 0],
    [["check-update"], 0],
    [["completion", "bash"], 0],
    [["secrets", "set", "runner-keys"], 0, made.freshKey()],
    [["secrets", "set", "model-key"], 0, modelKey],
    [["secrets", "set", "account-key"], 0, account],
    [["rotate", "--watch", "1s"], 0, made.freshKey()],
    [["rotate", "--mint", "--watch", "1s"], 0],
    [["rotate", "--finish", "--timeout", "60s", "--unused-for", "1s"], 0],
    [["redrive", "--dry-run"], 1],
    [["redrive", "--yes"], 0],
    [["init", "--yes", "--cap", "20", "--force"], 0],

    [["init"], 2],
    [["deploy"], 2],
    [["destroy"], 2],
    [["explain", "nobody"], 3],
    [["status", "--stack", "Elsewhere"], 3],
    [["secrets", "set", "runner-keys"], 2, canaries.malformedKey],
    [["secrets", "set", "runner-keys"], 1, canaries.unknownKey],
    [["secrets", "set", "runner-keys", canaries.argument], 2],
    [["secrets", "set", canaries.argument], 2],
    [["secrets", "set", "model-key"], 1, canaries.unknownModelKey],
    [["secrets", "set", "model-key", canaries.argument], 2],
    [["secrets", "set", "model-key", `--value=${canaries.argument}`], 2],
    [["secrets", "set", "account-key"], 2, canaries.malformedAccount],
    [["secrets", "set", "account-key"], 1, canaries.unknownAccount],
    [["rotate", canaries.argument], 2],
    [["rotate", "--watch", "1s"], 2, canaries.malformedKey],
    [["rotate", "--watch", "1s"], 1, canaries.unknownKey],
    [["status", `--key=${canaries.argument}`], 2],
    [["status", "--key", canaries.argument], 2],
  ];
};

/** Commands that call broken servers, which repeat `sent`, the secret that they received. */
const echoRows = (
  scenario: Scenario,
  made: Made,
): readonly { readonly sent: string; readonly row: Row }[] => {
  const { runnerKey, modelKey } = scenario.secrets();
  const [present = ""] = /cred_\w+\.[\w-]+/.exec(runnerKey) ?? [];
  const [stored, rotated] = [made.freshKey(), made.freshKey()];
  const accountToken = scenario.madeSecrets.at(-1) ?? "";
  return [
    { sent: present, row: [["doctor"], 1] },
    { sent: stored, row: [["secrets", "set", "runner-keys"], 5, stored] },
    { sent: modelKey, row: [["secrets", "set", "model-key"], 5, modelKey] },
    { sent: rotated, row: [["rotate", "--watch", "1s"], 5, rotated] },
    { sent: accountToken, row: [["rotate", "--mint"], 5] },
  ];
};

function repeatSecret({ studio, model }: Scenario, sent: string): void {
  const body = { error: { message: `You sent Bearer ${sent}`, code: sent } };
  studio.faults.add({ fault: { kind: "status", status: 500, body } });
  model.faults.add({ fault: { kind: "status", status: 400, body } });
}

interface Made {
  readonly workspaceId: string;
  readonly runId: string;
  /** A new key from Studio, recorded so that the test searches for it. */
  freshKey(): string;
}

/** The secret half of every key in a runner secret's value. */
const halvesOf = (value: string): readonly string[] =>
  [...value.matchAll(/cred_\w+\.([\w-]+)/g)].map(([, half]) => half!);

describe("no secret can be found", () => {
  let scenario: Scenario;
  let made: Made;
  const secrets = new Set<string>(canaryParts);
  const answers: Answer[] = [];
  let deadLetters: readonly string[] = [];
  const root = resolve(import.meta.dirname, "../..");

  const collect = (): void => {
    const { runnerKey, modelKey, refreshToken } = scenario.secrets();
    for (const secret of [...halvesOf(runnerKey), modelKey, refreshToken]) secrets.add(secret);
  };

  async function operate(): Promise<void> {
    const projectRoot = join(scenario.stateDir, "project");
    mkdirSync(projectRoot);
    for (const name of ["cdk.json", "package.json"]) copyFileSync(join(root, name), join(projectRoot, name));
    const cli = await operatorOf(scenario, projectRoot);
    const queue = scenario.cloud.queue(idOf("RecoveryDeadLetters"));
    deadLetters = queue.receive();
    for (const json of [[], ["--json"]]) {
      for (const body of deadLetters) queue.send(body);
      for (const row of rowsFor(scenario, made)) await runRow(cli, row, json);
      for (const { sent, row } of echoRows(scenario, made)) {
        repeatSecret(scenario, sent);
        await runRow(cli, row, json);
        scenario.studio.faults.clear();
        scenario.model.faults.clear();
      }
    }
  }

  async function runRow(cli: HereCli, [argv, expected, input]: Row, json: readonly string[]): Promise<void> {
    // The successful `init` does not run on the local stack.
    const local = argv[0] === "init" && expected === 0 ? [] : ["--local"];
    const line = [...argv, ...local, ...json];
    const { code, stdout, stderr } = await cli(line, input);
    answers.push({ line: line.join(" "), code, expected, text: `${stdout}\n${stderr}` });
    collect();
  }

  beforeAll(async () => {
    const variables = { RUNNER_REVOKE_AFTER_MS: "1000" };
    scenario = await startScenario({ leaseMs: 12_000, build, variables });
    const { cloud, studio } = scenario;
    for (const secret of scenario.madeSecrets) secrets.add(secret);
    collect();
    await makeFailure(scenario);
    await rotateByLambda(scenario);
    collect();
    const { workspaceId, runId } = (await scenario.runs())[0]!;
    const freshKey = (): string => {
      const { runnerToken } = studio.createKey("user");
      for (const half of halvesOf(runnerToken)) secrets.add(half);
      return runnerToken;
    };
    made = { workspaceId, runId, freshKey };
    await operate();
    cloud.evaluateAlarms(Date.now() + 60_000);
  }, 200_000);
  afterAll(() => scenario.close());

  /** Includes the forms that a header or an address contains. */
  const formsOf = (secret: string): readonly string[] => [
    secret,
    encodeURIComponent(secret),
    Buffer.from(secret).toString("base64").replace(/=+$/, ""),
  ];
  const seenIn = (text: string): readonly string[] =>
    [...secrets].filter((secret) => formsOf(secret).some((form) => text.includes(form)));
  const expectNoSecretIn = (text: string): void => expect(seenIn(text)).toEqual([]);

  test("unless a test puts it there, which the search detects", () => {
    for (const secret of secrets) expect(secret.length).toBeGreaterThanOrEqual(20);
    for (const secret of secrets) expect(seenIn(`{"authorization":"Bearer ${secret}"}`)).toEqual([secret]);
    // From the start, the rotation, and two rounds of commands with three keys each, of which two are created
    // here.
    expect(secrets.size).toBeGreaterThanOrEqual(canaryParts.length + 3 + 1 + 6);
    const reasons = scenario.lines("run_ended").map(({ reason }) => reason);
    expect(reasons.slice(0, 7)).toEqual([
      "ok",
      "model_refused",
      "model_rejected",
      "ok",
      "studio_rejected",
      "ok",
      "ok",
    ]);
    const cycles = scenario.lines("cycle_ended").map(({ reason }) => reason);
    expect(cycles).toContain("studio_rejected");
    expect(cycles).toContain("key_refused");
  });

  test("in a log line, an error or an event of the cloud, including the rotation's", () => {
    expect(scenario.events.filter(({ kind }) => kind === "rotation").length).toBeGreaterThanOrEqual(5);
    expectNoSecretIn(JSON.stringify(scenario.events));
  });

  test("in any output of a command, as text or JSON, for success or failure", () => {
    expect(answers.filter(({ code, expected }) => code !== expected)).toEqual([]);
    const isUsed = (name: string): boolean =>
      answers.some(({ line, code }) => line.startsWith(`${name} `) && code !== null);
    expect(commands.map(({ name }) => name).filter((name) => !isUsed(name))).toEqual([]);
    const telling = answers.filter(({ text }) => seenIn(text).length > 0);
    expect(telling).toEqual([]);
  });

  test("in the event of an attempt in the dead-letter queue", () => {
    expect(deadLetters).toHaveLength(1);
    expect(deadLetters[0]).toContain("runId");
    expectNoSecretIn(JSON.stringify(deadLetters));
  });

  test("in the run store", async () => {
    const client = new DynamoDBClient(accountOf(scenario.cloud));
    const { Items = [] } = await client.send(
      new ScanCommand({ TableName: scenario.cloud.tableName(idOf("RunStoreTable")) }),
    );
    client.destroy();
    const ids = Items.map(({ id }) => id?.S?.split("#")[0]);
    for (const kind of ["run", "rotation", "control", "lock", "spend"]) expect(ids).toContain(kind);
    expectNoSecretIn(JSON.stringify(Items));
  });

  test("in metrics, alarms and messages to the alarm topic", () => {
    const { cloud } = scenario;
    const notifications = cloud.notifications();
    expect(notifications.map(({ subject }) => subject)).toContainEqual(
      expect.stringMatching(/^ALARM: .*Page/),
    );
    expect(notifications[0]?.subscribers).toEqual(["email:night@example.com"]);
    expectNoSecretIn(JSON.stringify([notifications, cloud.alarms(), cloud.metrics(), cloud.outputs()]));
  });

  test("in the dashboard", async () => {
    const { url } = scenario.studio;
    for (const path of ["/dashboard", "/api/dashboard?minutes=60", "/dashboard/runbook"]) {
      const answer = await fetch(`${url}${path}`);
      expect(answer.status).toBe(200);
      expectNoSecretIn(await answer.text());
    }
  });

  test("in what Studio's user can read", async () => {
    for (const { workspaceId } of scenario.studio.snapshot())
      expectNoSecretIn(JSON.stringify(await scenario.detail(workspaceId)));
  });

  test("in the template, its bundles, stack.json, a settings file, or any other file that was written", () => {
    const files = readdirSync(scenario.stateDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
    const names = files.map((file) => file.slice(scenario.stateDir.length + 1));
    for (const name of ["stack.json", "project/cdk.json", "cdk.out/Local.template.json", "studio.sqlite"])
      expect(names).toContain(name);
    const telling = files.filter((file) => seenIn(readFileSync(file, "latin1")).length > 0);
    expect(telling).toEqual([]);
  });

  test("in the command line or the environment of a process", () => {
    const pids = descendantsOf(process.pid);
    const titles = pids.map(commandLineOf);
    expect(titles).toContain("studio-runner pool-local-dispatcher");
    expect(titles).toContain("studio-runner pool-local-processor");
    expect(titles).toContain("studio-runner pool-local-recovery");
    expect(titles).toContain("studio-runner pool-local-rotator");
    expect(titles).toContain("studio-runner dynamodb");
    const environments = pids.flatMap(environmentOf);
    expect(environments).toContain(`RUNNER_API_BASE=${scenario.studio.url}`);
    expectNoSecretIn([...titles, ...environments].join("\n"));
  });
});
