import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { systemClock } from "../../lib/core/clock.ts";
import { createHttp } from "../../lib/adapters/http.ts";
import { createRunStore } from "../../lib/runs/run-store.ts";
import { createRotationRow } from "../../lib/runs/rotation.ts";
import { rotateKeys } from "../../lib/rotation/on-demand-rotation.ts";
import { readPresent } from "../../lib/rotation/stages.ts";
import { Secret } from "../../lib/core/secret.ts";
import { createSecretsClient, createSecretStore } from "../../lib/adapters/secrets-manager.ts";
import { createStudio } from "../../lib/studio/client.ts";
import type { NewRunnerInstance } from "../../local/studio/keys.ts";
import { accountOf } from "../support/aws.ts";
import { build } from "../support/build-with.ts";
import { eventuallyTrue } from "../support/eventually.ts";
import { held } from "../support/hold.ts";
import { rotateByLambda } from "../support/rotate-by-lambda.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

/** Longer than a cycle on request. */
const revokeAfterMs = 5_000;
const now = { type: "RequestResponse" } as const;

/** The key that leased the workspace's job and the keys of later calls for it, by credential id. */
const keysUsedFor = ({ studio }: Scenario, workspaceId: string): readonly (string | undefined)[] => [
  ...new Set(
    studio
      .requests()
      .filter((one) => one.workspaceId === workspaceId)
      .map(({ credentialId }) => credentialId),
  ),
];

/** Leases `count` jobs that do not end before all rotations are over, and waits until each has begun. */
async function lease(scenario: Scenario, count: number): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, () => scenario.queue(`Plan launch. [[rounds:2]] ${held}`));
  expect((await scenario.cycle()).summary).toMatchObject({ reason: "leased", leased: count });
  await eventuallyTrue("every job has begun", () => {
    const begun = new Set(scenario.lines("attempt_started").map(({ workspaceId }) => workspaceId));
    return ids.every((id) => begun.has(id));
  });
  return ids;
}

async function statusOf({ studio }: Scenario, runnerToken: string): Promise<number> {
  const headers = { authorization: `Bearer ${runnerToken}`, "content-type": "application/json" };
  return (await fetch(`${studio.url}/leaseWorkspaceJob`, { method: "POST", headers, body: "{}" })).status;
}

const asValue = ({ runnerToken, instanceId, credentialId }: NewRunnerInstance): string =>
  JSON.stringify({ keys: [runnerToken], instances: [{ instanceId, credentialId, createdAtMs: 0 }] });

async function rotateByCommand(
  { cloud, studio, table }: Scenario,
  { runnerToken, instanceId, credentialId }: NewRunnerInstance,
) {
  const { fetch: send, close } = createHttp();
  const ports = { clock: systemClock, random: Math.random };
  const store = createSecretStore(createSecretsClient(accountOf(cloud)));
  const secretId = cloud.outputs()["PoolLocalKeysSecret"]!;
  const rotated = await rotateKeys(
    {
      ...ports,
      store,
      newId: () => randomUUID(),
      runStore: createRunStore(table),
      rotation: createRotationRow(table),
      studio: createStudio({ ...ports, baseUrl: studio.url, fetch: send }),
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

test("keys are rotated by hand, by command and by Lambda while jobs run, and every job completes with the key that leased it, no call is refused, and the old keys are revoked", async ({
  onTestFinished,
}) => {
  const jobs = 11;
  // With one run to spare: a cycle without a free slot waits for one.
  const concurrency = jobs + 1;
  const variables = { RUNNER_REVOKE_AFTER_MS: String(revokeAfterMs) };
  const scenario = await startScenario({ concurrency, leaseMs: 60_000, variables, build }, onTestFinished);
  const { cloud, studio } = scenario;
  const [first, byHand, byCommand] = [1, 2, 3].map(() => studio.createKey("user"));
  scenario.putSecret("Keys", asValue(first!));
  const running = await lease(scenario, 5);

  scenario.putSecret("Keys", asValue(byHand!));
  const second = await lease(scenario, 2);
  expect(await rotateByCommand(scenario, byCommand!)).toMatchObject({ outcome: "promoted" });
  const third = await lease(scenario, 2);
  await rotateByLambda(scenario);
  const { keys } = JSON.parse(scenario.secrets().runnerKey) as { keys: readonly [string] };
  const [byLambda] = keys;
  const fourth = await lease(scenario, 2);

  // Three rotations later, a process of the first lease is killed. Its next attempt needs the first key.
  expect(studio.snapshot().map(({ state }) => state)).toEqual(Array(jobs).fill("leased"));
  await scenario.kill(running[0]!);
  scenario.hold(() => false);
  await scenario.drain();

  const states = studio.snapshot().map(({ state, leases }) => `${state} ${leases}`);
  expect(states).toEqual(Array(jobs).fill("completed 1"));
  const byKey = [
    [running, first!.credentialId],
    [second, byHand!.credentialId],
    [third, byCommand!.credentialId],
    [fourth, byLambda.split(".")[0]],
  ] as const;
  for (const [workspaceIds, credentialId] of byKey) {
    for (const id of workspaceIds) expect(keysUsedFor(scenario, id)).toEqual([credentialId]);
  }
  expect(studio.requests().filter(({ status }) => status === 401)).toEqual([]);

  const rotator = cloud.functions().find(({ label }) => label.includes("rotator"))!.name;
  await cloud.invoke(rotator, { revokeUnused: true }, now);
  // A key is revoked after it has been unused for this time, and not before.
  await systemClock.sleep(revokeAfterMs);
  const revoked = await cloud.invoke(rotator, { revokeUnused: true }, now);
  expect(revoked.functionError).toBeUndefined();
  const tokens = [first!.runnerToken, byHand!.runnerToken, byCommand!.runnerToken, byLambda];
  const statuses = await Promise.all(tokens.map((token) => statusOf(scenario, token)));
  expect(statuses).toEqual([401, 401, 401, 200]);
});

test("a job completes without a stored model key, with a token for the processor's own identity", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario(
    {
      build: ({ inference, ...settings }, outdir) => {
        const tokenUrl = new URL("/oauth/token", inference?.baseUrl).href;
        const workloadIdentity = { identityProviderId: "idp_1", serviceAccountId: "svc_1", tokenUrl };
        return build({ ...settings, inference: { ...inference, workloadIdentity } }, outdir);
      },
    },
    onTestFinished,
  );
  expect(scenario.cloud.outputs()["ModelKeySecret"]).toBeUndefined();
  const workspaceId = scenario.queue("Plan a launch.");
  await scenario.drain();
  expect(scenario.summary(workspaceId).state).toBe("completed");
  const asked = scenario.model.requests().map(({ path, status }) => `${path} ${status}`);
  expect(asked[0]).toBe("/oauth/token 200");
  expect(asked.filter((one) => one.startsWith("/oauth"))).toHaveLength(1);
  expect(asked.filter((one) => !one.endsWith(" 200"))).toEqual([]);
});
