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

it("the schedule starts the dispatcher every minute, without retries or a flexible time window", () => {
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

const keys = (names: Readonly<Record<string, string>>) =>
  Object.entries(names).map(([AttributeName, KeyType]) => ({ AttributeName, KeyType }));

it("the run store is a protected on-demand table keyed by pool and id, with an index of open runs and expiring rows", () => {
  expect(table.Properties).toEqual({
    BillingMode: "PAY_PER_REQUEST",
    KeySchema: keys({ pool: "HASH", id: "RANGE" }),
    AttributeDefinitions: [
      { AttributeName: "pool", AttributeType: "S" },
      { AttributeName: "id", AttributeType: "S" },
      { AttributeName: "openIn", AttributeType: "S" },
      { AttributeName: "leaseExpiresAtMs", AttributeType: "N" },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: "open",
        KeySchema: keys({ openIn: "HASH", leaseExpiresAtMs: "RANGE" }),
        Projection: { ProjectionType: "ALL" },
      },
    ],
    TimeToLiveSpecification: { AttributeName: "expiresAtSeconds", Enabled: true },
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    SSESpecification: { SSEEnabled: true },
    DeletionProtectionEnabled: true,
  });
});

it("the run store is retained when the stack is deleted, and secrets and logs are deleted", () => {
  expect(table).toMatchObject({ DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain" });
  for (const resource of [modelKey, runnerKeys, ...stack.resources("AWS::Logs::LogGroup")])
    expect(resource).toMatchObject({ DeletionPolicy: "Delete", UpdateReplacePolicy: "Delete" });
});

it("secrets are created without a value", () => {
  expect(modelKey.Properties).toEqual({ Description: "studio-runner: the model's API key" });
  expect(runnerKeys.Properties).toEqual({
    Description: "studio-runner, pool default: runner keys of kind user",
  });
  expect(stack.resources("AWS::SecretsManager::Secret")).toHaveLength(2);
  expect(stack.text).not.toMatch(/GenerateSecretString|"SecretString"|\{\{resolve:/);
});

// That the queue requires TLS is a rule of cdk-nag.
it("dead letters are kept for 14 days in an encrypted queue", () => {
  expect(deadLetters.Properties).toEqual({ MessageRetentionPeriod: 1_209_600, SqsManagedSseEnabled: true });
});

it("no resource has a fixed name, so that several stacks fit into one account", () => {
  const fixed = /^(?:Alarm|Dashboard|Function|LogGroup|Role|Queue|Table|Topic)Name$/;
  const types = stack.types.filter((type) => type !== "AWS::Lambda::EventInvokeConfig");
  const names = types.flatMap((type) =>
    stack.resources(type).flatMap(({ Properties }) => Object.keys(Properties)),
  );
  expect(names.filter((name) => fixed.test(name))).toEqual([]);
  for (const type of ["AWS::SecretsManager::Secret", "AWS::Scheduler::Schedule"])
    for (const { Properties } of stack.resources(type)) expect(Properties).not.toHaveProperty("Name");
});

it("the outputs have the resources' names, and the commands that store the keys", () => {
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

it("a stack without monitoring has no output of a topic, dashboard or alarm", () => {
  const { outputs } = synthesizeUnbundled({ monitoring: { level: "off" } });
  expect(outputs).not.toHaveProperty("Dashboard");
  expect(outputs).not.toHaveProperty("AlarmTopic");
  expect(outputs["PoolDefaultAlarms"]?.Value).toBe("{}");
});

it("the template has only these types of resources", () => {
  const types = stack.types.map((type) => type.replace("AWS::", ""));
  expect(types.join(" ")).toBe(
    "CloudWatch::Alarm CloudWatch::CompositeAlarm CloudWatch::Dashboard DynamoDB::Table IAM::Policy IAM::Role Lambda::EventInvokeConfig Lambda::Function Logs::LogGroup Logs::QueryDefinition SNS::Topic SNS::TopicPolicy SQS::Queue SQS::QueuePolicy Scheduler::Schedule SecretsManager::Secret",
  );
});
