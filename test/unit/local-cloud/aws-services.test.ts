import { createPublicKey, verify } from "node:crypto";
import {
  CloudFormationClient,
  DescribeStacksCommand,
  ListStacksCommand,
} from "@aws-sdk/client-cloudformation";
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  PutMetricDataCommand,
} from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  FilterLogEventsCommand,
  GetQueryResultsCommand,
  StartQueryCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import {
  GetAccountSettingsCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
} from "@aws-sdk/client-lambda";
import { GetScheduleCommand, SchedulerClient, UpdateScheduleCommand } from "@aws-sdk/client-scheduler";
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { GetCallerIdentityCommand, GetWebIdentityTokenCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { startWatched, type Watched } from "./fixture.ts";

/** Writes what its event says, as a line of its own. */
const writer = `export const handler = async ({ lines }) => { for (const line of lines) process.stdout.write(JSON.stringify(line) + "\\n"); };`;

const json = { LoggingConfig: { LogFormat: "JSON", LogGroup: { Ref: "Log" } } };
const dimensions = [{ Name: "pool", Value: "user" }];

const resources = {
  Log: { Type: "AWS::Logs::LogGroup" },
  Table: {
    Type: "AWS::DynamoDB::Table",
    Properties: {
      AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
    },
  },
  Dead: { Type: "AWS::SQS::Queue", Properties: { VisibilityTimeout: 60 } },
  Every: {
    Type: "AWS::Scheduler::Schedule",
    Properties: {
      ScheduleExpression: "rate(1 minute)",
      FlexibleTimeWindow: { Mode: "OFF" },
      Target: { Arn: { "Fn::GetAtt": ["Writer", "Arn"] }, Input: '{"lines":[]}' },
    },
  },
  Topic: { Type: "AWS::SNS::Topic" },
  Mail: {
    Type: "AWS::SNS::Subscription",
    Properties: { TopicArn: { Ref: "Topic" }, Protocol: "email", Endpoint: "ops@example.com" },
  },
  Failing: {
    Type: "AWS::CloudWatch::Alarm",
    Properties: {
      AlarmDescription: "Too many fail.",
      AlarmActions: [{ Ref: "Topic" }],
      ComparisonOperator: "GreaterThanOrEqualToThreshold",
      Threshold: 50,
      EvaluationPeriods: 1,
      TreatMissingData: "notBreaching",
      Metrics: [
        { Id: "e", Expression: "100 * failed / ended" },
        ...["Failed", "Ended"].map((MetricName) => ({
          Id: MetricName.toLowerCase(),
          MetricStat: {
            Metric: { Namespace: "N", MetricName, Dimensions: dimensions },
            Period: 60,
            Stat: "Sum",
          },
          ReturnData: false,
        })),
      ],
    },
  },
  Errors: {
    Type: "AWS::CloudWatch::Alarm",
    Properties: {
      Namespace: "AWS/Lambda",
      MetricName: "Errors",
      Dimensions: [{ Name: "FunctionName", Value: { Ref: "Writer" } }],
      Statistic: "Sum",
      Period: 60,
      ComparisonOperator: "GreaterThanThreshold",
      Threshold: 0,
      EvaluationPeriods: 3,
      DatapointsToAlarm: 2,
    },
  },
  Page: {
    Type: "AWS::CloudWatch::CompositeAlarm",
    Properties: { AlarmRule: { "Fn::Join": ["", ['ALARM("', { "Fn::GetAtt": ["Failing", "Arn"] }, '")']] } },
  },
  Board: {
    Type: "AWS::CloudWatch::Dashboard",
    Properties: {
      DashboardBody: { "Fn::Join": ["", ['{"widgets":[{"alarm":"', { Ref: "Failing" }, '"}]}']] },
    },
  },
};

let watched: Watched;
const startMs = Date.now();

beforeAll(async () => {
  const lambdas = {
    Writer: { source: writer, properties: { ...json, Environment: { Variables: { A: "b" } } } },
  };
  watched = await startWatched({
    functions: lambdas,
    resources,
    outputs: {
      Function: { Value: { Ref: "Writer" }, Description: "The writer" },
      Odd: { Value: 'a <b> & "c"\n2nd line' },
      Dead: { Value: { Ref: "Dead" } },
    },
  });
  for (const [name, value] of Object.entries(watched.cloud.env)) vi.stubEnv(name, value);
  await write([
    { message: "run_ended", runId: "a", ms: 10 },
    { message: "run_ended", runId: "b", ms: 30 },
    emf({ Failed: 3, Ended: 4 }),
  ]);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await watched.close();
});

function emf(values: Readonly<Record<string, number>>): object {
  const Metrics = Object.keys(values).map((Name) => ({ Name, Unit: "Count" }));
  const directive = { Namespace: "N", Dimensions: [["pool"]], Metrics };
  return { _aws: { Timestamp: startMs, CloudWatchMetrics: [directive] }, pool: "user", ...values };
}

/** Its lines may arrive after its answer. */
async function write(lines: readonly object[]): Promise<void> {
  await watched.cloud.invoke("Writer", { lines }, { type: "RequestResponse" });
  const last = JSON.stringify(lines.at(-1));
  await watched.until((event) => event.kind === "log" && event.line === last);
}

const hour = 3_600_000;
const stat = (MetricName: string) => ({
  Metric: { Namespace: "N", MetricName, Dimensions: dimensions },
  Period: 60,
  Stat: "Sum",
});

it("GetMetricData gives metrics and metric math in the order that was asked for", async () => {
  const command = (ScanBy: "TimestampAscending" | "TimestampDescending") =>
    new GetMetricDataCommand({
      StartTime: new Date(startMs - hour),
      EndTime: new Date(startMs + hour),
      ScanBy,
      MetricDataQueries: [
        { Id: "f", MetricStat: stat("Failed"), Label: "Failed runs" },
        { Id: "percent", Expression: "100 * FILL(f, 0) / 4" },
      ],
    });
  const { MetricDataResults: results = [] } = await new CloudWatchClient().send(
    command("TimestampAscending"),
  );
  const turned = await new CloudWatchClient().send(command("TimestampDescending"));

  const minute = new Date(Math.floor(startMs / 60_000) * 60_000);
  expect(results[0]).toEqual({
    Id: "f",
    Label: "Failed runs",
    StatusCode: "Complete",
    Timestamps: [minute],
    Values: [3],
  });
  expect(results[1]?.Values?.filter((value) => value !== 0)).toEqual([75]);
  expect(turned.MetricDataResults?.[1]?.Timestamps).toEqual(results[1]?.Timestamps?.toReversed());
});

it("DescribeAlarms gives each alarm's definition and state, and the composite ones on request", async () => {
  const client = new CloudWatchClient();
  watched.cloud.evaluateAlarms((Math.floor(startMs / 60_000) + 1) * 60_000);
  const metric = await client.send(new DescribeAlarmsCommand({}));
  const composite = await client.send(new DescribeAlarmsCommand({ AlarmTypes: ["CompositeAlarm"] }));
  const firing = await client.send(
    new DescribeAlarmsCommand({ AlarmTypes: ["MetricAlarm", "CompositeAlarm"], StateValue: "ALARM" }),
  );
  const page = await client.send(new DescribeAlarmsCommand({ MaxRecords: 1 }));
  const rest = await client.send(new DescribeAlarmsCommand({ MaxRecords: 1, NextToken: page.NextToken }));

  expect(metric.CompositeAlarms).toEqual([]);
  expect(metric.MetricAlarms?.map(({ AlarmName }) => AlarmName)).toEqual([
    "TestStack-Failing",
    "TestStack-Errors",
  ]);
  expect(metric.MetricAlarms?.[0]).toMatchObject({
    AlarmArn: "arn:aws:cloudwatch:us-east-1:000000000000:alarm:TestStack-Failing",
    AlarmDescription: "Too many fail.",
    AlarmActions: ["arn:aws:sns:us-east-1:000000000000:TestStack-Topic"],
    StateValue: "ALARM",
    StateReason:
      "1 of the last 1 values [75] were greater than or equal to the threshold (50); 1 out of 1 make an alarm, missing data is treated as notBreaching.",
    StateUpdatedTimestamp: expect.any(Date),
    Threshold: 50,
    EvaluationPeriods: 1,
    DatapointsToAlarm: 1,
    TreatMissingData: "notBreaching",
  });
  expect(metric.MetricAlarms?.[1]).toMatchObject({
    MetricName: "Errors",
    Namespace: "AWS/Lambda",
    Dimensions: [{ Name: "FunctionName", Value: "TestStack-Writer" }],
    Statistic: "Sum",
    Period: 60,
    DatapointsToAlarm: 2,
    TreatMissingData: "missing",
  });
  expect(composite.CompositeAlarms?.map(({ AlarmName, StateValue }) => [AlarmName, StateValue])).toEqual([
    ["TestStack-Page", "ALARM"],
  ]);
  expect(firing.MetricAlarms).toHaveLength(1);
  expect(rest.MetricAlarms?.map(({ AlarmName }) => AlarmName)).toEqual(["TestStack-Errors"]);
  expect(rest.NextToken).toBeUndefined();
  expect(watched.cloud.notifications()).toMatchObject([
    {
      topic: "Topic",
      subscribers: ["email:ops@example.com"],
      subject: 'ALARM: "TestStack-Failing" in us-east-1',
    },
  ]);
});

it("gives the template's dashboards and outputs with their references resolved", () => {
  expect(watched.cloud.dashboards()).toEqual([
    { logicalId: "Board", name: "TestStack-Board", body: { widgets: [{ alarm: "TestStack-Failing" }] } },
  ]);
  expect(watched.cloud.outputs()).toMatchObject({ Function: "TestStack-Writer" });
});

it("FilterLogEvents gives the lines that pass, page by page", async () => {
  const client = new CloudWatchLogsClient();
  const request = { logGroupName: "TestStack-Log", filterPattern: '{ $.message = "run_ended" }', limit: 1 };
  const first = await client.send(new FilterLogEventsCommand(request));
  const second = await client.send(new FilterLogEventsCommand({ ...request, nextToken: first.nextToken }));
  const future = await client.send(
    new FilterLogEventsCommand({ logGroupName: "TestStack-Log", startTime: startMs + hour }),
  );

  expect(first.events).toMatchObject([
    {
      message: '{"message":"run_ended","runId":"a","ms":10}',
      timestamp: expect.any(Number),
      eventId: expect.any(String),
    },
  ]);
  expect(second.events?.map(({ message }) => JSON.parse(message ?? "").runId)).toEqual(["b"]);
  expect(second.nextToken).toBeUndefined();
  expect(future.events).toEqual([]);
});

it("StartQuery and GetQueryResults run a Logs Insights query", async () => {
  const client = new CloudWatchLogsClient();
  const { queryId } = await client.send(
    new StartQueryCommand({
      logGroupNames: ["TestStack-Log"],
      startTime: Math.floor((startMs - hour) / 1_000),
      endTime: Math.ceil((startMs + hour) / 1_000),
      queryString: 'filter message = "run_ended" | stats sum(ms) as total, count(*) as n by message',
    }),
  );

  expect(await client.send(new GetQueryResultsCommand({ queryId }))).toMatchObject({
    status: "Complete",
    results: [
      [
        { field: "message", value: "run_ended" },
        { field: "total", value: "40" },
        { field: "n", value: "2" },
      ],
    ],
  });
});

it("lends, hides, counts and deletes messages of a queue", async () => {
  const client = new SQSClient();
  const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: "TestStack-Dead" }));
  const count = async () => {
    const AttributeNames = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
    const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...AttributeNames] });
    const { Attributes } = await client.send(command);
    return AttributeNames.map((name) => Attributes?.[name]);
  };
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: '{"a":1}' }));
  expect(await count()).toEqual(["1", "0"]);

  const received = await client.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  expect(received.Messages).toMatchObject([
    { Body: '{"a":1}', MD5OfBody: "bb6cb5c68df4652941caf652a366f2d8" },
  ]);
  expect(await count()).toEqual(["0", "1"]);
  expect((await client.send(new ReceiveMessageCommand({ QueueUrl }))).Messages).toBeUndefined();

  const [message] = received.Messages ?? [];
  await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle }));
  expect(await count()).toEqual(["0", "0"]);
  expect(watched.cloud.queue("Dead").size()).toBe(0);
});

