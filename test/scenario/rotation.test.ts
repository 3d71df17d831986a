import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RotateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../lib/core/clock.ts";
import { createHttp } from "../../lib/adapters/http.ts";
import { createTable } from "../../lib/adapters/dynamodb.ts";
import { createRunStore } from "../../lib/runs/run-store.ts";
import { createRotationRow } from "../../lib/runs/rotation.ts";
import type { LogEvent } from "../../lib/core/log.ts";
import { isMetricLine, parseLogLine, type LogLine } from "../../lib/core/log-line.ts";
import { rotateKeys } from "../../lib/rotation/on-demand-rotation.ts";
import { readPresent } from "../../lib/rotation/stages.ts";
import { Secret } from "../../lib/core/secret.ts";
import { createSecretsClient, createSecretStore } from "../../lib/adapters/secrets-manager.ts";
import { createStudio } from "../../lib/studio/client.ts";
import type { CloudEvent } from "../../local/cloud/events.ts";
import { drain } from "../../local/once.ts";
import type { StackSettings } from "../../local/local-settings.ts";
import { startStack } from "../../local/stack.ts";
import type { NewRunnerInstance } from "../../local/studio/keys.ts";
import { build } from "../support/build-with.ts";
import { eventually, eventuallyTrue } from "../support/eventually.ts";
import { createHold, held } from "../support/hold.ts";
import { killWorker } from "../support/working-on.ts";

type Finish = (close: () => Promise<void>) => void;

/** Longer than a cycle on request. */
const revokeAfterMs = 5_000;
const now = { type: "RequestResponse" } as const;

/** Starts a stack that is synthesized for the test, as `npm start` does. Cycles start on request. */
async function start(
  jobs: number,
  adapt: (settings: StackSettings) => StackSettings,
  onTestFinished: Finish,
) {
  const stateDir = mkdtempSync(join(tmpdir(), "studio-runner-rotation-"));
  const events: CloudEvent[] = [];
  const { modelClock, hold } = createHold();
  const options = { once: true, port: 0, concurrency: jobs, stateDir, studio: undefined, model: undefined };
  const stack = await startStack(options, {
    clock: systemClock,
    random: Math.random,
    newSecret: () => randomUUID(),
    stateDir,
    onEvent: (event) => void events.push(event),
    tuning: {
      kinds: ["user"],
      leaseMs: 60_000,
      modelLatencyMs: 20,
      modelClock,
      build: async (settings, outdir) => ({
        templateFile: await build(adapt(settings), outdir),
        variables: { RUNNER_REVOKE_AFTER_MS: String(revokeAfterMs) },
      }),
    },
  });
  onTestFinished(async () => {
    await stack.stop(0);
    rmSync(stateDir, { recursive: true, force: true });
  });
  const { cloud, studio } = stack;
  if (!studio) throw new Error("this stack has a Studio of its own");
  const lines = (event: LogEvent): readonly LogLine[] =>
    events.flatMap((one) => {
      const line = one.kind === "log" && !isMetricLine(one.line) ? parseLogLine(one.line) : undefined;
      return line?.message === event ? [line] : [];
    });
  const functionOf = (part: string): string =>
    cloud.functions().find(({ label }) => label.includes(part))?.name ?? "";
  return {
    stack,
    cloud,
    studio,
    events,
    hold,
    lines,
    functionOf,
    cycle: () => cloud.invoke(functionOf("dispatch"), { pool: "local" }, now),
    aws: { endpoint: cloud.endpointUrl, region: cloud.region, credentials: cloud.credentials },
  };
}

type Started = Awaited<ReturnType<typeof start>>;

const outputOf = ({ cloud }: Started, name: string): string => cloud.outputs()[name] ?? "";

/** The key that leased the workspace's job and the keys of later calls for it, by credential id. */
const keysUsedFor = ({ studio }: Started, workspaceId: string): readonly (string | undefined)[] => [
  ...new Set(
    studio
      .requests()
      .filter((one) => one.workspaceId === workspaceId)
      .map(({ credentialId }) => credentialId),
  ),
];

