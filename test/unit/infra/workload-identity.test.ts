import { expect, it } from "vitest";
import { parseSettings } from "../../../infra/settings.ts";
import { parseProcessorConfig } from "../../../lib/core/config.ts";
import { synthesizeUnbundled } from "./synthesized.ts";

const workloadIdentity = { identityProviderId: "idp_1", serviceAccountId: "svc_1" };
const stack = synthesizeUnbundled({ inference: { workloadIdentity } });

it("workload identity leaves the template without a secret or variable for a model key", () => {
  const secrets = stack.resources("AWS::SecretsManager::Secret").map(({ logicalId }) => logicalId);
  expect(secrets).toEqual([expect.stringContaining("PoolDefaultKeys")]);
  expect(Object.keys(stack.outputs).filter((name) => name.startsWith("ModelKey"))).toEqual([]);
  expect(stack.text).not.toContain("OPENAI_KEY_SECRET");
});

it("the processor gets the identity provider, service account and audience as variables", () => {
  expect(stack.variables("Processor")).toMatchObject({
    OPENAI_IDENTITY_PROVIDER: "idp_1",
    OPENAI_SERVICE_ACCOUNT: "svc_1",
    OPENAI_IDENTITY_AUDIENCE: "https://api.openai.com/v1",
  });
});

it("the settings reject workload identity together with a stored model key", () => {
  const keySecretArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:model-AbCdEf";
  expect(() => parseSettings({ inference: { workloadIdentity, keySecretArn } })).toThrow(
    "inference.workloadIdentity: inference.workloadIdentity replaces a stored key, but inference.keySecretArn names one",
  );
});

it("the processor's config rejects variables with neither a model key nor a complete identity", () => {
  const variables = {
    RUNNER_POOL: "mine",
    RUNNER_API_BASE: "https://studio.example.com",
    RUNNER_RUN_STORE_TABLE: "runs",
    RUNNER_KEY_SECRET: "keys",
    RUNNER_RUN_LIMIT_MS: "1000",
    RUNNER_PRICES: '{"models":{},"tiers":{"flex":0.5,"priority":2},"webSearchUsd":0.01}',
    OPENAI_IDENTITY_PROVIDER: "idp_1",
    OPENAI_MODEL: "m",
    OPENAI_SUMMARY_MODEL: "m",
    OPENAI_MODE: "auto",
    OPENAI_STORE: "true",
  };
  expect(() => parseProcessorConfig(variables)).toThrow(
    "OPENAI_KEY_SECRET: is missing, and so is the identity in its place",
  );
});
