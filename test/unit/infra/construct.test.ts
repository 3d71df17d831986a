import { Duration, Stack } from "aws-cdk-lib";
import { TextWidget } from "aws-cdk-lib/aws-cloudwatch";
import { AccountRootPrincipal, Role } from "aws-cdk-lib/aws-iam";
import { describe, expect, it } from "vitest";
import { metricNames, dimensionSetsOf } from "../../../lib/core/metrics.ts";
import type { StudioRunnerProps } from "../../../infra/props.ts";
import { StudioRunner } from "../../../infra/studio-runner.ts";
import { readTemplate, testApp } from "./synthesized.ts";

function inAnApp(props: StudioRunnerProps = {}) {
  const app = testApp();
  const stack = new Stack(app, "Mine");
  const runner = new StudioRunner(stack, "Runner", props);
  const role = new Role(stack, "Operator", { assumedBy: new AccountRootPrincipal() });
  return { runner, pool: runner.pools[0]!, stack, role, template: () => readTemplate(app, "Mine") };
}

/** For tests that add nothing: it takes half a second. */
let shared: ReturnType<typeof inAnApp> | undefined;
const plain = () => (shared ??= inAnApp());

it("a key's secret grants access to itself", () => {
  const made = inAnApp();
  made.pool.runnerKeys.secret.grantRead(made.role);
  expect(made.template().resource("AWS::IAM::Policy", "OperatorDefaultPolicy").Properties).toMatchObject({
    PolicyDocument: {
      Statement: [{ Action: ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"] }],
    },
  });
});

describe("a pool's metrics", () => {
  it.each([
    ["metricCompleted", "RunsCompleted", "Sum"],
    ["metricFailed", "RunsFailed", "Sum"],
    ["metricLost", "RunsLost", "Sum"],
    ["metricLeased", "JobsLeased", "Sum"],
    ["metricGoodPolls", "GoodPolls", "Sum"],
    ["metricTimeInQueue", "TimeInQueueSeconds", "p95"],
    ["metricRunTime", "RunSeconds", "p95"],
    ["metricInFlight", "InFlight", "Maximum"],
  ] as const)("%s is %s by %s", (method, metricName, statistic) => {
    expect(plain().pool[method]()).toMatchObject({
      namespace: "StudioRunner",
      metricName,
      statistic,
      dimensions: { pool: "default" },
    });
  });

  it.each(metricNames.map((name) => [name]))("%s can be read by each of its sets of dimensions", (name) => {
    const { pool } = plain();
    for (const set of dimensionSetsOf(name)) {
      const others = set.filter((dimension) => dimension !== "pool");
      const dimensionsMap = Object.fromEntries(others.map((dimension) => [dimension, "x"]));
      const metric = pool.metric(name, { dimensionsMap, period: Duration.minutes(1), statistic: "p50" });
      expect(metric).toMatchObject({ statistic: "p50", dimensions: { pool: "default", ...dimensionsMap } });
    }
  });

  it("refuse dimensions under which the runner emits nothing", () => {
    const { pool } = plain();
    expect(() => pool.metric("Tokens", { dimensionsMap: { model: "gpt-6-luna" } })).toThrow(
      "the metric Tokens has the dimensions kind, model, pool. Given: model, pool",
    );
  });

  it("make alarms that send to the runner's topic, and widgets on the pool's dashboard", () => {
    const { pool, stack, template } = inAnApp();
    pool.metricFailed().createAlarm(stack, "Mine", { threshold: 1, evaluationPeriods: 1 });
    pool.dashboard?.addWidgets(new TextWidget({ markdown: "# Mine" }));
    const { text, resource } = template();
    expect(resource("AWS::CloudWatch::Alarm", "Mine").Properties).toMatchObject({
      MetricName: "RunsFailed",
      Dimensions: [{ Name: "pool", Value: "default" }],
    });
    expect(text).toContain("# Mine");
  });

  it("metricCost sums the cost of all models", () => {
    expect(plain().pool.metricCost()).toMatchObject({
      expression:
        "SUM(SEARCH('{StudioRunner,pool,model} MetricName=\"CostUsd\" pool=\"default\"', 'Sum', 300))",
    });
  });
});

it("there is neither a topic nor a dashboard with monitoring off", () => {
  const { runner, pool } = inAnApp({ monitoring: { level: "off" } });
  expect([runner.alarmTopic, pool.dashboard]).toEqual([undefined, undefined]);
});
