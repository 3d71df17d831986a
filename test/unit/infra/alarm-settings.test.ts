import { describe, expect, it } from "vitest";
import { alarmsOf, inWords, monitored } from "./monitored.ts";
import { problems } from "./settings-cases.ts";

const topicArn = "arn:aws:sns:eu-west-1:123456789012:operations";
const topicKeyArn = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-000000000001";

describe("an existing topic", () => {
  const stack = monitored({ monitoring: { topicArn } });

  it("receives every alarm and the composite alarm, and no other is created", () => {
    const page = stack.resource("AWS::CloudWatch::CompositeAlarm").Properties;
    expect(page).toMatchObject({ AlarmActions: [topicArn], OKActions: [topicArn] });
    const actions = [...alarmsOf(stack).values()].flatMap(({ AlarmActions }) => AlarmActions);
    expect([...new Set(actions)]).toEqual([topicArn]);
    expect(stack.types.filter((type) => type.startsWith("AWS::SNS::"))).toEqual([]);
    expect(stack.outputs["AlarmTopic"]?.Value).toBe(topicArn);
  });
});

it("thresholds are those of the settings, as the alarms' descriptions say", () => {
  const thresholds = {
    noGoodPollCycles: 10,
    lostLeases: 7,
    restarts: 9,
    leaseLeftPercent: 30,
    runTimePercent: 50,
    dispatcherErrors: 2,
  };
  const alarms = alarmsOf(monitored({ monitoring: { thresholds } }));
  const described = Object.fromEntries(
    ["NoGoodPoll", "LostLeases", "Restarts", "LeaseNearlyGone", "RunTimeNearLimit", "DispatcherErrors"].map(
      (id) => [id, [inWords(alarms.get(id)!), alarms.get(id)!.AlarmDescription.split("\n")[1]]],
    ),
  );
  expect(described).toEqual({
    NoGoodPoll: [
      "Sum of GoodPolls of default over 60 s < 1, in 10 of 10, missing: breaching",
      "Fires when none of 10 cycles in a row (one a minute) was good; cycles that report nothing count as bad.",
    ],
    LostLeases: [
      "Sum of RunsLost of default over 900 s >= 7, in 1 of 1, missing: notBreaching",
      "Fires at 7 lost runs in 15 minutes (monitoring.thresholds.lostLeases).",
    ],
    Restarts: [
      "Sum of Restarts of default over 900 s >= 9, in 1 of 1, missing: notBreaching",
      "Fires at 9 restarts in 15 minutes (monitoring.thresholds.restarts).",
    ],
    LeaseNearlyGone: [
      "Minimum of LeaseLeftPercent of default over 300 s < 30, in 1 of 1, missing: notBreaching",
      "Fires when an attempt starts with less than 30 % of its lease (monitoring.thresholds.leaseLeftPercent).",
    ],
    RunTimeNearLimit: [
      "Maximum of RunSeconds of default over 900 s >= 1800, in 1 of 1, missing: notBreaching",
      "Fires when a run lasts 50 % of runLimitMinutes (60) or longer.",
    ],
    DispatcherErrors: [
      "Sum of AWS/Lambda Errors of PoolDefaultDispatcherRunnerFunction over 300 s >= 2, in 1 of 1, missing: notBreaching",
      "Fires at 2 errors in 5 minutes: less than half of the cycles, since one starts every minute.",
    ],
  });
});

it.each<readonly [settings: unknown, problem: string]>([
  [
    { monitoring: { topicArn: "operations" } },
    'monitoring.topicArn: given "operations". Give the complete ARN of a standard topic: arn:aws:sns:<region>:<account>:<name>.',
  ],
  [
    { monitoring: { topicArn, level: "off" } },
    'monitoring.topicArn: is the topic of the alarms, but monitoring.level is "off", which has none. Leave it out, or choose another level.',
  ],
  [
    { monitoring: { email: "night@example.com", level: "off" } },
    'monitoring.email: is the address of the alarms, but monitoring.level is "off", which has none. Leave it out, or choose another level.',
  ],
  [
    { monitoring: { failurePercent: 30, level: "off" } },
    'monitoring.failurePercent: is for an alarm that this monitoring.level does not have. Leave it out, or set monitoring.level to "full".',
  ],
  [
    { monitoring: { failurePercent: 30, level: "lean" } },
    'monitoring.failurePercent: is for an alarm that this monitoring.level does not have. Leave it out, or set monitoring.level to "full".',
  ],
  [
    { monitoring: { topicArn, email: "night@example.com" } },
    "monitoring.email: subscribes to the topic that the stack creates, but monitoring.topicArn brings one. Leave it out, and subscribe the address to that topic.",
  ],
  [
    { monitoring: { topicArn }, encryption: { topicKeyArn } },
    "encryption.topicKeyArn: is the KMS key of the topic that the stack creates, but monitoring.topicArn brings one. Leave one of them out.",
  ],
  [
    { monitoring: { level: "lean", thresholds: { noGoodPollCycles: 3, restarts: 5 } } },
    'monitoring.thresholds.restarts: is for an alarm that this monitoring.level does not have. Leave it out, or set monitoring.level to "full".',
  ],
  [
    { monitoring: { thresholds: { dispatcherErrors: 6 } } },
    "monitoring.thresholds.dispatcherErrors: given 6. Give a whole number from 1 to 5 (errors in 5 minutes, of at most 5 cycles).",
  ],
])("the settings refuse %j", (settings, problem) => {
  expect(problems(settings)).toEqual([problem]);
});
