import { describe, expect, it } from "vitest";
import { maxDescriptionCharacters } from "../../../infra/monitoring/alarm-row.ts";
import { alarmRows } from "../../../infra/monitoring/alarms.ts";
import { alarmsOf, isEmitted, monitored } from "./monitored.ts";
import { arnOf, ref } from "./synthesized.ts";

const capped = monitored({}, { dailyCapUsd: 20 });
const alarms = alarmsOf(capped);
const propertiesOf = (id: string) => alarms.get(id)?.resource.Properties;
const functionNamed = (part: string) => ref(capped.resource("AWS::Lambda::Function", part));

/** One metric of the pool alone. */
const ofPool = (MetricName: string) => ({
  Namespace: "StudioRunner",
  MetricName,
  Dimensions: [{ Name: "pool", Value: "default" }],
});
const stat = (Id: string, Metric: unknown, [Stat, Period]: readonly [string, number]) => ({
  Id,
  MetricStat: { Metric, Period, Stat },
  ReturnData: false,
});
const once = { EvaluationPeriods: 1, DatapointsToAlarm: 1 };
const atLeast = {
  ComparisonOperator: "GreaterThanOrEqualToThreshold",
  TreatMissingData: "notBreaching",
};

describe("with the default settings and a cap of 20 USD", () => {
  it.each([
    [
      "NoGoodPoll",
      {
        ...ofPool("GoodPolls"),
        EvaluationPeriods: 5,
        DatapointsToAlarm: 5,
        Statistic: "Sum",
        Period: 60,
        Threshold: 1,
        ComparisonOperator: "LessThanThreshold",
        TreatMissingData: "breaching",
      },
    ],
    [
      "KeysRefused",
      { ...ofPool("KeysRefused"), ...once, ...atLeast, Statistic: "Sum", Period: 300, Threshold: 1 },
    ],
    [
      "LostLeases",
      { ...ofPool("RunsLost"), ...once, ...atLeast, Statistic: "Sum", Period: 900, Threshold: 2 },
    ],
    ["Restarts", { ...ofPool("Restarts"), ...once, ...atLeast, Statistic: "Sum", Period: 900, Threshold: 3 }],
    [
      "LeaseNearlyGone",
      {
        ...ofPool("LeaseLeftPercent"),
        ...once,
        Statistic: "Minimum",
        Period: 300,
        Threshold: 50,
        ComparisonOperator: "LessThanThreshold",
        TreatMissingData: "notBreaching",
      },
    ],
    [
      "RunTimeNearLimit",
      { ...ofPool("RunSeconds"), ...once, ...atLeast, Statistic: "Maximum", Period: 900, Threshold: 2880 },
    ],
    [
      "DeadLetters",
      {
        Namespace: "AWS/SQS",
        MetricName: "ApproximateNumberOfMessagesVisible",
        Dimensions: [
          {
            Name: "QueueName",
            Value: { "Fn::GetAtt": [capped.resource("AWS::SQS::Queue").logicalId, "QueueName"] },
          },
        ],
        ...once,
        ...atLeast,
        Statistic: "Maximum",
        Period: 300,
        Threshold: 1,
      },
    ],
    [
      "Spending80",
      {
        ...ofPool("DailySpendPercent"),
        ...once,
        ...atLeast,
        Statistic: "Maximum",
        Period: 300,
        Threshold: 80,
        TreatMissingData: "ignore",
      },
    ],
    [
      "Spending100",
      {
        ...ofPool("DailySpendPercent"),
        ...once,
        ...atLeast,
        Statistic: "Maximum",
        Period: 300,
        Threshold: 100,
        TreatMissingData: "ignore",
      },
    ],
    [
      "DispatcherErrors",
      {
        Namespace: "AWS/Lambda",
        MetricName: "Errors",
        Dimensions: [{ Name: "FunctionName", Value: functionNamed("Dispatcher") }],
        ...once,
        ...atLeast,
        Statistic: "Sum",
        Period: 300,
        Threshold: 3,
      },
    ],
  ])("%s looks at one metric", (id, expected) => {
    expect(propertiesOf(id)).toMatchObject(expected);
  });

  it("FailureRate looks at the failed of the ended runs, once enough have ended", () => {
    expect(propertiesOf("FailureRate")).toMatchObject({
      ...once,
      ...atLeast,
      Threshold: 20,
      Metrics: [
        { Expression: "IF(ended >= 6, 100 * failed / ended, 0)", ReturnData: true },
        stat("failed", ofPool("RunsFailed"), ["Sum", 900]),
        stat("ended", ofPool("RunSeconds"), ["SampleCount", 900]),
      ],
    });
  });

  it("Throttles adds up what Lambda and DynamoDB turn away, and lets a short burst pass", () => {
    const throttles = (part: string) => ({
      Namespace: "AWS/Lambda",
      MetricName: "Throttles",
      Dimensions: [{ Name: "FunctionName", Value: functionNamed(part) }],
    });
    expect(propertiesOf("Throttles")).toMatchObject({
      ...atLeast,
      EvaluationPeriods: 3,
      DatapointsToAlarm: 2,
      Threshold: 1,
      Metrics: [
        { Expression: "SUM(METRICS())", ReturnData: true },
        stat("dispatcher", throttles("Dispatcher"), ["Sum", 300]),
        stat("processor", throttles("Processor"), ["Sum", 300]),
        stat("recovery", throttles("Recovery"), ["Sum", 300]),
        stat("runStore", ofPool("RunStoreThrottles"), ["Sum", 300]),
      ],
    });
  });
});

