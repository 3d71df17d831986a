import { randomUUID } from "node:crypto";
import { GetRolePolicyCommand, ListRolePoliciesCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  GetFunctionConfigurationCommand,
  InvokeCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import type { LogLine } from "../../cli/parse-log-line.ts";
import type { Run } from "../../lib/runs/run.ts";
import { rotationSteps } from "../../lib/rotation/rotation-event.ts";
import { held } from "../support/hold.ts";
import { pool, stackName, startCloud, until, type Cloud } from "./cloud.ts";

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud();
});
afterAll(() => cloud.close());

const poolSettings = {
  name: pool,
  kind: "user",
  polling: "economy",
  runLimitMinutes: 26,
  // 30 s here (emulator.py), of which an attempt works for 22.
  processor: { timeoutSeconds: 300 },
  rotation: { everyDays: 30 },
} as const;

const runner: Cloud["project"]["runner"] = (...command) => cloud.project.runner(...command);
const configurationOf = async (output: string) =>
  cloud.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: await cloud.readOutput(output) }));
const queue = (text: string): string => cloud.studio.queueJob({ text });
const isRunning = ({ state }: Run): boolean => state === "running";
const completed = async (workspaceId: string): Promise<Run> => {
  const run = await cloud.awaitRun(workspaceId, ({ endedAtMs }) => endedAtMs !== undefined);
  expect(run).toMatchObject({ state: "completed", reason: "ok" });
  return run;
};
const studioJob = (workspaceId: string) =>
  cloud.studio.jobs().findLast((job) => job.workspaceId === workspaceId);

/** Returns when a dispatch cycle that began after the call has ended for this reason. */
async function cycleEnds(reason: string): Promise<void> {
  const ended = async (): Promise<readonly LogLine[]> =>
    (await cloud.readLog("Dispatcher")).filter(({ message }) => message === "cycle_ended");
  const before = (await ended()).length;
  await until(`a cycle that ends with ${reason}`, async () =>
    (await ended()).slice(before).some((line) => line.reason === reason) ? true : undefined,
  );
}

/** The runner keys that are in use. */
async function runnerKeys(): Promise<readonly string[]> {
  const { SecretString = "" } = (await cloud.readSecret("PoolDefaultKeysSecret")) ?? {};
  return z.object({ keys: z.array(z.string()) }).parse(JSON.parse(SecretString)).keys;
}

/** Requests to the model for a round. */
const asked = (): number =>
  cloud.model.requests().filter(({ method, path }) => method === "POST" && path === "/v1/responses").length;

const kill = (run: Run): void => void process.kill(cloud.processOf(run.requestId ?? ""), "SIGKILL");

