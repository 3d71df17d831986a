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
  type MetricDataQuery,
  type ScanBy,
} from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  FilterLogEventsCommand,
  GetQueryResultsCommand,
  StartQueryCommand,
} from "@aws-sdk/client-cloudwatch-logs";
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
import { GetWebIdentityTokenCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { startWatched, type Watched } from "./fixture.ts";

/** Writes what its event says, as a line of its own. */
const writer = `export const handler = async ({ lines }) => { for (const line of lines) process.stdout.write(JSON.stringify(line) + "\\n"); };`;

const json = { LoggingConfig: { LogFormat: "JSON", LogGroup: { Ref: "Log" } } };
const stat = (MetricName: string) => ({
  Metric: { Namespace: "N", MetricName, Dimensions: [{ Name: "pool", Value: "user" }] },
  Period: 60,
  Stat: "Sum",
});

const resources = {
  Log: { Type: "AWS::Logs::LogGroup" },
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
      AlarmActions: [{ Ref: "Topic" }],
      ComparisonOperator: "GreaterThanOrEqualToThreshold",
      Threshold: 50,
      EvaluationPeriods: 1,
      TreatMissingData: "notBreaching",
      Metrics: [
        { Id: "e", Expression: "100 * failed / ended" },
        { Id: "failed", MetricStat: stat("Failed"), ReturnData: false },
        { Id: "ended", MetricStat: stat("Ended"), ReturnData: false },
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

const cloudWatch = () => new CloudWatchClient();
const logs = () => new CloudWatchLogsClient();
const scheduler = () => new SchedulerClient();
const sqs = () => new SQSClient();
const stacks = () => new CloudFormationClient();

const getMetrics = (MetricDataQueries: MetricDataQuery[], ScanBy: ScanBy = "TimestampAscending") => {
  const range = { StartTime: new Date(startMs - hour), EndTime: new Date(startMs + hour) };
  return cloudWatch().send(new GetMetricDataCommand({ ...range, ScanBy, MetricDataQueries }));
};

const runQuery = (queryString: string) => {
  const range = {
    startTime: Math.floor((startMs - hour) / 1_000),
    endTime: Math.ceil((startMs + hour) / 1_000),
  };
  return logs().send(new StartQueryCommand({ logGroupNames: ["TestStack-Log"], ...range, queryString }));
};

const getToken = (SigningAlgorithm: string) => {
  const Audience = ["https://one", "https://two"];
  return new STSClient().send(
    new GetWebIdentityTokenCommand({ Audience, SigningAlgorithm, DurationSeconds: 600 }),
  );
};

it("GetMetricData gives metrics and metric math in the order that was asked for", async () => {
  const queries = [
    { Id: "f", MetricStat: stat("Failed"), Label: "Failed runs" },
    { Id: "percent", Expression: "100 * FILL(f, 0) / 4" },
  ];
  const { MetricDataResults: results = [] } = await getMetrics(queries);
  const turned = await getMetrics(queries, "TimestampDescending");

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
  const client = cloudWatch();
  watched.cloud.evaluateAlarms((Math.floor(startMs / 60_000) + 1) * 60_000);
  const metric = await client.send(new DescribeAlarmsCommand({}));
  const composite = await client.send(new DescribeAlarmsCommand({ AlarmTypes: ["CompositeAlarm"] }));
  const firing = await client.send(
    new DescribeAlarmsCommand({ AlarmTypes: ["MetricAlarm", "CompositeAlarm"], StateValue: "ALARM" }),
  );
  const page = await client.send(new DescribeAlarmsCommand({ MaxRecords: 1 }));
  const rest = await client.send(new DescribeAlarmsCommand({ MaxRecords: 1, NextToken: page.NextToken }));

  expect(metric.CompositeAlarms).toEqual([]);
  expect(metric.MetricAlarms).toMatchObject([
    {
      AlarmName: "TestStack-Failing",
      AlarmActions: ["arn:aws:sns:us-east-1:000000000000:TestStack-Topic"],
      StateValue: "ALARM",
      Threshold: 50,
      TreatMissingData: "notBreaching",
    },
    {
      AlarmName: "TestStack-Errors",
      MetricName: "Errors",
      Dimensions: [{ Name: "FunctionName", Value: "TestStack-Writer" }],
      EvaluationPeriods: 3,
      DatapointsToAlarm: 3,
      TreatMissingData: "missing",
    },
  ]);
  expect(composite.CompositeAlarms?.map(({ AlarmName, StateValue }) => [AlarmName, StateValue])).toEqual([
    ["TestStack-Page", "ALARM"],
  ]);
  expect(firing.MetricAlarms).toHaveLength(1);
  expect(rest.MetricAlarms?.map(({ AlarmName }) => AlarmName)).toEqual(["TestStack-Errors"]);
  expect(rest.NextToken).toBeUndefined();
  expect(watched.cloud.notifications()).toMatchObject([{ subscribers: ["email:ops@example.com"] }]);
});

it("gives the template's dashboards and outputs with their references resolved", () => {
  expect(watched.cloud.dashboards()).toEqual([
    { logicalId: "Board", name: "TestStack-Board", body: { widgets: [{ alarm: "TestStack-Failing" }] } },
  ]);
  expect(watched.cloud.outputs()).toMatchObject({ Function: "TestStack-Writer" });
});

it("FilterLogEvents gives the lines that pass, page by page", async () => {
  const client = logs();
  const request = { logGroupName: "TestStack-Log", filterPattern: '{ $.message = "run_ended" }', limit: 1 };
  const first = await client.send(new FilterLogEventsCommand(request));
  const second = await client.send(new FilterLogEventsCommand({ ...request, nextToken: first.nextToken }));
  const future = await client.send(
    new FilterLogEventsCommand({ logGroupName: "TestStack-Log", startTime: startMs + hour }),
  );

  expect(first.events).toMatchObject([{ message: '{"message":"run_ended","runId":"a","ms":10}' }]);
  expect(second.events?.map(({ message }) => JSON.parse(message ?? "").runId)).toEqual(["b"]);
  expect(second.nextToken).toBeUndefined();
  expect(future.events).toEqual([]);
});

it("StartQuery and GetQueryResults run a Logs Insights query", async () => {
  const { queryId } = await runQuery(
    'filter message = "run_ended" | stats sum(ms) as total, count(*) as n by message',
  );

  expect(await logs().send(new GetQueryResultsCommand({ queryId }))).toMatchObject({
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

it("hides a received message of a queue, counts it, and forgets it once it is deleted", async () => {
  const client = sqs();
  const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: "TestStack-Dead" }));
  const count = async () => {
    const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] }),
    );
    return names.map((name) => Attributes?.[name]);
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
});

it("gives a message again once its time to be hidden is over", async () => {
  const client = sqs();
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

it("GetSchedule and UpdateSchedule show and change a schedule's state, and nothing else of it", async () => {
  const client = scheduler();
  const { State, ScheduleExpression, FlexibleTimeWindow, Target } = await client.send(
    new GetScheduleCommand({ Name: "TestStack-Every" }),
  );
  expect([State, ScheduleExpression]).toEqual(["ENABLED", "rate(1 minute)"]);

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
  const { Stacks } = await stacks().send(new DescribeStacksCommand({ StackName: "TestStack" }));

  expect(Stacks).toMatchObject([
    {
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
  const command = new GetFunctionConfigurationCommand({ FunctionName: "TestStack-Writer" });

  expect(await client.send(command)).toMatchObject({
    Timeout: 20,
    MemorySize: 256,
    Environment: { Variables: { A: "b" } },
  });
  expect((await client.send(new GetAccountSettingsCommand({}))).AccountLimit).toEqual({
    ConcurrentExecutions: 100,
    UnreservedConcurrentExecutions: 100,
  });
});

it.each(["RS256", "ES384"])(
  "GetWebIdentityToken gives a token that its published key proves, signed by %s",
  async (algorithm) => {
    const { WebIdentityToken = "", Expiration } = await getToken(algorithm);
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
    const signed = Buffer.from(`${head}.${claims}`);
    const proof = Buffer.from(signature, "base64url");
    expect(verify(hash, signed, { key, dsaEncoding: "ieee-p1363" }, proof)).toBe(true);
  },
);

it.each([
  [
    "an action of a JSON service that is not served",
    "UnknownOperationException",
    () => cloudWatch().send(new PutMetricDataCommand({ Namespace: "N", MetricData: [] })),
  ],
  [
    "an action of a query service that is not served",
    "UnknownOperationException",
    () => stacks().send(new ListStacksCommand({})),
  ],
  ["another stack", "ValidationError", () => stacks().send(new DescribeStacksCommand({ StackName: "Other" }))],
  [
    "another log group",
    "ResourceNotFoundException",
    () => logs().send(new FilterLogEventsCommand({ logGroupName: "Other" })),
  ],
  ["a log query that is not understood", "MalformedQueryException", () => runQuery("unknown x")],
  [
    "another queue",
    "QueueDoesNotExist",
    () => {
      const QueueUrl = `${watched.cloud.endpointUrl}/1/Other`;
      return sqs().send(new SendMessageCommand({ QueueUrl, MessageBody: "x" }));
    },
  ],
  [
    "another schedule",
    "ResourceNotFoundException",
    () => scheduler().send(new GetScheduleCommand({ Name: "Other" })),
  ],
  ["a signing algorithm that does not exist", "ValidationError", () => getToken("HS256")],
  [
    "metric math that is not understood",
    "ValidationException",
    () => getMetrics([{ Id: "e", Expression: "ANOMALY_DETECTION_BAND(m)" }]),
  ],
])("refuses %s by name", async (_, name, send) => {
  await expect(send()).rejects.toMatchObject({ name });
});
