import { Stack } from "aws-cdk-lib";
import { CfnSecret } from "aws-cdk-lib/aws-secretsmanager";
import { describe, expect, it } from "vitest";
import { StudioRunner } from "../../../infra/studio-runner.ts";
import { readTemplate, synthesizeUnbundled, testApp, type Resource } from "./synthesized.ts";

const keysArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:runner/keys-AbCdEf";
const modelKeyArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:model-GhIjKl";

/** Every setting differs from its default; the run store and two secrets exist already. */
const stack = synthesizeUnbundled({
  stackName: "Nightly",
  studio: { baseUrl: "https://studio.example.com" },
  inference: {
    model: "model-1",
    summaryModel: "model-2",
    reasoningEffort: "low",
    maxOutputTokens: 4_000,
    serviceTier: "flex",
    hostedTools: ["web_search"],
    baseUrl: "https://model.example.com/v1",
    mode: "streaming",
    store: false,
    keySecretArn: modelKeyArn,
  },
  pools: [
    {
      name: "mine",
      kind: "user",
      polling: "fast",
      concurrency: 7,
      leasesPerKey: 3,
      runLimitMinutes: 90,
      keySecretArn: keysArn,
      processor: { memoryMb: 1024, timeoutSeconds: 600 },
      dispatcher: { memoryMb: 384, timeoutSeconds: 90 },
    },
    { name: "every-one", kind: "global", polling: "economy" },
  ],
  runStoreTableArn: "arn:aws:dynamodb:eu-west-1:123456789012:table/kept-run-store",
  endpoints: { fips: true, dualStack: true },
  logRetentionDays: 90,
  logLevel: "debug",
  tags: { team: "reports", stage: "night" },
  monitoring: { previewCharacters: 80 },
});

const addresses = { AWS_USE_FIPS_ENDPOINT: "true", AWS_USE_DUALSTACK_ENDPOINT: "true" };
const functionOf = (part: string): Resource => stack.resource("AWS::Lambda::Function", part);
const allOf = (type: string): readonly Record<string, unknown>[] =>
  stack.resources(type).map(({ Properties }) => Properties);

/** The variables of every function of the pool. */
const common = {
  RUNNER_POOL: "mine",
  RUNNER_API_BASE: "https://studio.example.com",
  RUNNER_RUN_STORE_TABLE: "kept-run-store",
  RUNNER_KEY_SECRET: keysArn,
  RUNNER_RUN_LIMIT_MS: "5400000",
  ...addresses,
  NODE_OPTIONS: "--max-semi-space-size=2",
  MALLOC_ARENA_MAX: "1",
};