describe("a first deploy", () => {
  test("init writes the settings, doctor asks for cdk bootstrap, and that prepares the account", async () => {
    await runner("init --yes --model offline-canned");

    const remedy = "npx cdk bootstrap aws://123456789012/us-east-1";
    const bootstrap = { id: "bootstrap", outcome: "fail", remedy };
    await expect(runner("doctor --json")).rejects.toMatchObject({
      exitCode: 1,
      document: { counts: { fail: 1 }, checks: expect.arrayContaining([expect.objectContaining(bootstrap)]) },
    });
    await cloud.project.cdk(remedy.replace("npx cdk ", ""));

    expect(await cloud.readStack("CDKToolkit")).toMatchObject({ StackStatus: "CREATE_COMPLETE" });
  });

  test("deploy creates the stack with a schedule that is on, and with empty secrets", async () => {
    const price = { inputPerMillionUsd: 2, cachedInputPerMillionUsd: 0.2, outputPerMillionUsd: 10 };
    cloud.project.configure({
      studio: { baseUrl: cloud.studio.url, signInUrl: cloud.studio.url },
      inference: { model: "offline-canned", baseUrl: cloud.model.url },
      spend: { prices: { "offline-canned": price } },
      pools: [poolSettings],
    });

    await runner("deploy --yes");

    expect(await cloud.readStack()).toMatchObject({ StackStatus: "CREATE_COMPLETE" });
    expect(await cloud.readSchedule()).toMatchObject({
      State: "ENABLED",
      ScheduleExpression: "rate(1 minute)",
    });
    for (const secret of ["PoolDefaultKeysSecret", "PoolDefaultAccountSecret", "ModelKeySecret"])
      expect(await cloud.readSecret(secret)).toBeUndefined();
    await cycleEnds("secret_missing");
  });

  test("secrets set stores the keys, and the next cycle leases with them", async () => {
    const { runnerToken } = cloud.studio.createKey("user");
    const account = JSON.stringify(cloud.studio.credentials);

    await Promise.all([
      runner("secrets set runner-keys", runnerToken),
      runner("secrets set model-key", cloud.modelKey),
      runner("secrets set account-key", account),
    ]);

    expect(await runnerKeys()).toEqual([runnerToken]);
    expect(await cloud.readSecret("ModelKeySecret")).toMatchObject({ SecretString: cloud.modelKey });
    expect(await cloud.readSecret("PoolDefaultAccountSecret")).toMatchObject({ SecretString: account });
    await cycleEnds("empty");
  });

  test("doctor and status find nothing wrong, and say what AWS's API says", async () => {
    const [doctor, status] = await Promise.all([runner("doctor --json"), runner("status --json")]);

    const { State, ScheduleExpression: expression } = await cloud.readSchedule();
    expect(State).toBe("ENABLED");
    expect(await cloud.readDeadLetters()).toBe(0);
    const [key] = await runnerKeys();
    const findings = [
      { id: "schedule", finding: `on, ${expression}` },
      { id: "runner-keys", finding: `1 key: ${key?.split(".")[0]}` },
      { id: "dead-letters", finding: "none" },
    ];
    expect(doctor).toMatchObject({
      counts: { warn: 0, fail: 0 },
      checks: expect.arrayContaining(findings.map((one) => expect.objectContaining(one))),
    });
    expect(status).toMatchObject({
      deployment: (await cloud.readStack())?.StackStatus,
      pools: [{ pool, state: "on", schedule: { enabled: true, expression }, deadLetters: 0, problems: [] }],
    });
  });

  test("AWS refuses a wrong secret access key, and status says so", async () => {
    const status = runner("status --json", "", { AWS_SECRET_ACCESS_KEY: "wrong" });

    const document = { error: { code: "signature_refused" } };
    await expect(status).rejects.toMatchObject({ exitCode: 4, document });
  });
});

describe("jobs", () => {
  test("a job is leased, worked on and completed", async () => {
    const workspaceId = queue("Plan a launch");

    const run = await completed(workspaceId);

    expect(run).toMatchObject({ attempt: 1, starts: 1, rounds: 3, failures: [] });
    expect(studioJob(workspaceId)).toMatchObject({ state: "completed", leases: 1, credentialId: run.keyId });
    const log = await until("the processor's log", async () => {
      const lines = (await cloud.readLog("Processor")).filter((line) => line.runId === run.runId);
      return lines.length > 0 ? lines : undefined;
    });
    expect(log.at(-1)).toMatchObject({ message: "run_ended", state: "completed", workspaceId });
  });

  test("50 jobs are completed and no round is paid twice, although a processor is killed", async () => {
    const askedBefore = asked();
    const victim = queue(`Plan a launch ${held} [[rounds:1]]`);
    const others = Array.from({ length: 49 }, (_, index) => queue(`Plan launch ${index} [[rounds:1]]`));

    kill(await cloud.awaitRun(victim, (run) => isRunning(run) && run.responseIds.length > 0));
    cloud.hold(() => false);

    expect(await completed(victim)).toMatchObject({ starts: 2, failures: ["crashed"] });
    const ended = await until("49 runs have ended", async () => {
      const runs = (await cloud.readRuns()).filter(({ workspaceId }) => others.includes(workspaceId));
      return runs.filter(({ endedAtMs }) => endedAtMs !== undefined).length === 49 ? runs : undefined;
    });
    for (const run of ended) expect(run).toMatchObject({ state: "completed", starts: 1, rounds: 2 });
    expect(cloud.studio.jobs().map(({ state, leases }) => [state, leases])).toEqual(
      Array.from({ length: 51 }, () => ["completed", 1]),
    );
    // A tool round and the message each.
    expect(asked() - askedBefore).toBe(100);
  });

  test("a job that takes three attempts is completed by the third, and no round is paid twice", async () => {
    const FunctionName = await cloud.readOutput("PoolDefaultProcessor");
    const { Timeout } = await configurationOf("PoolDefaultProcessor");
    // An attempt works for 12 s of these 16 s.
    await cloud.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout: 16 }));
    const askedBefore = asked();
    cloud.hold(() => true);
    const workspaceId = queue(`Plan a launch ${held} [[rounds:1]]`);

    await cloud.awaitRun(workspaceId, (run) => run.attempt === 3 && isRunning(run));
    cloud.hold(() => false);

    const counts = { attempt: 3, continuations: 2, starts: 1, rounds: 2 };
    expect(await completed(workspaceId)).toMatchObject(counts);
    expect(studioJob(workspaceId)).toMatchObject({ leases: 1 });
    expect(asked() - askedBefore).toBe(2);
    await cloud.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout }));
  });
});

