import { Duration, Stack } from "aws-cdk-lib";
import { TextWidget } from "aws-cdk-lib/aws-cloudwatch";
import { AccountRootPrincipal, Role } from "aws-cdk-lib/aws-iam";
import { describe, expect, it } from "vitest";
import * as z from "zod";
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

const policySchema = z.object({
  PolicyDocument: z.object({
    Statement: z.array(
      z.object({
        Action: z.union([z.string(), z.array(z.string())]),
        Resource: z.union([z.string(), z.array(z.string())]),
      }),
    ),
  }),
});

/** The actions of the operator's role, and those that it may do with any resource. */
function allowed({ template }: ReturnType<typeof inAnApp>) {
  const { Properties } = template().resource("AWS::IAM::Policy", "OperatorDefaultPolicy");
  const { Statement } = policySchema.parse(Properties).PolicyDocument;
  const list = (value: string | readonly string[]): readonly string[] => [value].flat();
  const actionsOf = (rows: typeof Statement) =>
    [...new Set(rows.flatMap(({ Action }) => list(Action)))].toSorted();
  return {
    actions: actionsOf(Statement),
    anywhere: actionsOf(Statement.filter(({ Resource }) => list(Resource).includes("*"))),
  };
}

const reads = [
  "cloudformation:DescribeStacks",
  "cloudwatch:DescribeAlarms",
  "dynamodb:GetItem",
  "dynamodb:Query",
  "lambda:GetAccountSettings",
  "logs:FilterLogEvents",
  "scheduler:GetSchedule",
  "sqs:GetQueueAttributes",
];

describe("grants", () => {
  it("grantRead allows what the commands that change nothing call, and no secret", () => {
    const made = inAnApp();
    made.runner.grantRead(made.role);
    expect(allowed(made)).toEqual({
      actions: reads,
      anywhere: ["cloudwatch:DescribeAlarms", "lambda:GetAccountSettings"],
    });
  });

  it("grantOperate also allows the changes that the command line makes", () => {
    const made = inAnApp();
    made.runner.grantOperate(made.role);
    expect(allowed(made).actions).toEqual(
      [
        ...reads,
        "dynamodb:UpdateItem",
        "lambda:InvokeFunction",
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:ReceiveMessage",
      ].toSorted(),
    );
  });

  it("grantOperate includes the KMS keys and what doctor reads of a VPC", () => {
    const keyArn = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-000000000001";
    const made = inAnApp({
      encryption: { keyArn },
      network: { subnetIds: ["subnet-0a1b2c3d"], securityGroupIds: ["sg-0a1b2c3d"] },
    });
    made.runner.grantOperate(made.role);
    expect(allowed(made).actions).toEqual(
      expect.arrayContaining(["kms:Decrypt", "kms:GenerateDataKey", "ec2:DescribeSubnets"]),
    );
  });

  it("a key's secret grants access to itself", () => {
    const made = inAnApp();
    made.pool.runnerKeys.secret.grantRead(made.role);
    expect(allowed(made)).toEqual({
      actions: ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
      anywhere: [],
    });
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