it("gives a message again once its time to be hidden is over", async () => {
  const client = new SQSClient();
  const QueueUrl = watched.cloud.outputs()["Dead"];
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: "again" }));
  await client.send(new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 0 }));
  const second = await client.send(
    new ReceiveMessageCommand({ QueueUrl, MessageSystemAttributeNames: ["ApproximateReceiveCount"] }),
  );

  expect(second.Messages?.[0]).toMatchObject({ Body: "again", Attributes: { ApproximateReceiveCount: "2" } });
  await client.send(
    new DeleteMessageCommand({ QueueUrl, ReceiptHandle: second.Messages?.[0]?.ReceiptHandle }),
  );
});

it("GetSchedule and UpdateSchedule show and change a schedule's state", async () => {
  const client = new SchedulerClient();
  const { State, ScheduleExpression, FlexibleTimeWindow, Target } = await client.send(
    new GetScheduleCommand({ Name: "TestStack-Every" }),
  );
  expect([State, ScheduleExpression, Target?.Arn]).toEqual([
    "ENABLED",
    "rate(1 minute)",
    "arn:aws:lambda:us-east-1:000000000000:function:TestStack-Writer",
  ]);

  const update = { Name: "TestStack-Every", ScheduleExpression, FlexibleTimeWindow, Target };
  await client.send(new UpdateScheduleCommand({ ...update, State: "DISABLED" }));
  expect((await client.send(new GetScheduleCommand({ Name: "TestStack-Every" }))).State).toBe("DISABLED");
  expect(await watched.cloud.tick()).toEqual([]);

  await client.send(new UpdateScheduleCommand({ ...update, State: "ENABLED" }));
  expect(await watched.cloud.tick()).toHaveLength(1);
  await watched.cloud.idle();
  await expect(
    client.send(new UpdateScheduleCommand({ ...update, ScheduleExpression: "rate(2 minutes)" })),
  ).rejects.toMatchObject({ name: "ValidationException" });
});

