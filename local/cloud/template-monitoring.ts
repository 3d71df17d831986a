import * as z from "zod";
import { TemplateError } from "./errors.ts";
import type { CompositeAlarm, Dashboard, MetricAlarm, Topic } from "./monitoring/alarm-definitions.ts";
import { metricQuerySchema, type MetricQuery } from "./monitoring/metric-query.ts";
import { identityOf, read, type Source } from "./template-resources.ts";

const number = z.coerce.number();
const arns = z.array(z.string()).default([]);
const comparison = z.enum([
  "GreaterThanOrEqualToThreshold",
  "GreaterThanThreshold",
  "LessThanThreshold",
  "LessThanOrEqualToThreshold",
]);
const missingData = z.enum(["missing", "ignore", "breaching", "notBreaching"]).default("missing");
const dimensions = z.array(z.object({ Name: z.string(), Value: z.string() })).default([]);

/** @throws TemplateError for an alarm that CloudWatch would refuse, or that is unsupported here */
export function alarmOf(source: Source): MetricAlarm {
  const evaluationPeriods = read(source, "EvaluationPeriods", number);
  const queries = read(source, "Metrics", z.array(metricQuerySchema).optional());
  return {
    kind: "metric",
    ...commonOf(source),
    ...(queries === undefined ? singleMetric(source) : mathOf(source, queries)),
    comparison: read(source, "ComparisonOperator", comparison),
    threshold: read(source, "Threshold", number),
    evaluationPeriods,
    datapointsToAlarm: read(source, "DatapointsToAlarm", number.default(evaluationPeriods)),
    missingData: read(source, "TreatMissingData", missingData),
  };
}

type Watched = Pick<MetricAlarm, "queries" | "metric" | "periodMs">;

function singleMetric(source: Source): Watched {
  const Namespace = read(source, "Namespace", z.string());
  const MetricName = read(source, "MetricName", z.string());
  const Dimensions = read(source, "Dimensions", dimensions);
  const Period = read(source, "Period", number);
  const Stat =
    read(source, "Statistic", z.string().optional()) ?? read(source, "ExtendedStatistic", z.string());
  const MetricStat = { Metric: { Namespace, MetricName, Dimensions }, Period, Stat };
  return {
    queries: [{ Id: "m", MetricStat, ReturnData: true }],
    metric: { namespace: Namespace, name: MetricName },
    periodMs: Period * 1_000,
  };
}

function mathOf({ logicalId }: Source, queries: readonly MetricQuery[]): Watched {
  const returned = queries.filter(({ ReturnData }) => ReturnData);
  if (returned.length !== 1) {
    throw new TemplateError(
      `${logicalId}, Metrics: exactly one of them must return data, not ${returned.length}`,
    );
  }
  const periods = new Set(queries.flatMap(({ MetricStat, Period }) => MetricStat?.Period ?? Period ?? []));
  const [period, ...others] = periods;
  if (period === undefined || others.length > 0) {
    throw new TemplateError(`${logicalId}, Metrics: they must have one and the same period`);
  }
  return { queries, metric: undefined, periodMs: period * 1_000 };
}

export function compositeAlarmOf(source: Source): CompositeAlarm {
  read(source, "ActionsSuppressor", z.undefined("suppressed actions do not run locally").optional());
  return { kind: "composite", ...commonOf(source), rule: read(source, "AlarmRule", z.string()) };
}

type Common = Pick<MetricAlarm, "logicalId" | "name" | "arn" | "description" | "actions">;

function commonOf(source: Source): Common {
  const { name, arn } = identityOf(source);
  const enabled = read(source, "ActionsEnabled", z.boolean().default(true));
  const actions = (key: string): readonly string[] => (enabled ? read(source, key, arns) : []);
  return {
    logicalId: source.logicalId,
    name,
    arn,
    description: read(source, "AlarmDescription", z.string().optional()),
    actions: {
      ALARM: actions("AlarmActions"),
      OK: actions("OKActions"),
      INSUFFICIENT_DATA: actions("InsufficientDataActions"),
    },
  };
}

const inlineSubscriptions = z.array(z.object({ Protocol: z.string(), Endpoint: z.string() })).default([]);

export function topicOf(source: Source): Topic {
  const inline = read(source, "Subscription", inlineSubscriptions);
  const subscribers = inline.map(({ Protocol, Endpoint }) => `${Protocol}:${Endpoint}`);
  return { logicalId: source.logicalId, arn: identityOf(source).arn, subscribers };
}

export interface Subscription {
  readonly topicArn: string;
  readonly subscriber: string;
}

export function subscriptionOf(source: Source): Subscription {
  const protocol = read(source, "Protocol", z.string());
  const endpoint = read(source, "Endpoint", z.string());
  return { topicArn: read(source, "TopicArn", z.string()), subscriber: `${protocol}:${endpoint}` };
}

export const withSubscriptions = (
  topics: readonly Topic[],
  subscriptions: readonly Subscription[],
): readonly Topic[] =>
  topics.map((topic) => {
    const own = subscriptions.filter(({ topicArn }) => topicArn === topic.arn);
    return { ...topic, subscribers: [...topic.subscribers, ...own.map(({ subscriber }) => subscriber)] };
  });

export function dashboardOf(source: Source): Dashboard {
  const text = read(source, "DashboardBody", z.string());
  try {
    const body: unknown = JSON.parse(text);
    return { logicalId: source.logicalId, name: identityOf(source).name, body };
  } catch (error) {
    throw new TemplateError(`${source.logicalId}, DashboardBody: it is not JSON`, { cause: error });
  }
}