describe("thresholds follow from settings", () => {
  const strict = alarmsOf(
    monitored(
      { monitoring: { failurePercent: 5 } },
      { concurrency: 80, runLimitMinutes: 100, dailyCapUsd: 5 },
    ),
  );
  it.each([
    ["LostLeases", 8, "at 8 lost runs in 15 minutes: a tenth of concurrency (80)"],
    ["Restarts", 16, "at 16 restarts in 15 minutes: a fifth of concurrency (80)"],
    ["RunTimeNearLimit", 4800, "80 % of runLimitMinutes (100)"],
    ["FailureRate", 5, "5 % (monitoring.failurePercent) or more of at least 21 runs"],
    ["Spending80", 80, "80 % of dailyCapUsd (5 USD)"],
  ])("%s: %i, and its text says so", (id, threshold, words) => {
    expect(strict.get(id)).toMatchObject({ Threshold: threshold });
    expect(strict.get(id)?.AlarmDescription).toContain(words);
  });

  it.each([
    { failurePercent: 1, fewest: 101 },
    { failurePercent: 20, fewest: 6 },
    { failurePercent: 30, fewest: 5 },
    { failurePercent: 100, fewest: 5 },
  ])(
    "one failed run alone stays below $failurePercent %: at least $fewest must have ended",
    ({ failurePercent, fewest }) => {
      const found = alarmsOf(monitored({ monitoring: { failurePercent } })).get("FailureRate");
      expect(found?.Metrics?.[0]?.Expression).toBe(`IF(ended >= ${fewest}, 100 * failed / ended, 0)`);
      expect(100 / fewest).toBeLessThan(failurePercent);
    },
  );
});

describe("every alarm", () => {
  it("reads only metrics that are emitted with exactly those dimensions", () => {
    const unknown = [...alarms.values()]
      .flatMap(({ metrics }) => metrics)
      .filter((metric) => !isEmitted(metric));
    expect(unknown).toEqual([]);
  });

  it("stays within CloudWatch's bounds", () => {
    for (const { AlarmDescription, metrics, resource } of alarms.values()) {
      expect(AlarmDescription.length).toBeLessThanOrEqual(maxDescriptionCharacters);
      expect(metrics.length).toBeLessThanOrEqual(10);
      expect(JSON.stringify(resource.Properties)).not.toContain("SEARCH");
      expect(resource.Properties).not.toHaveProperty("AlarmName");
    }
  });

  it("says what it means, when it fires, what to look at, what to run, and where the runbook has it", () => {
    for (const [id, { AlarmDescription }] of alarms)
      expect(AlarmDescription.split("\n")).toEqual([
        expect.stringMatching(/^[A-Z].*\.$/),
        expect.stringMatching(/^Fires (?:when|at) .*[.]$/),
        expect.stringMatching(/^Look at: .*\.$/),
        expect.stringMatching(/^Run: npm run runner -- [a-z]+.* --pool default$/),
        `Runbook: docs/runbook.md#${id.toLowerCase()}`,
      ]);
  });
});

