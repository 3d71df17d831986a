import { describe, expect, it } from "vitest";
import { maxDescriptionCharacters } from "../../../infra/monitoring/alarm-row.ts";
import { alarmsOf, inWords, isEmitted, monitored } from "./monitored.ts";
import { shortName } from "./synthesized.ts";

const capped = monitored({}, { dailyCapUsd: 20 });
const alarms = alarmsOf(capped);
const topic = "AlarmsTopic";

const lambda = (metric: string, part: string): string =>
  `AWS/Lambda ${metric} of PoolDefault${part}RunnerFunction`;
const expected = {
  NoGoodPoll: "Sum of GoodPolls of default over 60 s < 1, in 5 of 5, missing: breaching",
  KeysRefused: "Sum of KeysRefused of default over 300 s >= 1, in 1 of 1, missing: notBreaching",
  FailureRate:
    "IF(ended >= 6, 100 * failed / ended, 0) with failed = Sum of RunsFailed of default over 900 s, ended = SampleCount of RunSeconds of default over 900 s >= 20, in 1 of 1, missing: notBreaching",
  LostLeases: "Sum of RunsLost of default over 900 s >= 2, in 1 of 1, missing: notBreaching",
  Restarts: "Sum of Restarts of default over 900 s >= 3, in 1 of 1, missing: notBreaching",
  LeaseNearlyGone: "Minimum of LeaseLeftPercent of default over 300 s < 50, in 1 of 1, missing: notBreaching",
  RunTimeNearLimit: "Maximum of RunSeconds of default over 900 s >= 2880, in 1 of 1, missing: notBreaching",
  Throttles: `SUM(METRICS()) with dispatcher = Sum of ${lambda("Throttles", "Dispatcher")} over 300 s, processor = Sum of ${lambda("Throttles", "Processor")} over 300 s, recovery = Sum of ${lambda("Throttles", "Recovery")} over 300 s, runStore = Sum of RunStoreThrottles of default over 300 s >= 1, in 2 of 3, missing: notBreaching`,
  DeadLetters:
    "Maximum of AWS/SQS ApproximateNumberOfMessagesVisible of PoolDefaultRecoveryDeadLetters.QueueName over 300 s >= 1, in 1 of 1, missing: notBreaching",
  Spending80: "Maximum of DailySpendPercent of default over 300 s >= 80, in 1 of 1, missing: ignore",
  Spending100: "Maximum of DailySpendPercent of default over 300 s >= 100, in 1 of 1, missing: ignore",
  DispatcherErrors: `Sum of ${lambda("Errors", "Dispatcher")} over 300 s >= 3, in 1 of 1, missing: notBreaching`,
};

it("a pool with a daily cap has exactly these alarms, with these metrics and thresholds", () => {
  expect(Object.fromEntries([...alarms].map(([id, alarm]) => [id, inWords(alarm)]))).toEqual(expected);
});

describe("thresholds", () => {
  const pool = { concurrency: 80, runLimitMinutes: 100, dailyCapUsd: 5 };
  const strict = alarmsOf(monitored({ monitoring: { failurePercent: 5 } }, pool));
  it.each([
    ["LostLeases", 8, "at 8 lost runs in 15 minutes: a tenth of concurrency (80)"],
    ["Restarts", 16, "at 16 restarts in 15 minutes: a fifth of concurrency (80)"],
    ["RunTimeNearLimit", 4800, "80 % of runLimitMinutes (100)"],
    ["FailureRate", 5, "5 % (monitoring.failurePercent) or more of at least 21 runs"],
    ["Spending80", 80, "80 % of dailyCapUsd (5 USD)"],
  ])("follow the settings: %s is %i, as its description states", (id, threshold, words) => {
    expect(strict.get(id)).toMatchObject({ Threshold: threshold });
    expect(strict.get(id)?.AlarmDescription).toContain(words);
  });

  it.each([
    { failurePercent: 1, fewest: 101 },
    { failurePercent: 30, fewest: 5 },
    { failurePercent: 100, fewest: 5 },
  ])(
    "need $fewest ended runs, so that a single failure stays below $failurePercent %",
    ({ failurePercent, fewest }) => {
      const found = alarmsOf(monitored({ monitoring: { failurePercent } })).get("FailureRate");
      expect(found?.Metrics?.[0]?.Expression).toBe(`IF(ended >= ${fewest}, 100 * failed / ended, 0)`);
    },
  );
});

