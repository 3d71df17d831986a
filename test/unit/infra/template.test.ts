import { describe, expect, it } from "vitest";
import { parseDispatcherConfig, parseProcessorConfig } from "../../../lib/config.ts";
import { synthesizeUnbundled, type Resource } from "./synthesized.ts";

/** The stack with every default: one pool. */
const stack = synthesizeUnbundled({});
const ref = (resource: Resource) => ({ Ref: resource.logicalId });
const arnOf = (resource: Resource) => ({ "Fn::GetAtt": [resource.logicalId, "Arn"] });

const table = stack.resource("AWS::DynamoDB::Table");
const modelKey = stack.resource("AWS::SecretsManager::Secret", "ModelKey");
const runnerKeys = stack.resource("AWS::SecretsManager::Secret", "PoolDefaultKeys");
const dispatcher = stack.resource("AWS::Lambda::Function", "Dispatcher");
const processor = stack.resource("AWS::Lambda::Function", "Processor");
const failures = stack.resource("AWS::SQS::Queue");
const logOf = (part: string) => stack.resource("AWS::Logs::LogGroup", part);
const roleOf = (part: string) => stack.resource("AWS::IAM::Role", `${part}RunnerRole`);

describe("functions", () => {
  it.each([
    ["dispatcher", dispatcher, 256, 75],
    ["processor", processor, 512, 900],
  ] as const)(
    "the %s runs on Node 24, arm64, with a log of its own in JSON",
    (_, fn, memoryMb, timeoutSeconds) => {
      const part = fn === dispatcher ? "Dispatcher" : "Processor";
      const { Code, Environment, Description, ...rest } = fn.Properties;
      expect(rest).toEqual({
        Runtime: "nodejs24.x",
        Architectures: ["arm64"],
        Handler: "index.handler",
        MemorySize: memoryMb,
        Timeout: timeoutSeconds,
        Role: arnOf(roleOf(part)),
        LoggingConfig: {
          LogFormat: "JSON",
          LogGroup: ref(logOf(part)),
          ApplicationLogLevel: "INFO",
          SystemLogLevel: "INFO",
        },
      });
      expect(Code).toHaveProperty("S3Key");
      expect(Environment).toHaveProperty("Variables.NODE_OPTIONS", "--enable-source-maps");
      expect(Description).toContain("pool default");
    },
  );

  it("an async event is never retried, and dies before it could do harm", () => {
    const configs = stack.resources("AWS::Lambda::EventInvokeConfig").map(({ Properties }) => Properties);
    expect(configs).toHaveLength(2);
    expect(configs).toContainEqual({
      FunctionName: ref(processor),
      Qualifier: "$LATEST",
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 300,
      DestinationConfig: { OnFailure: { Destination: arnOf(failures) } },
    });
    expect(configs).toContainEqual({
      FunctionName: ref(dispatcher),
      Qualifier: "$LATEST",
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 60,
    });
  });

  it("the dispatcher gets its settings by environment", () => {
    expect(dispatcher.Properties["Environment"]).toEqual({
      Variables: {
        RUNNER_POOL: "default",
        RUNNER_API_BASE: "https://cloud.xenonflare.com",
        RUNNER_LEDGER_TABLE: ref(table),
        RUNNER_KEY_SECRET: ref(runnerKeys),
        RUNNER_PICKUP: "balanced",
        RUNNER_CONCURRENCY: "10",
        RUNNER_PROCESSOR_FUNCTION: ref(processor),
        NODE_OPTIONS: "--enable-source-maps",
      },
    });
  });

  it("the processor gets its settings by environment", () => {
    expect(processor.Properties["Environment"]).toEqual({
      Variables: {
        RUNNER_POOL: "default",
        RUNNER_API_BASE: "https://cloud.xenonflare.com",
        RUNNER_LEDGER_TABLE: ref(table),
        RUNNER_KEY_SECRET: ref(runnerKeys),
        OPENAI_KEY_SECRET: ref(modelKey),
        OPENAI_MODEL: "gpt-6-luna",
        OPENAI_SUMMARY_MODEL: "gpt-6-luna",
        OPENAI_STORE: "true",
        NODE_OPTIONS: "--enable-source-maps",
      },
    });
  });

  it("the environments are what the functions accept", () => {
    const resolved = (fn: Resource): Record<string, string> => {
      const environment = fn.Properties["Environment"] as { Variables: Record<string, unknown> };
      return Object.fromEntries(
        Object.entries(environment.Variables).map(([name, value]) => [
          name,
          typeof value === "string" ? value : "resolved-by-cloudformation",
        ]),
      );
    };
    expect(parseDispatcherConfig(resolved(dispatcher)).RUNNER_CONCURRENCY).toBe(10);
    expect(parseProcessorConfig(resolved(processor)).OPENAI_STORE).toBe(true);
  });

  it("have no fixed name and no reserved concurrency, and may not call themselves in circles", () => {
    for (const fn of [dispatcher, processor]) {
      expect(fn.Properties).not.toHaveProperty("FunctionName");
      expect(fn.Properties).not.toHaveProperty("ReservedConcurrentExecutions");
      expect(fn.Properties).not.toHaveProperty("RecursiveLoop");
    }
  });
});