/**
 * Leases a few at a time, because a busy machine could not start twenty processes within the run store's time
 * limits.
 */
async function lease(started: Started, texts: readonly string[]): Promise<readonly string[]> {
  const atOnce = 5;
  const first = await leaseAtOnce(started, texts.slice(0, atOnce));
  return texts.length <= atOnce ? first : [...first, ...(await lease(started, texts.slice(atOnce)))];
}

async function leaseAtOnce(started: Started, texts: readonly string[]): Promise<readonly string[]> {
  const workspaceIds = texts.map((text) => started.studio.queueJob({ text, target: "user" }));
  const cycle = await started.cycle();
  expect(JSON.parse(cycle.payload ?? "")).toMatchObject({ reason: "leased", leased: texts.length });
  const begun = (): ReadonlySet<string | undefined> =>
    new Set(started.lines("attempt_began").map(({ workspaceId }) => workspaceId));
  const haveBegun = (): boolean => {
    const all = begun();
    return workspaceIds.every((id) => all.has(id));
  };
  await eventuallyTrue("every job has begun", haveBegun, 150_000);
  return workspaceIds;
}

async function statusOf(started: Started, { runnerToken }: Pick<NewRunnerInstance, "runnerToken">) {
  const headers = { authorization: `Bearer ${runnerToken}`, "content-type": "application/json" };
  const answer = await fetch(`${started.studio.url}/leaseWorkspaceJob`, {
    method: "POST",
    headers,
    body: "{}",
  });
  return answer.status;
}

const asValue = ({ runnerToken, instanceId, credentialId }: NewRunnerInstance): string =>
  JSON.stringify({ keys: [runnerToken], instances: [{ instanceId, credentialId, createdAtMs: 0 }] });

async function rotateByCommand(
  started: Started,
  { runnerToken, instanceId, credentialId }: NewRunnerInstance,
) {
  const table = createTable(outputOf(started, "RunStoreTable"), started.aws);
  const { fetch: send, close } = createHttp();
  const deps = { clock: systemClock, random: Math.random };
  const store = createSecretStore(createSecretsClient(started.aws));
  const secretId = outputOf(started, "PoolLocalKeysSecret");
  const rotated = await rotateKeys(
    {
      ...deps,
      store,
      newId: () => randomUUID(),
      runStore: createRunStore(table),
      rotation: createRotationRow(table),
      studio: createStudio({ ...deps, baseUrl: started.studio.url, fetch: send }),
    },
    {
      pool: "local",
      secretId,
      present: await readPresent(store, secretId),
      keys: [{ id: credentialId, value: new Secret(runnerToken) }],
      instances: [{ instanceId, credentialId, createdAtMs: systemClock.now() }],
      watch: { forMs: 300, everyMs: 100 },
    },
  );
  await close();
  return rotated;
}

/** Runs the four steps as Secrets Manager does. Returns the minted key. */
async function rotateByLambda(
  started: Started,
): Promise<Pick<NewRunnerInstance, "runnerToken" | "credentialId">> {
  const SecretId = outputOf(started, "PoolLocalKeysSecret");
  const RotationLambdaARN = outputOf(started, "PoolLocalRotator");
  const client = new SecretsManagerClient(started.aws);
  await client.send(new RotateSecretCommand({ SecretId, RotationLambdaARN }));
  client.destroy();
  const end = await eventually("the rotation's end", () =>
    started.events.find((one) => one.kind === "rotation" && (one.step === "all" || one.outcome === "failed")),
  );
  expect(end).toMatchObject({ step: "all", outcome: "done", reason: undefined });
  const { keys } = JSON.parse(started.cloud.getSecret(SecretId)) as { keys: readonly string[] };
  const [runnerToken = ""] = keys;
  return { runnerToken, credentialId: runnerToken.split(".")[0] ?? "" };
}