describe("an operator", () => {
  test("pauses and resumes the pool", async () => {
    await runner("pause --why maintenance");
    const workspaceId = queue("Plan a launch [[rounds:1]]");
    await cycleEnds("paused");

    expect(await cloud.readControl()).toMatchObject({ paused: true, why: "maintenance" });
    expect(studioJob(workspaceId)).toMatchObject({ state: "queued", leases: 0 });
    expect(await runner("status --json")).toMatchObject({ pools: [{ state: "paused" }] });

    await runner("resume");

    expect(await cloud.readControl()).toMatchObject({ paused: false });
    await completed(workspaceId);
  });

  test("drains the pool: waits for the running job and leases no other", async () => {
    cloud.hold(() => true);
    const workspaceId = queue(`Plan a launch ${held}`);
    await cloud.awaitRun(workspaceId, isRunning);

    const drained = runner("drain --timeout 2m");
    await until("the pool is paused", async () => (await cloud.readControl()).paused || undefined);
    const later = queue("Plan a launch [[rounds:1]]");
    cloud.hold(() => false);
    await drained;

    expect((await cloud.readRuns()).filter(({ openIn }) => openIn !== undefined)).toEqual([]);
    expect(studioJob(later)).toMatchObject({ state: "queued" });
    await completed(workspaceId);
    await runner("resume");
    await completed(later);
  });

  test("sets how many jobs run at once", async () => {
    await runner("set-concurrency 1");
    const workspaceIds = [1, 2, 3].map((index) => queue(`Plan launch ${index} [[rounds:1]]`));
    await Promise.all(workspaceIds.map(completed));

    expect(await cloud.readControl()).toMatchObject({ concurrency: 1 });
    const [first, second, third] = (await cloud.readRuns()).slice(-3);
    expect(second?.leasedAtMs).toBeGreaterThanOrEqual(first?.endedAtMs ?? Infinity);
    expect(third?.leasedAtMs).toBeGreaterThanOrEqual(second?.endedAtMs ?? Infinity);
    await runner("set-concurrency default");
    expect((await cloud.readControl()).concurrency).toBeUndefined();
  });

  test("sets the day's cap", async () => {
    await runner("set-cap 0.01");
    const workspaceId = queue("Plan a launch [[rounds:1]]");
    await cycleEnds("daily_cap");

    expect(await cloud.readControl()).toMatchObject({ dailyCapUsd: 0.01 });
    expect(studioJob(workspaceId)).toMatchObject({ state: "queued" });

    await runner("set-cap default");
    await completed(workspaceId);
  });

  test("reads with jobs, explain, logs and cost what run store and logs have", async () => {
    const runs = await cloud.readRuns();
    const last = runs.at(-1);

    const [jobs, explain, logs, cost] = await Promise.all([
      runner("jobs --json --limit 1000"),
      runner(`explain ${last?.workspaceId} --json`),
      runner(`logs --json --function processor --job ${last?.runId}`),
      runner("cost --json"),
    ]);
    expect(jobs).toMatchObject({
      jobs: runs.map(({ runId, state, costUsd }) => ({ runId, state, costUsd })).toReversed(),
    });
    expect(explain).toMatchObject({ runs: [{ runId: last?.runId, state: "completed" }] });
    const lines = (await cloud.readLog("Processor")).filter(({ runId }) => runId === last?.runId);
    expect(logs).toMatchObject({
      lines: lines.map(({ message }) => ({ function: "processor", line: { message } })),
    });
    const tokensUsd = (1_000 * runs.reduce((sum, { costUsd = 0 }) => sum + costUsd, 0)) / runs.length;
    expect(cost).toMatchObject({
      settingsFrom: "deployed",
      per1000Jobs: [{ measured: { runs: runs.length }, tokensUsd: expect.closeTo(tokensUsd, 6) }],
    });
  });
});