describe("schedule", () => {
  it("starts the dispatcher every minute, without retries and without a flexible window", () => {
    const schedule = stack.resource("AWS::Scheduler::Schedule");
    expect(schedule.Properties).toEqual({
      Description: "studio-runner, pool default: starts a dispatch window",
      ScheduleExpression: "rate(1 minute)",
      ScheduleExpressionTimezone: "Etc/UTC",
      State: "ENABLED",
      FlexibleTimeWindow: { Mode: "OFF" },
      Target: {
        Arn: arnOf(dispatcher),
        RoleArn: arnOf(stack.resource("AWS::IAM::Role", "ScheduleRole")),
        Input: '{"pool":"default"}',
        RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
      },
    });
  });
});

describe("ledger", () => {
  it("is an on-demand table by pool and id, with the index of open runs and rows that expire", () => {
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

  it("stays when the stack goes", () => {
    expect(table).toMatchObject({ DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain" });
  });
});

describe("keys", () => {
  it("have secrets without any value, generated or given, and without a fixed name", () => {
    expect(modelKey.Properties).toEqual({ Description: "studio-runner: the model's API key" });
    expect(runnerKeys.Properties).toEqual({
      Description: "studio-runner, pool default: runner keys of kind user",
    });
    expect(stack.resources("AWS::SecretsManager::Secret")).toHaveLength(2);
    expect(stack.text).not.toMatch(/GenerateSecretString|"SecretString"|\{\{resolve:/);
  });

  it("go with the stack, as the logs do", () => {
    for (const resource of [modelKey, runnerKeys, logOf("Dispatcher"), logOf("Processor")])
      expect(resource).toMatchObject({ DeletionPolicy: "Delete", UpdateReplacePolicy: "Delete" });
  });
});

describe("failed legs", () => {
  it("end in an encrypted queue for 14 days", () => {
    expect(failures.Properties).toEqual({ MessageRetentionPeriod: 1_209_600, SqsManagedSseEnabled: true });
  });

  it("the queue refuses connections without TLS", () => {
    expect(stack.resource("AWS::SQS::QueuePolicy").Properties["PolicyDocument"]).toEqual({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Deny",
          Principal: { AWS: "*" },
          Action: "sqs:*",
          Condition: { Bool: { "aws:SecureTransport": "false" } },
          Resource: arnOf(failures),
        },
      ],
    });
  });
});

describe("permissions", () => {
  const statementsOf = (part: string): unknown => {
    const policy = stack.resource("AWS::IAM::Policy", part);
    expect(policy.Properties["Roles"]).toEqual([ref(roleOf(part))]);
    return policy.Properties["PolicyDocument"];
  };
  const allow = (Action: string | readonly string[], Resource: unknown) => ({
    Effect: "Allow",
    Action,
    Resource,
  });

  it("the dispatcher may do this and nothing else", () => {
    const openRuns = { "Fn::Join": ["", [arnOf(table), "/index/open"]] };
    const rows = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"];
    expect(statementsOf("Dispatcher")).toEqual({
      Version: "2012-10-17",
      Statement: [
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], arnOf(logOf("Dispatcher"))),
        allow(rows, arnOf(table)),
        allow("dynamodb:Query", openRuns),
        allow("secretsmanager:GetSecretValue", ref(runnerKeys)),
        allow("lambda:InvokeFunction", arnOf(processor)),
      ],
    });
  });

  it("the processor may do this and nothing else", () => {
    expect(statementsOf("Processor")).toEqual({
      Version: "2012-10-17",
      Statement: [
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], arnOf(logOf("Processor"))),
        allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], arnOf(table)),
        allow("secretsmanager:GetSecretValue", [ref(modelKey), ref(runnerKeys)]),
        allow("sqs:SendMessage", arnOf(failures)),
      ],
    });
  });

  it("the schedule may invoke its dispatcher and nothing else, and only for this account's schedules", () => {
    expect(stack.resource("AWS::IAM::Role", "ScheduleRole").Properties).toEqual({
      AssumeRolePolicyDocument: {
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Action: "sts:AssumeRole",
            Principal: { Service: "scheduler.amazonaws.com" },
            Condition: {
              StringEquals: {
                "aws:SourceAccount": { Ref: "AWS::AccountId" },
                "aws:SourceArn": {
                  "Fn::Join": [
                    "",
                    [
                      "arn:",
                      { Ref: "AWS::Partition" },
                      ":scheduler:",
                      { Ref: "AWS::Region" },
                      ":",
                      { Ref: "AWS::AccountId" },
                      ":schedule-group/default",
                    ],
                  ],
                },
              },
            },
          },
        ],
      },
      Policies: [
        {
          PolicyName: "Invoke",
          PolicyDocument: {
            Version: "2012-10-17",
            Statement: [allow("lambda:InvokeFunction", arnOf(dispatcher))],
          },
        },
      ],
    });
  });

  it("no role has a managed policy, and there is no other role or policy", () => {
    expect(stack.resources("AWS::IAM::Role")).toHaveLength(3);
    expect(stack.resources("AWS::IAM::Policy")).toHaveLength(2);
    for (const role of stack.resources("AWS::IAM::Role"))
      expect(role.Properties).not.toHaveProperty("ManagedPolicyArns");
  });
});

describe("outputs", () => {
  it("name what an operator needs, and the commands that put the keys in", () => {
    const command = (secret: Resource, file: string) => ({
      "Fn::Join": [
        "",
        ["aws secretsmanager put-secret-value --secret-id ", ref(secret), ` --secret-string file://${file}`],
      ],
    });
    const values = Object.fromEntries(Object.entries(stack.outputs).map(([id, { Value }]) => [id, Value]));
    expect(values).toEqual({
      LedgerTable: ref(table),
      ModelKeySecret: ref(modelKey),
      ModelKeyCommand: command(modelKey, "model-key.txt"),
      PoolDefaultDispatcher: ref(dispatcher),
      PoolDefaultProcessor: ref(processor),
      PoolDefaultFailures: ref(failures),
      PoolDefaultKeysSecret: ref(runnerKeys),
      PoolDefaultKeysCommand: command(runnerKeys, "runner-keys.txt"),
    });
  });
});

it("has no resource of any other type", () => {
  const types = [
    "AWS::DynamoDB::Table",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
    "AWS::SecretsManager::Secret",
  ];
  expect(stack.types).toEqual(types);
});
