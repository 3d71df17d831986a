import { expect, it } from "vitest";
import { parseSettings } from "../../../infra/settings.ts";
import manifest from "../../../package.json" with { type: "json" };
import { alarmsOf } from "./monitored.ts";
import { synthesizeUnbundled } from "./synthesized.ts";

const stack = synthesizeUnbundled({});
const table = stack.resource("AWS::DynamoDB::Table");
const modelKey = stack.resource("AWS::SecretsManager::Secret", "ModelKey");
const runnerKeys = stack.resource("AWS::SecretsManager::Secret", "PoolDefaultKeys");
const deadLetters = stack.resource("AWS::SQS::Queue");

it("the schedule starts the dispatcher every minute, without retries and without a flexible cycle", () => {
  const schedule = stack.resource("AWS::Scheduler::Schedule");
  expect(schedule.Properties).toEqual({
    Description: "studio-runner, pool default: starts a dispatch cycle",
    ScheduleExpression: "rate(1 minute)",
    ScheduleExpressionTimezone: "Etc/UTC",
    State: "ENABLED",
    FlexibleTimeWindow: { Mode: "OFF" },
    Target: {
      Arn: "PoolDefaultDispatcherRunnerFunction.Arn",
      RoleArn: "PoolDefaultDispatcherScheduleRole.Arn",
      Input: '{"pool":"default"}',
      RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
    },
  });
});

it("the run store is an on-demand table by pool and id, with the index of open runs and rows that expire", () => {
  expect(table.Properties).toEqual({
    BillingMode: "PAY_PER_REQUEST",
    KeySchema: [
      { AttributeName: "pool", KeyType: "HASH" },
      { AttributeName: "id", KeyType: "RANGE" },
    ],
    AttributeDefinitions: [
      { AttributeName: "pool", AttributeType: "S" },
      { AttributeName: "id", AttributeType: "S" },
      { AttributeName: "openIn", AttributeType: "S" },
      { AttributeName: "leaseExpiresAtMs", AttributeType: "N" },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: "open",
        KeySchema: [
          { AttributeName: "openIn", KeyType: "HASH" },
          { AttributeName: "leaseExpiresAtMs", KeyType: "RANGE" },
        ],
        Projection: { ProjectionType: "ALL" },
      },
    ],
    TimeToLiveSpecification: { AttributeName: "expiresAtSeconds", Enabled: true },
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    SSESpecification: { SSEEnabled: true },
    DeletionProtectionEnabled: true,
  });
});

it("the run store stays when the stack goes, keys and logs go with it", () => {
  expect(table).toMatchObject({ DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain" });
  for (const resource of [modelKey, runnerKeys, ...stack.resources("AWS::Logs::LogGroup")])
    expect(resource).toMatchObject({ DeletionPolicy: "Delete", UpdateReplacePolicy: "Delete" });
});

it("keys have secrets without any value, generated or given, and without a fixed name", () => {
  expect(modelKey.Properties).toEqual({ Description: "studio-runner: the model's API key" });
  expect(runnerKeys.Properties).toEqual({
    Description: "studio-runner, pool default: runner keys of kind user",
  });
  expect(stack.resources("AWS::SecretsManager::Secret")).toHaveLength(2);
  expect(stack.text).not.toMatch(/GenerateSecretString|"SecretString"|\{\{resolve:/);
});

it("what could not be recovered ends in an encrypted queue for 14 days, which refuses connections without TLS", () => {
  expect(deadLetters.Properties).toEqual({ MessageRetentionPeriod: 1_209_600, SqsManagedSseEnabled: true });
  expect(stack.resource("AWS::SQS::QueuePolicy").Properties["PolicyDocument"]).toMatchObject({
    Statement: [
      {
        Effect: "Deny",
        Principal: { AWS: "*" },
        Action: "sqs:*",
        Condition: { Bool: { "aws:SecureTransport": "false" } },
        Resource: "PoolDefaultRecoveryDeadLetters.Arn",
      },
    ],
  });
});

it("the outputs name what an operator needs, and the commands that put the keys in", () => {
  const values = Object.entries(stack.outputs).map(([id, { Value }]) => [id, String(Value)] as const);
  const { PoolDefaultAlarms, Settings, ...others } = Object.fromEntries(values);
  const put = "aws secretsmanager put-secret-value --secret-id";
  expect(others).toEqual({
    RunStoreTable: "RunStoreTable",
    ModelKeySecret: "ModelKeySecret",
    ModelKeyCommand: `${put} ModelKeySecret --secret-string file://model-key.txt`,
    PoolDefaultDispatcher: "PoolDefaultDispatcherRunnerFunction",
    PoolDefaultProcessor: "PoolDefaultProcessorRunnerFunction",
    PoolDefaultRecovery: "PoolDefaultRecoveryRunnerFunction",
    PoolDefaultDeadLetters: "PoolDefaultRecoveryDeadLetters",
    PoolDefaultKeysSecret: "PoolDefaultKeysSecret",
    PoolDefaultKeysCommand: `${put} PoolDefaultKeysSecret --secret-string file://runner-keys.txt`,
    Version: manifest.version,
    Dashboard: '{"default":"PoolDefaultMonitoringDashboard"}',
    AlarmTopic: "AlarmsTopic",
    PoolDefaultSchedule: "PoolDefaultDispatcherSchedule",
    PoolDefaultDispatcherLog: "PoolDefaultDispatcherRunnerLog",
    PoolDefaultProcessorLog: "PoolDefaultProcessorRunnerLog",
    PoolDefaultRecoveryLog: "PoolDefaultRecoveryRunnerLog",
  });
  const ids = [...alarmsOf(stack).keys(), "Page"];
  expect(JSON.parse(PoolDefaultAlarms ?? "")).toEqual(
    Object.fromEntries(ids.map((id) => [id, `PoolDefaultMonitoringAlarms${id}`])),
  );
  expect(parseSettings(JSON.parse(Settings ?? ""))).toEqual(parseSettings({}));
});

it("a stack without monitoring names no topic, no dashboard and no alarm", () => {
  const { outputs } = synthesizeUnbundled({ monitoring: { level: "off" } });
  expect(outputs).not.toHaveProperty("Dashboard");
  expect(outputs).not.toHaveProperty("AlarmTopic");
  expect(outputs["PoolDefaultAlarms"]?.Value).toBe("{}");
});

it("has no resource of any other type", () => {
  const types = stack.types.map((type) => type.replace("AWS::", ""));
  expect(types.join(" ")).toBe(
    "CloudWatch::Alarm CloudWatch::CompositeAlarm CloudWatch::Dashboard DynamoDB::Table IAM::Policy IAM::Role Lambda::EventInvokeConfig Lambda::Function Logs::LogGroup Logs::QueryDefinition SNS::Topic SNS::TopicPolicy SQS::Queue SQS::QueuePolicy Scheduler::Schedule SecretsManager::Secret",
  );
});