it("DescribeStacks gives the stack's outputs, whatever letters are in them", async () => {
  const client = new CloudFormationClient();
  const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: "TestStack" }));

  expect(Stacks).toMatchObject([
    {
      StackName: "TestStack",
      StackStatus: "CREATE_COMPLETE",
      Outputs: [
        { OutputKey: "Function", OutputValue: "TestStack-Writer", Description: "The writer" },
        { OutputKey: "Odd", OutputValue: 'a <b> & "c"\n2nd line' },
        { OutputKey: "Dead", OutputValue: `${watched.cloud.endpointUrl}/000000000000/TestStack-Dead` },
      ],
    },
  ]);
});

it("GetFunctionConfiguration and GetAccountSettings say what the functions run with", async () => {
  const client = new LambdaClient();

  expect(
    await client.send(new GetFunctionConfigurationCommand({ FunctionName: "TestStack-Writer" })),
  ).toMatchObject({
    Timeout: 20,
    MemorySize: 256,
    Environment: { Variables: { A: "b" } },
    LoggingConfig: { LogFormat: "JSON", LogGroup: "TestStack-Log" },
    State: "Active",
  });
  expect((await client.send(new GetAccountSettingsCommand({}))).AccountLimit).toEqual({
    ConcurrentExecutions: 100,
    UnreservedConcurrentExecutions: 100,
  });
});

