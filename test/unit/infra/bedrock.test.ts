import { describe, expect, it } from "vitest";
import { toEnvironment, parseProcessorConfig } from "../../../lib/core/config.ts";
import { problems } from "./settings-cases.ts";
import { synthesizeUnbundled } from "./synthesized.ts";

const mantle = { provider: "bedrock", model: "openai.gpt-6-luna" };
const runtime = { provider: "bedrock", endpoint: "runtime", model: "us.openai.gpt-6-luna" };

const variablesOf = (inference: object): Record<string, string> =>
  synthesizeUnbundled({ inference }).variables("Processor");

describe("the template for Amazon Bedrock", () => {
  it.each([mantle, runtime])("has no secret or variable for a model key: %j", (inference) => {
    const stack = synthesizeUnbundled({ inference });
    const secrets = stack.resources("AWS::SecretsManager::Secret").map(({ logicalId }) => logicalId);
    expect(secrets).toEqual([expect.stringContaining("PoolDefaultKeys")]);
    expect(Object.keys(stack.outputs).filter((name) => name.startsWith("ModelKey"))).toEqual([]);
    expect(stack.text).not.toContain("OPENAI_KEY_SECRET");
  });

  it("sets the processor's Bedrock endpoint, and a region only when one is given", () => {
    const variables = variablesOf(mantle);
    const expected = { BEDROCK_ENDPOINT: "mantle", OPENAI_MODE: "auto", OPENAI_MODEL: "openai.gpt-6-luna" };
    expect(variables).toMatchObject(expected);
    expect(variables).not.toHaveProperty("BEDROCK_REGION");
    expect(variablesOf({ ...mantle, region: "us-west-2" })["BEDROCK_REGION"]).toBe("us-west-2");
  });

  it("sets the mode to streaming at the runtime endpoint, which has no background mode", () => {
    expect(variablesOf(runtime)).toMatchObject({ BEDROCK_ENDPOINT: "runtime", OPENAI_MODE: "streaming" });
  });
});

it("the configuration of a processor without a model key converts back to the same variables", () => {
  const variables = {
    RUNNER_POOL: "mine",
    RUNNER_API_BASE: "https://studio.example.com",
    RUNNER_RUN_STORE_TABLE: "runs",
    RUNNER_KEY_SECRET: "keys",
    RUNNER_RUN_LIMIT_MS: "1000",
    RUNNER_PRICES: '{"models":{},"tiers":{"flex":0.5,"priority":2},"webSearchUsd":0.01}',
    BEDROCK_ENDPOINT: "runtime",
    OPENAI_MODEL: "m",
    OPENAI_SUMMARY_MODEL: "m",
    OPENAI_MODE: "streaming",
    OPENAI_STORE: "true",
  };
  expect(toEnvironment(parseProcessorConfig(variables))).toEqual(variables);
});

const keySecretArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:model-AbCdEf";
const workloadIdentity = { identityProviderId: "idp_1", serviceAccountId: "svc_1" };

describe("settings that do not fit the provider are rejected:", () => {
  it.each([
    [
      { ...mantle, baseUrl: "https://models.example.com/v1" },
      'inference.baseUrl: inference.baseUrl is the address of another Responses server, but Bedrock\'s follows from its endpoint and region. Leave it out, or set inference.provider to "openai".',
    ],
    [
      { ...mantle, keySecretArn },
      'inference.keySecretArn: inference.keySecretArn is the secret of a model key, but Bedrock needs none: requests are signed by the processor\'s role. Leave it out, or set inference.provider to "openai".',
    ],
    [
      { ...mantle, workloadIdentity },
      'inference.workloadIdentity: inference.workloadIdentity takes the place of a model key, but Bedrock needs none: requests are signed by the processor\'s role. Leave it out, or set inference.provider to "openai".',
    ],
    [
      { endpoint: "runtime" },
      'inference.endpoint: inference.endpoint chooses between the endpoints of Amazon Bedrock. Leave it out, or set inference.provider to "bedrock".',
    ],
    [
      { region: "us-east-1" },
      'inference.region: inference.region is the region of Amazon Bedrock. Leave it out, or set inference.provider to "bedrock".',
    ],
    [
      { provider: "bedrock" },
      'inference.model: "gpt-6-luna" is not the name of an OpenAI model at Bedrock\'s mantle endpoint. Give a name like openai.gpt-6-luna, without a geography prefix.',
    ],
    [
      { ...mantle, summaryModel: "us.openai.gpt-6-luna" },
      'inference.summaryModel: "us.openai.gpt-6-luna" is not the name of an OpenAI model at Bedrock\'s mantle endpoint. Give a name like openai.gpt-6-luna, without a geography prefix.',
    ],
    [
      { ...runtime, model: "openai.gpt-6-luna" },
      'inference.model: "openai.gpt-6-luna" is not the name of an OpenAI model at Bedrock\'s runtime endpoint. Give an inference profile like us.openai.gpt-6-luna, or global.openai.gpt-6-luna if requests may be answered anywhere.',
    ],
    [
      { ...mantle, summaryModel: "openai.gpt-oss-20b" },
      "inference.summaryModel: openai.gpt-oss models and the others are served at different paths of Bedrock's mantle endpoint. Choose both models from one of the two groups.",
    ],
    [
      { ...runtime, mode: "background" },
      'inference.mode: inference.mode is "background", but Bedrock\'s runtime endpoint does not support background mode. Give "auto" or "streaming", or set inference.endpoint to "mantle".',
    ],
    [{ ...mantle, endpoint: "batch" }, 'inference.endpoint: given "batch". Give one of: mantle, runtime.'],
    [
      { ...mantle, region: "Frankfurt" },
      'inference.region: given "Frankfurt". Give an AWS region, like us-east-1.',
    ],
  ])("%j", (inference, line) => {
    expect(problems({ inference })).toEqual([line]);
  });

  it("FIPS endpoints with the mantle endpoint", () => {
    const endpoints = { fips: true };
    expect(problems({ inference: mantle, endpoints })).toEqual([
      'endpoints.fips: endpoints.fips is true, but Bedrock\'s mantle endpoint has no such address. Set inference.endpoint to "runtime", or endpoints.fips to false.',
    ]);
    expect(problems({ inference: runtime, endpoints })).toEqual([]);
  });
});