describe("runner keys", () => {
  /** What Studio says to a request with the key. */
  const studioSays = async (runnerToken: string): Promise<number> => {
    const headers = { authorization: `Bearer ${runnerToken}`, "content-type": "application/json" };
    const url = `${cloud.studio.url}/leaseWorkspaceJob`;
    return (await fetch(url, { method: "POST", headers, body: "{}" })).status;
  };

  test("rotate stores a new key, with which the next job is leased", async () => {
    const { runnerToken, credentialId } = cloud.studio.createKey("user");

    await runner("rotate --watch 1s", runnerToken);

    expect(await runnerKeys()).toEqual([runnerToken]);
    expect(await completed(queue("Plan a launch [[rounds:1]]"))).toMatchObject({ keyId: credentialId });
  });

  // MiniStack's RotateSecret is a stub that calls no function, so the test takes Secrets Manager's part.
  test("the rotation function, called as Secrets Manager would call it, replaces the key in four steps", async () => {
    const before = await cloud.readSecret("PoolDefaultKeysSecret");
    const SecretId = await cloud.readOutput("PoolDefaultKeysSecret");
    const FunctionName = await cloud.readOutput("PoolDefaultRotator");
    const ClientRequestToken = randomUUID();

    for (const Step of rotationSteps) {
      const Payload = JSON.stringify({ Step, SecretId, ClientRequestToken });
      const answer = await cloud.lambda.send(new InvokeCommand({ FunctionName, Payload }));
      expect(JSON.parse(Buffer.from(answer.Payload ?? []).toString())).toMatchObject({ step: Step });
    }

    const after = await cloud.readSecret("PoolDefaultKeysSecret");
    expect(after).toMatchObject({ VersionId: ClientRequestToken });
    expect(await cloud.readSecret("PoolDefaultKeysSecret", "AWSPREVIOUS")).toMatchObject({
      VersionId: before?.VersionId,
    });
    const [key] = await runnerKeys();
    const { keyId } = await completed(queue("Plan a launch [[rounds:1]]"));
    expect(key?.split(".")).toEqual([keyId, expect.any(String)]);
  });

  test("rotate --mint has Studio make a key, and rotate --finish revokes the one before it", async () => {
    const [old = ""] = await runnerKeys();

    await runner("rotate --mint --watch 1s");
    const [key = ""] = await runnerKeys();
    await runner("rotate --finish --unused-for 1s");

    expect([await studioSays(old), await studioSays(key)]).toEqual([401, 200]);
  });
});