it("GetCallerIdentity names one caller", async () => {
  expect(await new STSClient().send(new GetCallerIdentityCommand({}))).toMatchObject({
    Account: "000000000000",
    Arn: "arn:aws:sts::000000000000:assumed-role/local/local",
  });
});

it.each(["RS256", "ES384"])(
  "GetWebIdentityToken gives a token that its published key proves, signed by %s",
  async (algorithm) => {
    const { WebIdentityToken = "", Expiration } = await new STSClient().send(
      new GetWebIdentityTokenCommand({
        Audience: ["https://one", "https://two"],
        SigningAlgorithm: algorithm,
        DurationSeconds: 600,
      }),
    );
    const [head = "", claims = "", signature = ""] = WebIdentityToken.split(".");
    const decode = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());
    const published = await fetch(`${watched.cloud.endpointUrl}/.well-known/jwks.json`);
    const { keys } = (await published.json()) as { keys: { kid: string }[] };
    const jwk = keys.find(({ kid }) => kid === decode(head).kid)!;
    const key = createPublicKey({ key: jwk, format: "jwk" });
    const hash = { RS256: "sha256", ES384: "sha384" }[algorithm];

    expect(decode(claims)).toMatchObject({
      iss: watched.cloud.endpointUrl,
      aud: ["https://one", "https://two"],
      sub: "arn:aws:iam::000000000000:role/local",
      exp: Expiration!.getTime() / 1_000,
    });
    expect(decode(claims).exp - decode(claims).iat).toBe(600);
    expect(
      verify(
        hash,
        Buffer.from(`${head}.${claims}`),
        { key, dsaEncoding: "ieee-p1363" },
        Buffer.from(signature, "base64url"),
      ),
    ).toBe(true);
  },
);

