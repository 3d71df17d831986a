import { Stack } from "aws-cdk-lib";
import { CfnSecret } from "aws-cdk-lib/aws-secretsmanager";
import { describe, expect, it } from "vitest";
import { StudioRunner } from "../../../infra/studio-runner.ts";
import { readTemplate, synthesizeUnbundled, testApp, type Resource } from "./synthesized.ts";

const keysArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:runner/keys-AbCdEf";
const modelKeyArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:model-GhIjKl";
const runStoreArn = "arn:aws:dynamodb:eu-west-1:123456789012:table/kept-run-store";

/** Every setting away from its default, and what can be brought along is. */
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
  runStoreTableArn: runStoreArn,
  endpoints: { fips: true, dualStack: true },
  logRetentionDays: 90,
  logLevel: "debug",
  tags: { team: "reports", stage: "night" },
});

const addresses = { AWS_USE_FIPS_ENDPOINT: "true", AWS_USE_DUALSTACK_ENDPOINT: "true" };
const functionOf = (part: string): Resource => stack.resource("AWS::Lambda::Function", part);
const variablesOf = (part: string) => functionOf(part).Properties["Environment"];

describe("every setting reaches the template", () => {
  it("the stack's name", () => {
    expect(stack.stack.stackName).toBe("Nightly");
  });

  it("a pool's dispatcher", () => {
    expect(functionOf("PoolMineDispatcher").Properties).toMatchObject({ MemorySize: 384, Timeout: 90 });
    expect(variablesOf("PoolMineDispatcher")).toEqual({
      Variables: {
        RUNNER_POOL: "mine",
        RUNNER_API_BASE: "https://studio.example.com",
        RUNNER_RUN_STORE_TABLE: "kept-run-store",
        RUNNER_KEY_SECRET: keysArn,
        RUNNER_POLLING: "fast",
        RUNNER_CONCURRENCY: "7",
        RUNNER_LEASES_PER_KEY: "3",
        RUNNER_PROCESSOR_FUNCTION: { Ref: functionOf("PoolMineProcessor").logicalId },
        RUNNER_RUN_LIMIT_MS: "5400000",
        RUNNER_MAX_EVENT_AGE_MS: "300000",
        ...addresses,
        NODE_OPTIONS: "--max-semi-space-size=2",
        MALLOC_ARENA_MAX: "1",
      },
    });
  });

  it("a pool's processor", () => {
    expect(functionOf("PoolMineProcessor").Properties).toMatchObject({ MemorySize: 1024, Timeout: 600 });
    expect(variablesOf("PoolMineProcessor")).toEqual({
      Variables: {
        RUNNER_PRICES: '{"models":{},"tiers":{"flex":0.5,"priority":2},"webSearchUsd":0.01}',
        RUNNER_POOL: "mine",
        RUNNER_API_BASE: "https://studio.example.com",
        RUNNER_RUN_STORE_TABLE: "kept-run-store",
        RUNNER_KEY_SECRET: keysArn,
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
        RUNNER_RUN_LIMIT_MS: "5400000",
        ...addresses,
        NODE_OPTIONS: "--max-semi-space-size=2",
        MALLOC_ARENA_MAX: "1",
      },
    });
  });

  it("a pool's recovery", () => {
    expect(variablesOf("PoolMineRecovery")).toEqual({
      Variables: {
        RUNNER_RUN_LIMIT_MS: "5400000",
        RUNNER_POOL: "mine",
        RUNNER_API_BASE: "https://studio.example.com",
        RUNNER_RUN_STORE_TABLE: "kept-run-store",
        RUNNER_KEY_SECRET: keysArn,
        RUNNER_PROCESSOR_FUNCTION: { Ref: functionOf("PoolMineProcessor").logicalId },
        ...addresses,
        NODE_OPTIONS: "--max-semi-space-size=2",
        MALLOC_ARENA_MAX: "1",
      },
    });
  });

  it("a pool's kind, in its secret and its dispatcher", () => {
    expect(stack.resource("AWS::SecretsManager::Secret").Properties["Description"]).toBe(
      "studio-runner, pool every-one: runner keys of kind global",
    );
    expect(functionOf("PoolMineDispatcher").Properties["Description"]).toBe(
      "studio-runner, pool mine: leases user jobs and starts a run for each",
    );
  });
});

describe("every other setting reaches the template", () => {
  it("which of AWS's addresses are asked, in every function", () => {
    const functions = stack.resources("AWS::Lambda::Function");
    expect(functions).toHaveLength(6);
    for (const { Properties } of functions)
      expect(Properties["Environment"]).toMatchObject({ Variables: addresses });
  });

  it("log retention and level, in every function", () => {
    const logs = stack.resources("AWS::Logs::LogGroup");
    expect(logs.map(({ Properties }) => Properties["RetentionInDays"])).toEqual([90, 90, 90, 90, 90, 90]);
    const levels = stack
      .resources("AWS::Lambda::Function")
      .map(({ Properties }) => Properties["LoggingConfig"]);
    for (const logging of levels) expect(logging).toMatchObject({ ApplicationLogLevel: "DEBUG" });
  });

  it.each([
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::IAM::Role",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
  ])("tags, on every %s", (type) => {
    const found = stack.resources(type);
    expect(found.length).toBeGreaterThan(0);
    for (const { Properties } of found)
      expect(Properties["Tags"]).toEqual([
        { Key: "stage", Value: "night" },
        { Key: "team", Value: "reports" },
      ]);
  });

  it("the removal policy, which also lifts the table's protection", () => {
    const table = synthesizeUnbundled({ removalPolicy: "destroy" }).resource("AWS::DynamoDB::Table");
    expect(table).toMatchObject({
      DeletionPolicy: "Delete",
      UpdateReplacePolicy: "Delete",
      Properties: { DeletionProtectionEnabled: false },
    });
  });
});