test("recovery names the permission that it lacks, and redrive recovers the run afterwards", async () => {
  const { Role = "" } = await configurationOf("PoolDefaultRecovery");
  const RoleName = Role.split("/").at(-1);
  const { PolicyNames } = await cloud.iam.send(new ListRolePoliciesCommand({ RoleName }));
  const of = { RoleName, PolicyName: PolicyNames?.[0] };
  const { PolicyDocument = "" } = await cloud.iam.send(new GetRolePolicyCommand(of));
  const before = decodeURIComponent(PolicyDocument);
  const put = (document: string) =>
    cloud.iam.send(new PutRolePolicyCommand({ ...of, PolicyDocument: document }));
  await put(before.replace("dynamodb:GetItem", "dynamodb:DescribeTable"));
  cloud.hold(() => true);
  const workspaceId = queue(`Plan a launch ${held}`);

  kill(await cloud.awaitRun(workspaceId, isRunning));
  await until("a dead letter", async () => (await cloud.readDeadLetters()) === 1 || undefined);

  expect((await cloud.readLines("Recovery")).join("\n")).toMatch(
    /the run store refused the call: AccessDeniedException: .* not authorized to perform: dynamodb:GetItem/,
  );
  await put(before);
  await runner("redrive --yes");
  expect(await cloud.readDeadLetters()).toBe(0);
  cloud.hold(() => false);
  expect(await completed(workspaceId)).toMatchObject({ starts: 2, failures: ["crashed"] });
});

describe("changes", () => {
  test("a job goes on through two deploys, from an old attempt to a new one and back", async () => {
    const keys = await runnerKeys();
    const before = await configurationOf("PoolDefaultProcessor");
    cloud.hold(() => true);
    const workspaceId = queue(`Plan a launch ${held}`);
    const first = await cloud.awaitRun(workspaceId, isRunning);
    const nextAttempt = async (): Promise<void> => {
      const { attempt } = await cloud.awaitRun(workspaceId, () => true);
      await cloud.awaitRun(workspaceId, (run) => run.attempt > attempt && isRunning(run));
    };
    /** Which version of the processor wrote the logs of the run's ended attempts. */
    const versions = async (): Promise<readonly unknown[]> =>
      (await cloud.readLog("Processor"))
        .filter(({ message, runId }) => message === "attempt_started" && runId === first.runId)
        .map((line) => line["service"])
        .filter((version, index, all) => version !== all[index - 1]);

    cloud.project.edit("functions/process.ts", `serviceName: "processor"`, `serviceName: "processor-2"`);
    cloud.project.configure({ pools: [{ ...poolSettings, concurrency: 4 }] });
    await runner("deploy --yes");

    expect(await cloud.readStack()).toMatchObject({ StackStatus: "UPDATE_COMPLETE" });
    const dispatcher = await configurationOf("PoolDefaultDispatcher");
    expect(dispatcher.Environment?.Variables).toMatchObject({ RUNNER_CONCURRENCY: "4" });
    expect((await configurationOf("PoolDefaultProcessor")).CodeSha256).not.toBe(before.CodeSha256);
    await nextAttempt();

    cloud.project.edit("functions/process.ts", `serviceName: "processor-2"`, `serviceName: "processor"`);
    await runner("deploy --yes");
    expect((await configurationOf("PoolDefaultProcessor")).CodeSha256).toBe(before.CodeSha256);
    await nextAttempt();
    cloud.hold(() => false);

    const run = await completed(workspaceId);
    expect(run.attempt).toBeGreaterThan(2);
    expect(run).toMatchObject({ starts: 1, failures: [], continuations: run.attempt - 1 });
    expect(studioJob(workspaceId)).toMatchObject({ leases: 1 });
    await until("the last attempt's log", async () => (await versions()).length > 2 || undefined);
    expect(await versions()).toEqual(["processor", "processor-2", "processor"]);
    expect(await runnerKeys()).toEqual(keys);
  });

  test("destroy deletes everything but the runs, and the stack can be deployed again at once", async () => {
    const { tables, ...before } = await cloud.readEverything();
    for (const found of [tables, ...Object.values(before)]) expect(found).not.toEqual([]);
    await runner(`destroy --confirm ${stackName}`);

    expect(await cloud.readStack()).toBeUndefined();
    const { tables: kept, ...after } = await cloud.readEverything();
    expect(kept).toEqual(tables);
    expect(Object.values(after).flat()).toEqual([]);

    await runner("deploy --yes");
    await Promise.all([
      runner("secrets set runner-keys", cloud.studio.createKey("user").runnerToken),
      runner("secrets set model-key", cloud.modelKey),
    ]);

    await completed(queue("Plan a launch [[rounds:1]]"));
  });
});
