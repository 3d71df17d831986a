import { randomUUID } from "node:crypto";
import {
  SecretsManager,
  type DescribeSecretCommandInput,
  type GetSecretValueCommandInput,
  type PutSecretValueCommandInput,
  type SecretsManagerClientConfig,
  type UpdateSecretVersionStageCommandInput,
} from "@aws-sdk/client-secrets-manager";
import type { AwsJsonCall } from "./aws-json.ts";
import type { SecretStore } from "./secret-store.ts";
import type { SecretSource } from "./secrets.ts";
import { createSdkCall } from "./sdk-call.ts";
import { createSecretStore } from "./adapters/secrets-manager.ts";

/** The SDK's own settings; region, endpoint and credentials otherwise come from the standard AWS variables. */
export type SdkSecretsOptions = Pick<SecretsManagerClientConfig, "region" | "endpoint" | "credentials">;

/** Secrets and their versions through the SDK: for the rotator and the command line, which no job waits for. */
export function createSdkSecretStore(options: SdkSecretsOptions = {}): SecretSource & SecretStore {
  return createSecretStore({ call: createSdkSecretsCall(options), newId: randomUUID });
}

export function createSdkSecretsCall(options: SdkSecretsOptions): AwsJsonCall {
  // The store repeats calls itself.
  const client = new SecretsManager({
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 4_000, throwOnRequestTimeout: true },
    ...options,
    maxAttempts: 1,
  });
  /* oxlint-disable typescript/no-unsafe-type-assertion -- secrets-manager.ts gives each action its own input */
  return createSdkCall({
    GetSecretValue: (input, sent) => client.getSecretValue(input as GetSecretValueCommandInput, sent),
    DescribeSecret: (input, sent) => client.describeSecret(input as DescribeSecretCommandInput, sent),
    PutSecretValue: (input, sent) => client.putSecretValue(input as PutSecretValueCommandInput, sent),
    UpdateSecretVersionStage: (input, sent) =>
      client.updateSecretVersionStage(input as UpdateSecretVersionStageCommandInput, sent),
  });
  /* oxlint-enable typescript/no-unsafe-type-assertion */
}