describe("who is told", () => {
  const topic = ref(capped.resource("AWS::SNS::Topic"));
  const paging = ["NoGoodPoll", "KeysRefused", "FailureRate", "DeadLetters", "Spending100"];

  it("those that page speak through Page, when it begins and when it is over", () => {
    const page = capped.resource("AWS::CloudWatch::CompositeAlarm").Properties;
    expect(page).toMatchObject({ AlarmActions: [topic], OKActions: [topic] });
    expect(page).not.toHaveProperty("AlarmName");
    const arns = paging.map((id) => arnOf(alarms.get(id)!.resource));
    const [first, ...others] = arns;
    expect(page["AlarmRule"]).toEqual({
      "Fn::Join": ["", ['(ALARM("', first, ...others.flatMap((arn) => ['") OR ALARM("', arn]), '"))']],
    });
  });

  it("all others speak for themselves", () => {
    for (const [id, { AlarmActions, OKActions }] of alarms) {
      const told = paging.includes(id) ? [] : [topic];
      expect([id, AlarmActions, OKActions]).toEqual([id, told, told]);
    }
  });
});

describe("levels", () => {
  const ids = (level: string, pool = {}): readonly string[] => [
    ...alarmsOf(monitored({ monitoring: { level } }, pool)).keys(),
  ];

  it("full has every alarm, those of spending where there is a cap", () => {
    expect([...alarms.keys()]).toEqual(alarmRows.map(({ id }) => id));
    expect(ids("full")).toEqual(
      alarmRows.map(({ id }) => id).filter((id) => id !== "Spending80" && id !== "Spending100"),
    );
  });

  it("lean has the few that page, each with a voice of its own, and saved queries", () => {
    expect(ids("lean")).toEqual(["NoGoodPoll", "KeysRefused", "DeadLetters"]);
    const lean = monitored({ monitoring: { level: "lean" } }, { dailyCapUsd: 1 });
    const topic = [ref(lean.resource("AWS::SNS::Topic"))];
    const found = alarmsOf(lean);
    expect([...found.keys()]).toEqual(["NoGoodPoll", "KeysRefused", "DeadLetters", "Spending100"]);
    for (const alarm of found.values())
      expect(alarm).toMatchObject({ AlarmActions: topic, OKActions: topic });
    expect(lean.types).not.toContain("AWS::CloudWatch::CompositeAlarm");
    expect(lean.types).not.toContain("AWS::CloudWatch::Dashboard");
    expect(lean.resources("AWS::Logs::QueryDefinition")).toHaveLength(5);
  });

  it.each([
    { level: "full", pool: {}, metrics: 14 },
    { level: "full", pool: { dailyCapUsd: 1 }, metrics: 16 },
    { level: "lean", pool: {}, metrics: 3 },
    { level: "lean", pool: { dailyCapUsd: 1 }, metrics: 4 },
  ])("$level reads $metrics metrics, each of which is billed, with $pool", ({ level, pool, metrics }) => {
    const found = [...alarmsOf(monitored({ monitoring: { level } }, pool)).values()];
    expect(found.flatMap((alarm) => alarm.metrics)).toHaveLength(metrics);
  });

  it("off has nothing", () => {
    const { types } = monitored({ monitoring: { level: "off" } });
    expect(types.filter((type) => /CloudWatch|SNS|QueryDefinition/.test(type))).toEqual([]);
  });
});

describe("the topic", () => {
  const stack = monitored({ monitoring: { email: "night@example.com" } });
  const topic = stack.resource("AWS::SNS::Topic");

  it("sends e-mail where the settings name an address", () => {
    expect(stack.resource("AWS::SNS::Subscription").Properties).toEqual({
      Endpoint: "night@example.com",
      Protocol: "email",
      TopicArn: ref(topic),
    });
    expect(capped.resources("AWS::SNS::Subscription")).toEqual([]);
  });

  it("takes messages from this account's alarms, and from nobody without TLS", () => {
    const own = { Ref: "AWS::AccountId" };
    expect(stack.resource("AWS::SNS::TopicPolicy").Properties).toMatchObject({
      Topics: [ref(topic)],
      PolicyDocument: {
        Statement: [
          {
            Effect: "Deny",
            Principal: "*",
            Action: "sns:Publish",
            Condition: { Bool: { "aws:SecureTransport": "false" } },
            Resource: ref(topic),
          },
          {
            Effect: "Allow",
            Principal: { Service: "cloudwatch.amazonaws.com" },
            Action: "sns:Publish",
            Condition: {
              ArnLike: {
                "aws:SourceArn": {
                  "Fn::Join": [
                    "",
                    [
                      "arn:",
                      { Ref: "AWS::Partition" },
                      ":cloudwatch:",
                      { Ref: "AWS::Region" },
                      ":",
                      own,
                      ":alarm:*",
                    ],
                  ],
                },
              },
              StringEquals: { "aws:SourceAccount": own },
            },
            Resource: ref(topic),
          },
        ],
      },
    });
  });
});
