import { randomUUID } from "node:crypto";
import {
  CancelRotateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { expect, it, onTestFinished } from "vitest";
import { createFakeClock } from "../../support/fake-clock.ts";
import { createRotations } from "../../../local/cloud/rotation.ts";
import { createSecretStore } from "../../../local/cloud/secrets.ts";
import { createActivity } from "../../../local/cloud/timers.ts";
import type { CloudEventBody } from "../../../local/cloud/events.ts";
import type { InvokeRequest } from "../../../local/cloud/lambda-service.ts";
import { useCloud } from "./fixture.ts";

/** Logs its steps, and calls the same actions as a rotation function on AWS. */
const rotator = `
import { SecretsManager } from "@aws-sdk/client-secrets-manager";
const secrets = new SecretsManager({ maxAttempts: 1 });
export const handler = async ({ Step, SecretId, ClientRequestToken: token }) => {
  const { VersionIdsToStages: stages } = await secrets.describeSecret({ SecretId });
  console.log("step " + Step + " " + (stages[token] ?? []).join());
  if (Step === "createSecret") {
    await secrets.putSecretValue({ SecretId, ClientRequestToken: token, SecretString: "new", VersionStages: ["AWSPENDING"] });
  }
  if (Step === "finishSecret") {
    const [current] = Object.keys(stages).filter((id) => stages[id].includes("AWSCURRENT"));
    const move = { VersionStage: "AWSCURRENT", MoveToVersionId: token, RemoveFromVersionId: current };
    await secrets.updateSecretVersionStage({ SecretId, ...move });
  }
};`;

const secret = (Name: string) => ({
  Type: "AWS::SecretsManager::Secret",
  Properties: { Name, SecretString: "old" },
});

const watched = useCloud({
  functions: { Rotator: { source: rotator } },
  resources: {
    Key: secret("key"),
    Other: secret("other"),
    Plan: {
      Type: "AWS::SecretsManager::RotationSchedule",
      Properties: {
        SecretId: { Ref: "Key" },
        RotationLambdaARN: { "Fn::GetAtt": ["Rotator", "Arn"] },
        RotationRules: { ScheduleExpression: "rate(30 days)" },
      },
    },
  },
});

const rotated = new GetSecretValueCommand({ SecretId: "key" });
const previous = new GetSecretValueCommand({ SecretId: "key", VersionStage: "AWSPREVIOUS" });
const describeSecret = (SecretId: string) => new DescribeSecretCommand({ SecretId });

it("a rotation runs the four steps, with AWSPENDING on the new version from the first step on", async () => {
  const client = new SecretsManagerClient();
  const token = randomUUID();
  const answer = await client.send(new RotateSecretCommand({ SecretId: "key", ClientRequestToken: token }));
  const end = await watched.until((event) => event.kind === "rotation" && event.step === "all");

  expect(answer.VersionId).toBe(token);
  expect(end).toMatchObject({ secret: "key", versionId: token, outcome: "done" });
  const steps = () =>
    watched.events.flatMap((event) => (event.kind === "log" ? (/step .*/.exec(event.line) ?? []) : []));
  await expect
    .poll(() => steps().join("; "))
    .toBe(
      "step createSecret AWSPENDING; step setSecret AWSPENDING; step testSecret AWSPENDING; step finishSecret AWSPENDING",
    );
  expect((await client.send(rotated)).SecretString).toBe("new");
  expect((await client.send(previous)).SecretString).toBe("old");
  expect(await client.send(describeSecret("key"))).toMatchObject({
    RotationEnabled: true,
    RotationLambdaARN: "arn:aws:lambda:us-east-1:000000000000:function:TestStack-Rotator",
    RotationRules: { ScheduleExpression: "rate(30 days)" },
    VersionIdsToStages: { [token]: ["AWSCURRENT"] },
    LastRotatedDate: expect.any(Date),
  });
});

it("RotateSecret rejects a secret without a function, and one with a leftover pending version", async () => {
  const client = new SecretsManagerClient();
  await expect(client.send(new RotateSecretCommand({ SecretId: "other" }))).rejects.toMatchObject({
    name: "InvalidRequestException",
    message: "No Lambda rotation function ARN is associated with this secret.",
  });
  const token = randomUUID();
  const pending = { ClientRequestToken: token, SecretString: "half", VersionStages: ["AWSPENDING"] };
  await client.send(new PutSecretValueCommand({ SecretId: "other", ...pending }));
  const again = new RotateSecretCommand({ SecretId: "other", RotationLambdaARN: "Rotator" });
  await expect(client.send(again)).rejects.toMatchObject({
    name: "InvalidRequestException",
    message: "A previous rotation isn't complete. That rotation will be reattempted.",
  });

  const cancelled = await client.send(new CancelRotateSecretCommand({ SecretId: "other" }));
  expect(cancelled.VersionId).toBe(token);
  expect((await client.send(describeSecret("other"))).RotationEnabled).toBe(false);
});

type Answer = "ok" | "fails";

/** Rotations with a function that gives these answers, one per step. */
function start(answers: readonly Answer[], retryDelaysMs: readonly number[] = [1_000]) {
  const clock = createFakeClock();
  const key = { logicalId: "Key", name: "key", arn: "arn:key", initialValue: "old" };
  const store = createSecretStore([key], clock);
  const events: CloudEventBody[] = [];
  const invoked: string[] = [];
  const activity = createActivity();
  const closing = new AbortController();
  onTestFinished(() => closing.abort());
  const invoke = async ({ payload }: InvokeRequest) => {
    const { Step, ClientRequestToken: token } = JSON.parse(payload);
    invoked.push(Step);
    if (answers[invoked.length - 1] === "fails") {
      return { statusCode: 200, requestId: "r", functionError: "Unhandled", payload: "no good" } as const;
    }
    if (Step === "createSecret") store.put("key", { value: "new", versionId: token, stages: ["AWSPENDING"] });
    const fromVersion = store.get("key").versionId;
    if (Step === "finishSecret")
      store.moveStage("key", { stage: "AWSCURRENT", toVersion: token, fromVersion });
    return { statusCode: 200, requestId: "r" } as const;
  };
  const emit = (event: CloudEventBody) => void events.push(event);
  const rotations = createRotations(
    { clock, emit, activity, secrets: store, lambda: { invoke }, retryDelaysMs, closing: closing.signal },
    [{ secretId: "arn:key", functionArn: "arn:rotator", rules: undefined }],
  );
  const rotate = (token: string, now = true) =>
    rotations.start(store.find("key"), { token, functionArn: undefined, rules: undefined, now });
  return { clock, store, events, invoked, activity, rotations, rotate };
}

it("a failed rotation is retried from the first step with the same version", async () => {
  const { clock, store, events, invoked, activity, rotate } = start(["ok", "fails"]);
  rotate("v2");
  await clock.advance(999);
  expect(invoked).toEqual(["createSecret", "setSecret"]);
  await clock.advance(1);
  await activity.idle();

  expect(invoked.slice(2)).toEqual(["createSecret", "setSecret", "testSecret", "finishSecret"]);
  expect(store.get("key")).toMatchObject({ versionId: "v2", version: { value: "new" } });
  expect(events[1]).toMatchObject({ step: "setSecret", outcome: "failed", reason: "no good" });
});

it("a rotation without retries left keeps its pending version, and can be resumed with the same token only", async () => {
  const { store, activity, rotate } = start(["fails"], []);
  rotate("v2");
  await activity.idle();

  expect(store.get("key").version.value).toBe("old");
  expect(() => rotate("v3")).toThrow("A previous rotation isn't complete.");
  rotate("v2");
  await activity.idle();
  expect(store.get("key").version.value).toBe("new");
});

it("a cancelled rotation is not retried", async () => {
  const { clock, store, invoked, activity, rotations, rotate } = start(["fails"]);
  rotate("v2");
  await clock.advance(0);
  expect(rotations.cancel(store.find("key"))).toBe("v2");
  await clock.advance(60_000);
  await activity.idle();

  expect(invoked).toEqual(["createSecret"]);
});

it("a rotation that is not to start now runs only testSecret, and keeps the current value", async () => {
  const { store, invoked, activity, rotate } = start(["ok"]);
  rotate("v2", false);
  await activity.idle();

  expect(invoked).toEqual(["testSecret"]);
  expect(store.get("key").version.value).toBe("old");
  expect([...(store.find("key").versions.get("v2")?.stages ?? [])]).toEqual([]);
});
