import { createPublicKey, verify } from "node:crypto";
import {
  CloudFormationClient,
  DescribeStacksCommand,
  ListStacksCommand,
} from "@aws-sdk/client-cloudformation";
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  type DescribeAlarmsCommandInput,
  GetMetricDataCommand,
  PutMetricDataCommand,
} from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  FilterLogEventsCommand,
  StartQueryCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { GetScheduleCommand, SchedulerClient, UpdateScheduleCommand } from "@aws-sdk/client-scheduler";
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
  type ReceiveMessageCommandInput,
} from "@aws-sdk/client-sqs";
import { GetWebIdentityTokenCommand, STSClient } from "@aws-sdk/client-sts";
import { expect, it } from "vitest";
import { useCloud } from "./fixture.ts";

/** Writes each line of its event to standard output. */
const writer = `export const handler = async ({ lines }) => { for (const line of lines) process.stdout.write(line + "\\n"); };`;

const alarm = (MetricName: string, TreatMissingData: string) => ({
  Type: "AWS::CloudWatch::Alarm",
  Properties: {
    Namespace: "AWS/Lambda",
    MetricName,
    Dimensions: [{ Name: "FunctionName", Value: { Ref: "Writer" } }],
    Statistic: "Sum",
    Period: 60,
    ComparisonOperator: "GreaterThanThreshold",
    Threshold: 0,
    EvaluationPeriods: 3,
    TreatMissingData,
  },
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
  Quiet: alarm("Throttles", "notBreaching"),
  Errors: alarm("Errors", "missing"),
  Page: {
    Type: "AWS::CloudWatch::CompositeAlarm",
    Properties: { AlarmRule: { "Fn::Join": ["", ['ALARM("', { "Fn::GetAtt": ["Errors", "Arn"] }, '")']] } },
  },
};

const watched = useCloud({
  functions: {
    Writer: {
      source: writer,
      properties: { LoggingConfig: { LogFormat: "JSON", LogGroup: { Ref: "Log" } } },
    },
  },
  resources,
  outputs: {
    Function: { Value: { Ref: "Writer" }, Description: "The writer" },
    Odd: { Value: 'a <b> & "c"\n2nd line' },
  },
});
const startMs = Date.now();

const cloudWatch = () => new CloudWatchClient();
const logs = () => new CloudWatchLogsClient();
const scheduler = () => new SchedulerClient();
const sqs = () => new SQSClient();
const stacks = () => new CloudFormationClient();
const getToken = (SigningAlgorithm: string) => {
  const options = { Audience: ["https://one", "https://two"], SigningAlgorithm, DurationSeconds: 600 };
  return new STSClient().send(new GetWebIdentityTokenCommand(options));
};

it("DescribeAlarms returns alarms by type and state, page by page", async () => {
  const named = async (input: DescribeAlarmsCommandInput) => {
    const answer = await cloudWatch().send(new DescribeAlarmsCommand(input));
    const { MetricAlarms = [], CompositeAlarms = [], NextToken } = answer;
    const all = [...MetricAlarms, ...CompositeAlarms];
    return { alarms: all.map(({ AlarmName, StateValue }) => `${AlarmName} ${StateValue}`), NextToken };
  };
  watched.cloud.evaluateAlarms((Math.floor(startMs / 60_000) + 1) * 60_000);
  const [quiet, errors] = ["TestStack-Quiet OK", "TestStack-Errors INSUFFICIENT_DATA"];
  const composite = "TestStack-Page OK";

  expect((await named({})).alarms).toEqual([quiet, errors]);
  expect((await named({ AlarmTypes: ["CompositeAlarm"] })).alarms).toEqual([composite]);
  expect((await named({ AlarmTypes: ["MetricAlarm", "CompositeAlarm"], StateValue: "OK" })).alarms).toEqual([
    quiet,
    composite,
  ]);
  const { NextToken } = await named({ MaxRecords: 1 });
  expect(await named({ MaxRecords: 1, NextToken })).toEqual({ alarms: [errors], NextToken: undefined });
});

it("FilterLogEvents returns the matching lines, page by page", async () => {
  const lines = ["one", "two"].map((runId) => JSON.stringify({ message: "run_ended", runId }));
  await watched.cloud.invoke("Writer", { lines: [...lines, "last"] }, { type: "RequestResponse" });
  await watched.until((event) => event.kind === "log" && event.line === "last");
  const ask = (more: object) =>
    logs().send(new FilterLogEventsCommand({ logGroupName: "TestStack-Log", limit: 1, ...more }));
  const filterPattern = '{ $.message = "run_ended" }';
  const first = await ask({ filterPattern });
  const second = await ask({ filterPattern, nextToken: first.nextToken });

  expect(first.events).toMatchObject([{ message: lines[0] }]);
  expect(second.events).toMatchObject([{ message: lines[1] }]);
  expect(second.nextToken).toBeUndefined();
  expect((await ask({ startTime: startMs + 3_600_000 })).events).toEqual([]);
});

it("a received message is hidden until its timeout, is counted, and is gone once deleted", async () => {
  const client = sqs();
  const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: "TestStack-Dead" }));
  const count = async () => {
    const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
    const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] });
    const { Attributes } = await client.send(command);
    return names.map((name) => Attributes?.[name]);
  };
  const receive = async (more: Omit<ReceiveMessageCommandInput, "QueueUrl"> = {}) =>
    (await client.send(new ReceiveMessageCommand({ QueueUrl, ...more }))).Messages;
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: '{"a":1}' }));
  expect(await count()).toEqual(["1", "0"]);

  expect(await receive({ VisibilityTimeout: 0 })).toMatchObject([
    { Body: '{"a":1}', MD5OfBody: "bb6cb5c68df4652941caf652a366f2d8" },
  ]);
  const [again] = (await receive({ MessageSystemAttributeNames: ["ApproximateReceiveCount"] })) ?? [];
  expect(again).toMatchObject({ Body: '{"a":1}', Attributes: { ApproximateReceiveCount: "2" } });
  expect(await count()).toEqual(["0", "1"]);
  expect(await receive()).toBeUndefined();

  await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: again?.ReceiptHandle }));
  expect(await count()).toEqual(["0", "0"]);
});