it("serves DynamoDB at the same address", async () => {
  const client = new DynamoDBClient();
  await client.send(new PutItemCommand({ TableName: "TestStack-Table", Item: { pk: { S: "ä" } } }));

  const { Item } = await client.send(
    new GetItemCommand({ TableName: "TestStack-Table", Key: { pk: { S: "ä" } } }),
  );
  expect(Item).toEqual({ pk: { S: "ä" } });
});

const send = {
  cloudWatch: () => new CloudWatchClient().send(new PutMetricDataCommand({ Namespace: "N", MetricData: [] })),
  cloudFormation: () => new CloudFormationClient().send(new ListStacksCommand({})),
  stack: () => new CloudFormationClient().send(new DescribeStacksCommand({ StackName: "Other" })),
  group: () => new CloudWatchLogsClient().send(new FilterLogEventsCommand({ logGroupName: "Other" })),
  query: () =>
    new CloudWatchLogsClient().send(
      new StartQueryCommand({
        logGroupName: "TestStack-Log",
        startTime: 0,
        endTime: 1,
        queryString: "unknown x",
      }),
    ),
  queue: () =>
    new SQSClient().send(
      new SendMessageCommand({ QueueUrl: `${watched.cloud.endpointUrl}/1/Other`, MessageBody: "x" }),
    ),
  schedule: () => new SchedulerClient().send(new GetScheduleCommand({ Name: "Other" })),
  function: () => new LambdaClient().send(new GetFunctionConfigurationCommand({ FunctionName: "Other" })),
  table: () => new DynamoDBClient().send(new GetItemCommand({ TableName: "Other", Key: { pk: { S: "x" } } })),
  algorithm: () =>
    new STSClient().send(new GetWebIdentityTokenCommand({ Audience: ["x"], SigningAlgorithm: "HS256" })),
  math: () =>
    new CloudWatchClient().send(
      new GetMetricDataCommand({
        StartTime: new Date(0),
        EndTime: new Date(1),
        MetricDataQueries: [{ Id: "e", Expression: "ANOMALY_DETECTION_BAND(m)" }],
      }),
    ),
} as const;

it.each([
  ["an action of a JSON service that is not served", "cloudWatch", "UnknownOperationException"],
  ["an action of a query service that is not served", "cloudFormation", "UnknownOperationException"],
  ["a stack that does not exist", "stack", "ValidationError"],
  ["a log group that does not exist", "group", "ResourceNotFoundException"],
  ["a query that is not understood", "query", "MalformedQueryException"],
  ["a queue that does not exist", "queue", "QueueDoesNotExist"],
  ["a schedule that does not exist", "schedule", "ResourceNotFoundException"],
  ["a function that does not exist", "function", "ResourceNotFoundException"],
  ["a table that does not exist", "table", "ResourceNotFoundException"],
  ["an algorithm that does not exist", "algorithm", "ValidationError"],
  ["metric math that is not understood", "math", "ValidationException"],
] as const)("refuses %s by name", async (_, what, name) => {
  await expect(send[what]()).rejects.toMatchObject({ name });
});
