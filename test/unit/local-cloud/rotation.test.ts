import { randomUUID } from "node:crypto";
import {
  CancelRotateSecretCommand,
  DescribeSecretCommand,
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

useCloud({
  functions: { Rotator: {} },
  resources: {
    Key: { Type: "AWS::SecretsManager::Secret", Properties: { Name: "key", SecretString: "old" } },
  },
});

it("RotateSecret rejects a secret without a function, and one with a leftover pending version", async () => {
  const client = new SecretsManagerClient();
  const rotate = (more: object = {}) => client.send(new RotateSecretCommand({ SecretId: "key", ...more }));
  await expect(rotate()).rejects.toMatchObject({
    name: "InvalidRequestException",
    message: "No Lambda rotation function ARN is associated with this secret.",
  });
  const token = randomUUID();
  const pending = { ClientRequestToken: token, SecretString: "half", VersionStages: ["AWSPENDING"] };
  await client.send(new PutSecretValueCommand({ SecretId: "key", ...pending }));
  await expect(rotate({ RotationLambdaARN: "Rotator" })).rejects.toMatchObject({
    name: "InvalidRequestException",
    message: "A previous rotation isn't complete. That rotation will be reattempted.",
  });

  expect((await client.send(new CancelRotateSecretCommand({ SecretId: "key" }))).VersionId).toBe(token);
  const described = await client.send(new DescribeSecretCommand({ SecretId: "key" }));
  expect(described.RotationEnabled).toBe(false);
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