describe("keys are rotated while jobs run", () => {
  /** A job that does not end before all rotations are over. */
  const slow = `Plan launch. [[rounds:2]] ${held}`;
  const jobs = 20;

  test("by hand, by command and by Lambda, and every job completes with the key that leased it, no call is refused, and the old keys are revoked", async ({
    onTestFinished,
  }) => {
    const started = await start(jobs + 6, (settings) => settings, onTestFinished);
    const { cloud, studio } = started;
    const keysSecret = outputOf(started, "PoolLocalKeysSecret");
    const [first, byHand, byCommand] = [1, 2, 3].map(() => studio.createKey("user"));
    cloud.putSecret(keysSecret, asValue(first!));
    const running = await lease(started, Array<string>(jobs).fill(slow));

    cloud.putSecret(keysSecret, asValue(byHand!));
    const second = await lease(started, [slow, slow]);
    expect(await rotateByCommand(started, byCommand!)).toMatchObject({ outcome: "promoted" });
    const third = await lease(started, [slow, slow]);
    const byLambda = await rotateByLambda(started);
    const fourth = await lease(started, [slow, slow]);

    // Three rotations later, a process of the first lease is killed. Its next attempt needs the first key.
    const stillRunning = running.filter((id) =>
      studio.snapshot().some((one) => one.workspaceId === id && one.state === "leased"),
    );
    expect(stillRunning).toHaveLength(jobs);
    await killWorker(started.events, stillRunning[0]!);
    started.hold(() => false);
    expect(await drain(started.stack, systemClock, AbortSignal.timeout(500_000))).toBe(true);

    const states = studio.snapshot().map(({ state, leases }) => `${state} ${leases}`);
    expect(states).toEqual(Array(jobs + 6).fill("completed 1"));
    const byKey = [
      [running, first],
      [second, byHand],
      [third, byCommand],
      [fourth, byLambda],
    ] as const;
    for (const [workspaceIds, key] of byKey) {
      for (const id of workspaceIds) expect(keysUsedFor(started, id)).toEqual([key!.credentialId]);
    }
    expect(studio.requests().filter(({ status }) => status === 401)).toEqual([]);

    const rotator = started.functionOf("rotator");
    await cloud.invoke(rotator, { revokeUnused: true }, now);
    // A key is revoked after it has been unused for this time, and not before.
    await systemClock.sleep(revokeAfterMs);
    const revoked = await cloud.invoke(rotator, { revokeUnused: true }, now);
    expect(revoked.functionError).toBeUndefined();
    const statuses = await Promise.all(
      [first!, byHand!, byCommand!, byLambda].map((key) => statusOf(started, key)),
    );
    expect(statuses).toEqual([401, 401, 401, 200]);
  }, 300_000);
});

test("a job completes without a stored model key, with a token for the processor's own identity", async ({
  onTestFinished,
}) => {
  const adapt = (settings: StackSettings): StackSettings => ({
    ...settings,
    inference: {
      ...settings.inference,
      workloadIdentity: {
        identityProviderId: "idp_1",
        serviceAccountId: "svc_1",
        tokenUrl: new URL("/oauth/token", settings.inference?.baseUrl).href,
      },
    },
  });
  const started = await start(2, adapt, onTestFinished);
  expect(outputOf(started, "ModelKeySecret")).toBe("");
  started.studio.queueJob({ text: "Plan a launch.", target: "user" });
  expect(await drain(started.stack, systemClock, AbortSignal.timeout(60_000))).toBe(true);
  expect(started.studio.snapshot()).toMatchObject([{ state: "completed" }]);
  const asked = started.stack.model?.requests().map(({ path, status }) => `${path} ${status}`) ?? [];
  expect(asked[0]).toBe("/oauth/token 200");
  expect(asked.filter((one) => one.startsWith("/oauth"))).toHaveLength(1);
  expect(asked.filter((one) => !one.endsWith(" 200"))).toEqual([]);
});
