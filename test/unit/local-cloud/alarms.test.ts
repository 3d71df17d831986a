import { expect, it } from "vitest";
import type { CloudEventBody } from "../../../local/cloud/events.ts";
import type { CompositeAlarm, MetricAlarm } from "../../../local/cloud/monitoring/alarm-definitions.ts";
import { decide, type AlarmState, type MissingData } from "../../../local/cloud/monitoring/alarm-state.ts";
import { createAlarms } from "../../../local/cloud/monitoring/alarms.ts";
import { ruleHolds } from "../../../local/cloud/monitoring/composite-rule.ts";
import { metricQuerySchema } from "../../../local/cloud/monitoring/metric-query.ts";
import { createMetricStore } from "../../../local/cloud/monitoring/metric-store.ts";

const treatments: readonly MissingData[] = ["missing", "ignore", "breaching", "notBreaching"];
const [O, A, I, KEPT] = ["OK", "ALARM", "INSUFFICIENT_DATA", "KEPT"] as const;

// The tables of CloudWatch's guide, "Configuring how CloudWatch alarms treat missing data", with N = 3.
// The oldest value is first.
it.each<[number, string, readonly (AlarmState | "KEPT")[]]>([
  [3, "0 - X - X", [O, O, O, O]],
  [3, "0 - - - -", [O, O, O, O]],
  [3, "- - - - -", [I, KEPT, A, O]],
  [3, "0 X X - X", [A, A, A, A]],
  [3, "- - X - -", [A, KEPT, A, O]],
  [3, "X - - - -", [A, KEPT, A, O]],
  [3, "- - - - X", [I, KEPT, A, O]],
  [3, "- - - X -", [I, KEPT, A, O]],
  [2, "0 - X - X", [A, A, A, A]],
  [2, "0 0 X 0 X", [A, A, A, A]],
  [2, "0 - X - -", [O, O, A, O]],
  [2, "- - - - 0", [O, O, A, O]],
  [2, "- - - X -", [A, KEPT, A, O]],
])(
  "with %d of 3 datapoints to alarm, the values %s give the states in CloudWatch's guide",
  (datapointsToAlarm, picture, expected) => {
    const slots = picture.split(" ").map((mark) => ({ 0: false, X: true })[mark]);
    for (const present of ["OK", "ALARM"] as const) {
      const found = treatments.map(
        (missingData) =>
          decide({ evaluationPeriods: 3, datapointsToAlarm, missingData }, slots, present).state,
      );

      expect(found).toEqual(expected.map((state) => (state === "KEPT" ? present : state)));
    }
  },
);

const minute = 60_000;
const metric = { namespace: "N", name: "Good", dimensions: { pool: "user" } };
const topicArn = "arn:aws:sns:us-east-1:000000000000:Topic";
const arnOf = (name: string) => `arn:aws:cloudwatch:us-east-1:000000000000:alarm:${name}`;
const good = metricQuerySchema.parse({
  Id: "m",
  MetricStat: {
    Metric: { Namespace: "N", MetricName: "Good", Dimensions: [{ Name: "pool", Value: "user" }] },
    Period: 60,
    Stat: "Sum",
  },
});

const alarm = (settings: Partial<MetricAlarm> = {}): MetricAlarm => ({
  kind: "metric",
  logicalId: "Dead",
  name: "Stack-Dead",
  arn: arnOf("Stack-Dead"),
  description: "The pool is dead.",
  actions: { ALARM: [topicArn], OK: [topicArn], INSUFFICIENT_DATA: [] },
  queries: [good],
  metric: { namespace: "N", name: "Good" },
  periodMs: minute,
  comparison: "LessThanThreshold",
  threshold: 1,
  evaluationPeriods: 2,
  datapointsToAlarm: 2,
  missingData: "breaching",
  ...settings,
});

const once = { evaluationPeriods: 1, datapointsToAlarm: 1 };

const composite = (logicalId: string, rule: string): CompositeAlarm => ({
  kind: "composite",
  logicalId,
  name: `Stack-${logicalId}`,
  arn: arnOf(`Stack-${logicalId}`),
  description: undefined,
  actions: { ALARM: [], OK: [], INSUFFICIENT_DATA: [] },
  rule,
});

function start(...definitions: readonly (MetricAlarm | CompositeAlarm)[]) {
  const store = createMetricStore();
  const events: CloudEventBody[] = [];
  const topics = [{ logicalId: "Topic", arn: topicArn, subscribers: ["email:ops@example.com"] }];
  const emit = (event: CloudEventBody) => void events.push(event);
  const at = { region: "us-east-1", startedMs: 0 };
  const alarms = createAlarms({ alarms: definitions, topics }, { store, emit }, at);
  return {
    alarms,
    events,
    add: (atMinute: number, value: number) => store.add(metric, { atMs: atMinute * minute, value }),
    stateAt: (atMinute: number) => {
      alarms.evaluate(atMinute * minute);
      return alarms.states()[0]?.state;
    },
  };
}

