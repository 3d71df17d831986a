import { RotateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { expect } from "vitest";
import { accountOf } from "./aws.ts";
import { eventually } from "./eventually.ts";
import type { Scenario } from "./stack.ts";

/** Rotates the pool's keys as Secrets Manager does: the rotator runs its four steps and mints the key. */
export async function rotateByLambda({ cloud, events }: Scenario): Promise<void> {
  const client = new SecretsManagerClient(accountOf(cloud));
  const { PoolLocalKeysSecret: SecretId, PoolLocalRotator: RotationLambdaARN } = cloud.outputs();
  await client.send(new RotateSecretCommand({ SecretId, RotationLambdaARN }));
  client.destroy();
  const end = await eventually("the rotation's end", () =>
    events.find((one) => one.kind === "rotation" && (one.step === "all" || one.outcome === "failed")),
  );
  expect(end).toMatchObject({ step: "all", outcome: "done", reason: undefined });
}
