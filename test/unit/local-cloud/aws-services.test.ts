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

const group = { logGroupName: "TestStack-Log" };
const query = { ...group, startTime: 0, endTime: 1, queryString: "unknown x" };
const message = () => ({ QueueUrl: `${watched.cloud.endpointUrl}/1/Other`, MessageBody: "x" });
const band = [{ Id: "e", Expression: "ANOMALY_DETECTION_BAND(m)" }];
const math = { StartTime: new Date(0), EndTime: new Date(1), MetricDataQueries: band };
const metrics = { Namespace: "N", MetricData: [] };

it.each<[string, string, () => Promise<unknown>]>([
  [
    "an unsupported action",
    "UnknownOperationException",
    () => cloudWatch().send(new PutMetricDataCommand(metrics)),
  ],
  ["an unsupported query action", "UnknownOperationException", () => stacks().send(new ListStacksCommand())],
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
  ["an unsupported log query", "MalformedQueryException", () => logs().send(new StartQueryCommand(query))],
  ["another queue", "QueueDoesNotExist", () => sqs().send(new SendMessageCommand(message()))],
  [
    "another schedule",
    "ResourceNotFoundException",
    () => scheduler().send(new GetScheduleCommand({ Name: "Other" })),
  ],
  ["a signing algorithm that does not exist", "ValidationError", () => getToken("HS256")],
  ["unsupported metric math", "ValidationException", () => cloudWatch().send(new GetMetricDataCommand(math))],
])("a call is rejected with AWS's error name: %s", async (_, name, send) => {
  await expect(send()).rejects.toMatchObject({ name });
});
