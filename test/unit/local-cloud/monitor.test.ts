import { expect, it, onTestFinished } from "vitest";
import { createFakeClock } from "../../support/fake-clock.ts";
import type { CloudEventBody } from "../../../local/cloud/events.ts";
import { createMonitor } from "../../../local/cloud/monitoring/monitor.ts";
import { createMessageQueue } from "../../../local/cloud/queues.ts";
import { readStack } from "../../../local/cloud/template.ts";
import { writeTemplate, type Fixture } from "./fixture.ts";

const account = { region: "us-east-1", accountId: "000000000000" };

const alarm = (properties: object) => ({
  Type: "AWS::CloudWatch::Alarm",
  Properties: {
    Namespace: "AWS/SQS",
    MetricName: "ApproximateNumberOfMessagesVisible",
    Dimensions: [{ Name: "QueueName", Value: "dead" }],
    Statistic: "Maximum",
    Period: 60,
    EvaluationPeriods: 1,
    ComparisonOperator: "GreaterThanOrEqualToThreshold",
    Threshold: 1,
    TreatMissingData: "notBreaching",
    ...properties,
  },
});

function start(resources: Fixture["resources"] = {}, startMs = 0) {
  const clock = createFakeClock(startMs);
  const stack = readStack(writeTemplate({ resources }), account);
  const queue = createMessageQueue({ clock, name: "dead", arn: "arn", url: "url", visibilityMs: 30_000 });
  const changes: string[] = [];
  const emit = (event: CloudEventBody) =>
    void (event.kind === "alarm" && changes.push(`${clock.now() / 1_000} ${event.state}`));
  const monitor = createMonitor({ clock, emit, stack, queues: [queue] }, "us-east-1");
  const closing = new AbortController();
  onTestFinished(() => closing.abort());
  monitor.start(closing.signal);
  return { clock, queue, changes };
}

it("an alarm on a queue goes to ALARM in the minute after a message arrives", async () => {
  const { clock, queue, changes } = start({ Dead: alarm({}) });
  await clock.advance(150_000);
  queue.send("a dead letter");
  await clock.advance(60_000);

  expect(changes).toEqual(["120 OK", "180 ALARM"]);
});

it("the time before the monitor's start does not count as missing data", async () => {
  const { clock, changes } = start(
    { Silent: alarm({ MetricName: "Never", TreatMissingData: "breaching" }) },
    59_000,
  );
  await clock.advance(60_000);
  expect(changes).toEqual([]);
  await clock.advance(11_000);

  expect(changes).toEqual(["129 ALARM"]);
});

const queries = (...expressions: string[]) =>
  expressions.map((Expression) => ({ Id: `q${Expression}`, Expression }));

it.each([
  [
    "two series that return data",
    { Metrics: queries("1", "2") },
    "Alarm, Metrics: exactly one of them must return data, not 2",
  ],
  ["no period", { Metrics: queries("1") }, "Alarm, Metrics: they must have one and the same period"],
  [
    "an unknown comparison",
    { ComparisonOperator: "GreaterThanUpperThreshold" },
    "Alarm, ComparisonOperator: ",
  ],
  ["no threshold", { Threshold: undefined }, "Alarm, Threshold: "],
])("an alarm with %s is rejected", (_, properties, message) => {
  const templateFile = writeTemplate({ resources: { Alarm: alarm(properties) } });
  expect(() => readStack(templateFile, account)).toThrow(message);
});
