import { describe, expect, it } from "vitest";
import { parseProcessorConfig, toEnvironment } from "../../../lib/core/config.ts";
import { synthesizeUnbundled } from "./synthesized.ts";

const mantle = { provider: "bedrock", model: "openai.gpt-6-luna" };
const runtime = { provider: "bedrock", endpoint: "runtime", model: "us.openai.gpt-6-luna" };
const workloadIdentity = { identityProviderId: "idp_1", serviceAccountId: "svc_1" };

const variablesOf = (inference: object): Record<string, string> =>
  synthesizeUnbundled({ inference }).variables("Processor");

it.each([mantle, runtime, { workloadIdentity }])(
  "the template has no secret, output or variable for a model key with %j",
  (inference) => {
    const stack = synthesizeUnbundled({ inference });
    const secrets = stack.resources("AWS::SecretsManager::Secret").map(({ logicalId }) => logicalId);
    expect(secrets).toEqual([expect.stringContaining("PoolDefaultKeys")]);
    expect(Object.keys(stack.outputs).filter((name) => name.startsWith("ModelKey"))).toEqual([]);
    expect(stack.text).not.toContain("OPENAI_KEY_SECRET");
  },
);

describe("the processor's variables", () => {
  it("have the Bedrock endpoint, and a region only when one is given", () => {
    const variables = variablesOf(mantle);
    expect(variables).toMatchObject({ BEDROCK_ENDPOINT: "mantle", OPENAI_MODEL: "openai.gpt-6-luna" });
    expect(variables).not.toHaveProperty("BEDROCK_REGION");
    expect(variablesOf({ ...mantle, region: "us-west-2" })["BEDROCK_REGION"]).toBe("us-west-2");
  });

  it("set the mode to streaming at Bedrock's runtime endpoint, which has no background mode", () => {
    expect(variablesOf(mantle)["OPENAI_MODE"]).toBe("auto");
    expect(variablesOf(runtime)).toMatchObject({ BEDROCK_ENDPOINT: "runtime", OPENAI_MODE: "streaming" });
  });

  it("have the identity provider, service account and audience of a workload identity", () => {
    expect(variablesOf({ workloadIdentity })).toMatchObject({
      OPENAI_IDENTITY_PROVIDER: "idp_1",
      OPENAI_SERVICE_ACCOUNT: "svc_1",
      OPENAI_IDENTITY_AUDIENCE: "https://api.openai.com/v1",
    });
  });
});

describe("the processor's config", () => {
  const variables = {
    RUNNER_POOL: "mine",
    RUNNER_API_BASE: "https://studio.example.com",
    RUNNER_RUN_STORE_TABLE: "runs",
    RUNNER_KEY_SECRET: "keys",
    RUNNER_RUN_LIMIT_MS: "1000",
    RUNNER_PRICES: '{"models":{},"tiers":{"flex":0.5,"priority":2},"webSearchUsd":0.01}',
    OPENAI_MODEL: "m",
    OPENAI_SUMMARY_MODEL: "m",
    OPENAI_MODE: "streaming",
    OPENAI_STORE: "true",
  };

  it("without a model key converts back to the same variables", () => {
    const atRuntime = { ...variables, BEDROCK_ENDPOINT: "runtime" };
    expect(toEnvironment(parseProcessorConfig(atRuntime))).toEqual(atRuntime);
  });

  it("rejects variables with neither a model key nor a complete identity", () => {
    expect(() => parseProcessorConfig({ ...variables, OPENAI_IDENTITY_PROVIDER: "idp_1" })).toThrow(
      "OPENAI_KEY_SECRET: is missing, and no workload identity is configured",
    );
  });
});