it("UpdateSchedule changes a schedule's state, and rejects other changes", async () => {
  const client = scheduler();
  const get = () => client.send(new GetScheduleCommand({ Name: "TestStack-Every" }));
  const { State, ScheduleExpression, FlexibleTimeWindow, Target } = await get();
  expect([State, ScheduleExpression]).toEqual(["ENABLED", "rate(1 minute)"]);

  const update = { Name: "TestStack-Every", ScheduleExpression, FlexibleTimeWindow, Target };
  await client.send(new UpdateScheduleCommand({ ...update, State: "DISABLED" }));
  expect((await get()).State).toBe("DISABLED");
  expect(await watched.cloud.tick()).toEqual([]);

  await client.send(new UpdateScheduleCommand({ ...update, State: "ENABLED" }));
  expect(await watched.cloud.tick()).toHaveLength(1);
  await watched.cloud.idle();
  const other = new UpdateScheduleCommand({ ...update, ScheduleExpression: "rate(2 minutes)" });
  await expect(client.send(other)).rejects.toMatchObject({ name: "ValidationException" });
});

it("DescribeStacks returns the stack's outputs, including special characters", async () => {
  const { Stacks } = await stacks().send(new DescribeStacksCommand({ StackName: "TestStack" }));

  expect(Stacks).toMatchObject([
    {
      StackStatus: "CREATE_COMPLETE",
      Outputs: [
        { OutputKey: "Function", OutputValue: "TestStack-Writer", Description: "The writer" },
        { OutputKey: "Odd", OutputValue: 'a <b> & "c"\n2nd line' },
      ],
    },
  ]);
});

it.each([
  ["RS256", "sha256"],
  ["ES384", "sha384"],
])(
  "GetWebIdentityToken returns a token that the published key verifies, signed with %s",
  async (algorithm, hash) => {
    const { WebIdentityToken = "", Expiration } = await getToken(algorithm);
    const [head = "", claims = "", signature = ""] = WebIdentityToken.split(".");
    const decode = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());
    const published = await fetch(`${watched.cloud.endpointUrl}/.well-known/jwks.json`);
    const { keys } = (await published.json()) as { keys: { kid: string }[] };
    const jwk = keys.find(({ kid }) => kid === decode(head).kid)!;
    const key = createPublicKey({ key: jwk, format: "jwk" });
    const { iat, ...said } = decode(claims);

    expect(said).toMatchObject({
      iss: watched.cloud.endpointUrl,
      aud: ["https://one", "https://two"],
      sub: "arn:aws:iam::000000000000:role/local",
      exp: Expiration!.getTime() / 1_000,
    });
    expect(said.exp - iat).toBe(600);
    const signed = Buffer.from(`${head}.${claims}`);
    const proof = Buffer.from(signature, "base64url");
    expect(verify(hash, signed, { key, dsaEncoding: "ieee-p1363" }, proof)).toBe(true);
  },
);

it.each([
  [
    "an unsupported action of a JSON service",
    "UnknownOperationException",
    () => cloudWatch().send(new PutMetricDataCommand({ Namespace: "N", MetricData: [] })),
  ],
  [
    "an unsupported action of a query service",
    "UnknownOperationException",
    () => stacks().send(new ListStacksCommand({})),
  ],
  [
    "another stack",
    "ValidationError",
    () => stacks().send(new DescribeStacksCommand({ StackName: "Other" })),
  ],
  [
    "another log group",
    "ResourceNotFoundException",
    () => logs().send(new FilterLogEventsCommand({ logGroupName: "Other" })),
  ],
  [
    "an unsupported log query",
    "MalformedQueryException",
    () => {
      const query = { logGroupName: "TestStack-Log", startTime: 0, endTime: 1, queryString: "unknown x" };
      return logs().send(new StartQueryCommand(query));
    },
  ],
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
    "unsupported metric math",
    "ValidationException",
    () => {
      const MetricDataQueries = [{ Id: "e", Expression: "ANOMALY_DETECTION_BAND(m)" }];
      const range = { StartTime: new Date(0), EndTime: new Date(1) };
      return cloudWatch().send(new GetMetricDataCommand({ ...range, MetricDataQueries }));
    },
  ],
])("a call is rejected with AWS's error name: %s", async (_, name, send) => {
  await expect(send()).rejects.toMatchObject({ name });
});