describe("every alarm", () => {
  it("reads only metrics that are emitted with exactly those dimensions", () => {
    const read = [...alarms.values()].flatMap(({ metrics }) => metrics);
    expect(read.filter((metric) => !isEmitted(metric))).toEqual([]);
  });

  it("stays within CloudWatch's limits", () => {
    for (const { AlarmDescription, metrics, resource } of alarms.values()) {
      expect(AlarmDescription.length).toBeLessThanOrEqual(maxDescriptionCharacters);
      expect(metrics.length).toBeLessThanOrEqual(10);
      expect(JSON.stringify(resource.Properties)).not.toContain("SEARCH");
    }
  });

  it("describes its meaning, when it fires, what to look at, what to run, and its runbook entry", () => {
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

describe("notifications", () => {
  const paging = ["NoGoodPoll", "KeysRefused", "FailureRate", "DeadLetters", "Spending100"];

  it("go out through the composite alarm Page for the alarms that page", () => {
    const page = capped.resource("AWS::CloudWatch::CompositeAlarm").Properties;
    expect(page).toMatchObject({ AlarmActions: [topic], OKActions: [topic] });
    const states = paging.map((id) => `ALARM("${shortName(alarms.get(id)!.resource.logicalId)}.Arn")`);
    expect(page["AlarmRule"]).toBe(`(${states.join(" OR ")})`);
  });

  it("go out from each other alarm directly", () => {
    for (const [id, { AlarmActions, OKActions }] of alarms) {
      const notified = paging.includes(id) ? [] : [topic];
      expect([id, AlarmActions, OKActions]).toEqual([id, notified, notified]);
    }
  });
});

describe("the monitoring level", () => {
  it("full has no spending alarms without a cap", () => {
    const ids = [...alarmsOf(monitored()).keys()];
    expect(ids).toEqual(Object.keys(expected).filter((id) => !id.startsWith("Spending")));
  });

  it("lean has four alarms, each of which notifies directly, and the saved queries", () => {
    const lean = monitored({ monitoring: { level: "lean" } }, { dailyCapUsd: 1 });
    const found = alarmsOf(lean);
    expect([...found.keys()]).toEqual(["NoGoodPoll", "KeysRefused", "DeadLetters", "Spending100"]);
    for (const alarm of found.values())
      expect(alarm).toMatchObject({ AlarmActions: [topic], OKActions: [topic] });
    expect(lean.types).not.toContain("AWS::CloudWatch::CompositeAlarm");
    expect(lean.types).not.toContain("AWS::CloudWatch::Dashboard");
    expect(lean.resources("AWS::Logs::QueryDefinition")).toHaveLength(5);
  });

  it("off creates no monitoring resources", () => {
    const { types } = monitored({ monitoring: { level: "off" } });
    expect(types.filter((type) => /CloudWatch|SNS|QueryDefinition/.test(type))).toEqual([]);
  });
});

describe("the topic", () => {
  it("sends email only when the settings have an address", () => {
    const stack = monitored({ monitoring: { email: "night@example.com" } });
    expect(stack.resource("AWS::SNS::Subscription").Properties).toEqual({
      Endpoint: "night@example.com",
      Protocol: "email",
      TopicArn: topic,
    });
    expect(capped.resources("AWS::SNS::Subscription")).toEqual([]);
  });

  it("accepts messages only from this account's alarms, and only over TLS", () => {
    const alarmsOfAccount = "arn:AWS::Partition:cloudwatch:AWS::Region:AWS::AccountId:alarm:*";
    const Condition = {
      ArnLike: { "aws:SourceArn": alarmsOfAccount },
      StringEquals: { "aws:SourceAccount": "AWS::AccountId" },
    };
    const overPlain = { Bool: { "aws:SecureTransport": "false" } };
    const { PolicyDocument } = capped.resource("AWS::SNS::TopicPolicy").Properties;
    const Principal = { Service: "cloudwatch.amazonaws.com" };
    expect(PolicyDocument).toMatchObject({
      Statement: [
        { Effect: "Deny", Principal: "*", Condition: overPlain, Resource: topic },
        { Effect: "Allow", Principal, Condition, Action: "sns:Publish", Resource: topic },
      ],
    });
  });
});