describe("pools", () => {
  it("have functions, schedule, queue and log of their own", () => {
    expect(stack.resources("AWS::Lambda::Function")).toHaveLength(6);
    expect(stack.resources("AWS::SQS::Queue")).toHaveLength(2);
    const targets = stack.resources("AWS::Scheduler::Schedule").map(({ Properties }) => Properties["Target"]);
    expect(targets).toMatchObject([{ Input: '{"pool":"mine"}' }, { Input: '{"pool":"every-one"}' }]);
  });

  it.each(["DispatcherRunnerRole", "RecoveryRunnerRole", "ProcessorOnward"])(
    "the policy %s names its own pool's keys and functions only",
    (part) => {
      const policy = stack.resource("AWS::IAM::Policy", `PoolEveryOne${part}`);
      const statements = JSON.stringify(policy.Properties);
      expect(statements).toContain(functionOf("PoolEveryOneProcessor").logicalId);
      expect(statements).not.toContain("PoolMine");
      expect(statements).not.toContain(keysArn);
    },
  );

  it("a failed attempt goes to its own pool's recovery", () => {
    const events = stack.resource("AWS::Lambda::EventInvokeConfig", "PoolMineProcessor");
    expect(events.Properties["DestinationConfig"]).toEqual({
      OnFailure: { Destination: { "Fn::GetAtt": [functionOf("PoolMineRecovery").logicalId, "Arn"] } },
    });
  });
});

describe("what was brought along", () => {
  it("is not created again", () => {
    expect(stack.resources("AWS::DynamoDB::Table")).toEqual([]);
    expect(stack.resources("AWS::SecretsManager::Secret").map(({ logicalId }) => logicalId)).toEqual([
      expect.stringContaining("PoolEveryOneKeys"),
    ]);
  });

  it("is all that the roles name, whole and without a wildcard", () => {
    expect(
      stack.resource("AWS::IAM::Policy", "PoolMineProcessorRunnerRole").Properties["PolicyDocument"],
    ).toMatchObject({
      Statement: [
        { Action: ["logs:CreateLogStream", "logs:PutLogEvents"] },
        { Action: ["dynamodb:GetItem", "dynamodb:UpdateItem"], Resource: runStoreArn },
        { Action: "secretsmanager:GetSecretValue", Resource: [modelKeyArn, keysArn] },
      ],
    });
    expect(
      stack.resource("AWS::IAM::Policy", "PoolMineDispatcher").Properties["PolicyDocument"],
    ).toMatchObject({
      Statement: [
        { Action: ["logs:CreateLogStream", "logs:PutLogEvents"] },
        { Resource: runStoreArn },
        { Action: "dynamodb:Query", Resource: `${runStoreArn}/index/open` },
        { Action: "secretsmanager:GetSecretValue", Resource: keysArn },
        { Action: "lambda:InvokeFunction" },
      ],
    });
  });

  it("gets no command that would overwrite it", () => {
    expect(Object.keys(stack.outputs)).not.toContain("ModelKeyCommand");
    expect(Object.keys(stack.outputs)).not.toContain("PoolMineKeysCommand");
    expect(stack.outputs["PoolMineKeysSecret"]?.Value).toBe(keysArn);
    expect(Object.keys(stack.outputs)).toContain("PoolEveryOneKeysCommand");
  });
});

describe("StudioRunner in somebody's own app", () => {
  it("takes a secret of the same stack, and every other default", () => {
    const app = testApp();
    const theirs = new Stack(app, "Theirs");
    const secret = new CfnSecret(theirs, "TheirKey");
    const runner = new StudioRunner(theirs, "Jobs", { inference: { keySecretArn: secret.ref } });
    expect(runner.pools.map(({ settings }) => settings.name)).toEqual(["default"]);
    const processor = readTemplate(app, "Theirs").resource("AWS::Lambda::Function", "Processor");
    expect(processor.Properties["Environment"]).toHaveProperty("Variables.OPENAI_KEY_SECRET", {
      Ref: "TheirKey",
    });
  });

  it("refuses wrong props as settings are refused", () => {
    const theirs = new Stack(testApp(), "Theirs");
    expect(() => new StudioRunner(theirs, "Jobs", { pools: [] })).toThrow(
      'the settings "studio-runner" have a problem:\n  - pools: given a list. Give at least one pool.',
    );
  });
});