it("an alarm goes to ALARM after enough breaching periods, and to OK after a full minute with a good value", () => {
  const { add, stateAt } = start(alarm());
  add(1, 1);
  add(2, 0);
  expect(stateAt(3)).toBe("OK");
  add(3, 0);
  expect(stateAt(4)).toBe("ALARM");
  add(4, 1);
  expect(stateAt(4.9)).toBe("ALARM");
  expect(stateAt(5)).toBe("OK");
});

it("an alarm treats missing data as configured once no value is left in the evaluation range", () => {
  const { add, stateAt } = start(alarm());
  add(1, 1);

  expect([2, 3, 4, 5, 6].map(stateAt)).toEqual(["OK", "OK", "OK", "OK", "ALARM"]);
});

it("the window of a period of five minutes moves every minute", () => {
  const queries = [{ ...good, MetricStat: { ...good.MetricStat!, Period: 300 } }];
  const atLeast3 = { comparison: "GreaterThanOrEqualToThreshold", threshold: 3 } as const;
  const fiveMinutes = { queries, periodMs: 5 * minute, missingData: "notBreaching" } as const;
  const { add, stateAt } = start(alarm({ ...fiveMinutes, ...atLeast3, ...once }));
  for (const at of [3, 4, 7]) add(at, 1);

  // Only at minute 8 does one window cover minutes 3 to 7.
  expect([7, 8, 9].map(stateAt)).toEqual(["OK", "ALARM", "OK"]);
});

it("an alarm on DynamoDB's own metrics ignores missing data, whatever is configured", () => {
  const { stateAt } = start(alarm({ metric: { namespace: "AWS/DynamoDB", name: "ThrottledRequests" } }));

  expect(stateAt(9)).toBe("INSUFFICIENT_DATA");
});

it("an alarm notifies its topic of each change of state, and of nothing else", () => {
  const { alarms, events, add, stateAt } = start(alarm());
  add(1, 0);
  add(2, 0);
  for (const at of [3, 3.5, 4]) stateAt(at);
  add(4, 1);
  stateAt(5);

  expect(events).toMatchObject([
    { kind: "alarm", alarm: "Dead", before: "INSUFFICIENT_DATA", state: "ALARM" },
    { kind: "alarm", alarm: "Dead", before: "ALARM", state: "OK" },
  ]);
  const [first, second] = alarms.notifications();
  expect(first).toMatchObject({
    atMs: 3 * minute,
    topic: "Topic",
    subject: 'ALARM: "Stack-Dead" in us-east-1',
    subscribers: ["email:ops@example.com"],
  });
  expect(JSON.parse(first?.message ?? "")).toMatchObject({
    AlarmName: "Stack-Dead",
    NewStateValue: "ALARM",
    NewStateReason:
      "2 of the last 2 values [0, 0] were less than the threshold (1); 2 out of 2 make an alarm, missing data is treated as breaching.",
    OldStateValue: "INSUFFICIENT_DATA",
  });
  expect(second?.subject).toBe('OK: "Stack-Dead" in us-east-1');
});

it("nested composite alarms change state in the same evaluation", () => {
  const { alarms, stateAt } = start(
    alarm(),
    composite("Outer", 'ALARM("Stack-Inner")'),
    composite("Inner", `ALARM("${arnOf("Stack-Dead")}")`),
  );
  stateAt(9);

  expect(alarms.states().map(({ state }) => state)).toEqual(["ALARM", "ALARM", "ALARM"]);
});

it("createAlarms rejects unknown metric math, and a rule with an unknown alarm", () => {
  const odd = alarm({ queries: [metricQuerySchema.parse({ Id: "e", Expression: "ODD(1)" })] });
  expect(() => start(odd)).toThrow("Dead: Metric math is not understood locally: the function ODD");
  expect(() => start(composite("Page", "ALARM(Nobody)"))).toThrow(
    "Page: An alarm rule is not understood: there is no alarm Nobody",
  );
});

const states: Readonly<Record<string, AlarmState>> = { a: "ALARM", b: "OK", c: "INSUFFICIENT_DATA" };

it.each([
  ['ALARM("a")', true],
  ["ALARM(b) OR ALARM(a)", true],
  ['(ALARM("a") AND ALARM("b"))', false],
  ['ALARM("a") AND NOT ALARM("b")', true],
  ["NOT (OK(b) OR FALSE)", false],
  ["INSUFFICIENT_DATA(c) AND TRUE", true],
  ["ALARM(b) AND ALARM(b) OR ALARM(a)", true],
])("the rule %s is %s", (rule, expected) => {
  expect(ruleHolds(rule, (name) => states[name])).toBe(expected);
});

it.each([
  ["ALARM(missing)", "there is no alarm missing"],
  ["a", "is not understood"],
  ["ALARM(a) AT_LEAST 2", "is not understood"],
])("the rule %s is rejected", (rule, message) => {
  expect(() => ruleHolds(rule, (name) => states[name])).toThrow(message);
});