describe("the template", () => {
  it.each([
    [
      "PoolMineDispatcher",
      {
        MemorySize: 384,
        Timeout: 90,
        Description: "studio-runner, pool mine: leases user jobs and starts a run for each",
      },
      {
        RUNNER_POLLING: "fast",
        RUNNER_CONCURRENCY: "7",
        RUNNER_LEASES_PER_KEY: "3",
        RUNNER_MAX_EVENT_AGE_MS: "300000",
        RUNNER_PROCESSOR_FUNCTION: "PoolMineProcessorRunnerFunction",
      },
    ],
    [
      "PoolMineProcessor",
      { MemorySize: 1024, Timeout: 600 },
      {
        OPENAI_KEY_SECRET: modelKeyArn,
        OPENAI_MODEL: "model-1",
        OPENAI_SUMMARY_MODEL: "model-2",
        OPENAI_BASE_URL: "https://model.example.com/v1",
        OPENAI_MODE: "streaming",
        OPENAI_REASONING_EFFORT: "low",
        OPENAI_MAX_OUTPUT_TOKENS: "4000",
        OPENAI_SERVICE_TIER: "flex",
        OPENAI_HOSTED_TOOLS: '["web_search"]',
        OPENAI_STORE: "false",
        RUNNER_PREVIEW_CHARACTERS: "80",
        RUNNER_PRICES: '{"models":{},"tiers":{"flex":0.5,"priority":2},"webSearchUsd":0.01}',
      },
    ],
    ["PoolMineRecovery", {}, { RUNNER_PROCESSOR_FUNCTION: "PoolMineProcessorRunnerFunction" }],
  ])("has the settings of %s in its properties and environment", (part, properties, variables) => {
    expect(functionOf(part).Properties).toMatchObject(properties);
    expect(stack.variables(part)).toEqual({ ...common, ...variables });
  });

  it("has the stack's name, and the pool's kind in the description of its secret", () => {
    expect(stack.stack.stackName).toBe("Nightly");
    expect(stack.resource("AWS::SecretsManager::Secret").Properties["Description"]).toBe(
      "studio-runner, pool every-one: runner keys of kind global",
    );
  });

  it("has the AWS endpoints, the log level and the log retention for every function", () => {
    const functions = allOf("AWS::Lambda::Function");
    expect(functions).toHaveLength(6);
    for (const properties of functions)
      expect(properties).toMatchObject({
        Environment: { Variables: addresses },
        LoggingConfig: { ApplicationLogLevel: "DEBUG" },
      });
    const retention = allOf("AWS::Logs::LogGroup").map((properties) => properties["RetentionInDays"]);
    expect(retention).toEqual([90, 90, 90, 90, 90, 90]);
  });

  it.each(["Lambda::Function", "Logs::LogGroup", "IAM::Role", "SQS::Queue", "SecretsManager::Secret"])(
    "has the tags on every %s",
    (type) => {
      const stage = { Key: "stage", Value: "night" };
      const team = { Key: "team", Value: "reports" };
      const found = allOf(`AWS::${type}`);
      expect(found.length).toBeGreaterThan(0);
      for (const { Tags } of found) expect(Tags).toEqual([stage, team]);
    },
  );

  it("has the removal policy, which also turns off the table's deletion protection", () => {
    const table = synthesizeUnbundled({ removalPolicy: "destroy" }).resource("AWS::DynamoDB::Table");
    expect(table).toMatchObject({
      DeletionPolicy: "Delete",
      UpdateReplacePolicy: "Delete",
      Properties: { DeletionProtectionEnabled: false },
    });
  });
});

describe("pools", () => {
  it("have a schedule, a queue and a recovery of their own", () => {
    expect(allOf("AWS::SQS::Queue")).toHaveLength(2);
    const targets = allOf("AWS::Scheduler::Schedule").map((properties) => properties["Target"]);
    expect(targets).toMatchObject([{ Input: '{"pool":"mine"}' }, { Input: '{"pool":"every-one"}' }]);
    const events = stack.resource("AWS::Lambda::EventInvokeConfig", "PoolMineProcessor");
    const destination = { OnFailure: { Destination: "PoolMineRecoveryRunnerFunction.Arn" } };
    expect(events.Properties["DestinationConfig"]).toEqual(destination);
  });
});

describe("an existing table or secret", () => {
  it("is not created again", () => {
    expect(allOf("AWS::DynamoDB::Table")).toEqual([]);
    const [secret, ...more] = stack.resources("AWS::SecretsManager::Secret");
    expect(more).toEqual([]);
    expect(secret?.logicalId).toContain("PoolEveryOneKeys");
  });

  it("has no output with a command that would overwrite it", () => {
    expect(stack.outputs).not.toHaveProperty("ModelKeyCommand");
    expect(stack.outputs).not.toHaveProperty("PoolMineKeysCommand");
    expect(stack.outputs["PoolMineKeysSecret"]?.Value).toBe(keysArn);
    expect(stack.outputs).toHaveProperty("PoolEveryOneKeysCommand");
  });
});

describe("StudioRunner as a construct in another app", () => {
  it("accepts a secret of the same stack, and defaults for everything else", () => {
    const app = testApp();
    const theirs = new Stack(app, "Theirs");
    const secret = new CfnSecret(theirs, "TheirKey");
    const runner = new StudioRunner(theirs, "Jobs", { inference: { keySecretArn: secret.ref } });
    expect(runner.pools.map(({ settings }) => settings.name)).toEqual(["default"]);
    expect(readTemplate(app, "Theirs").variables("Processor")["OPENAI_KEY_SECRET"]).toBe("TheirKey");
  });

  it("rejects invalid props with the error message of invalid settings", () => {
    const theirs = new Stack(testApp(), "Theirs");
    expect(() => new StudioRunner(theirs, "Jobs", { pools: [] })).toThrow(
      'the settings "studio-runner" have a problem:\n  - pools: given a list. Give at least one pool.',
    );
  });
});
