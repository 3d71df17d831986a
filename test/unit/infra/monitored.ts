import * as z from "zod";
import {
  dimensionSetsOf,
  metricsNamespace,
  metricTable,
  type MetricName,
} from "../../../lib/core/metrics.ts";
import { synthesizeUnbundled, type Resource, type SynthesizedStack } from "./synthesized.ts";

/** The default stack with other settings; `pool` are fields of its one pool. */
export function monitored(
  settings: Readonly<Record<string, unknown>> = {},
  pool: Readonly<Record<string, unknown>> = {},
): SynthesizedStack {
  return synthesizeUnbundled({ ...settings, pools: [{ name: "default", kind: "user", ...pool }] });
}

const metricSchema = z.object({
  Namespace: z.string(),
  MetricName: z.string(),
  Dimensions: z.array(z.object({ Name: z.string(), Value: z.string() })).default([]),
});
const statSchema = z.object({ Metric: metricSchema, Period: z.number(), Stat: z.string() });
const mathSchema = z.object({
  Id: z.string(),
  Expression: z.string().optional(),
  MetricStat: statSchema.optional(),
});
const alarmSchema = z.object({
  AlarmDescription: z.string(),
  Threshold: z.number(),
  ComparisonOperator: z.enum(["GreaterThanOrEqualToThreshold", "LessThanThreshold"]),
  DatapointsToAlarm: z.number(),
  EvaluationPeriods: z.number(),
  TreatMissingData: z.string(),
  AlarmActions: z.array(z.unknown()).default([]),
  OKActions: z.array(z.unknown()).default([]),
  Metrics: z.array(mathSchema).optional(),
});
const singleSchema = metricSchema.extend({ Period: z.number(), Statistic: z.string() });

export interface ReadMetric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: readonly string[];
}

/** The alarm's construct id ends its logical id, before CDK's hash. */
const idOf = ({ logicalId }: Resource): string =>
  /(?:MonitoringAlarms)(\w+)[0-9A-F]{8}$/.exec(logicalId)?.[1] ?? logicalId;

export function alarmsOf(stack: SynthesizedStack) {
  return new Map(
    stack.resources("AWS::CloudWatch::Alarm").map((resource) => {
      const properties = alarmSchema.parse(resource.Properties);
      const read = properties.Metrics?.flatMap(({ MetricStat }) => (MetricStat ? [MetricStat.Metric] : []));
      const metrics = (read ?? [metricSchema.parse(resource.Properties)]).map(
        ({ Namespace, MetricName: name, Dimensions }): ReadMetric => ({
          namespace: Namespace,
          name,
          dimensions: Dimensions.map(({ Name }) => Name),
        }),
      );
      return [idOf(resource), { ...properties, resource, metrics }] as const;
    }),
  );
}

type Alarm = z.output<typeof alarmSchema> & { readonly resource: Resource };

/** When the alarm fires, as one sentence. */
export function inWords({ resource, Metrics, ...alarm }: Alarm): string {
  const operator = alarm.ComparisonOperator === "LessThanThreshold" ? "<" : ">=";
  const { DatapointsToAlarm, EvaluationPeriods, Threshold, TreatMissingData } = alarm;
  const value = Metrics ? mathInWords(Metrics) : singleInWords(resource);
  return `${value} ${operator} ${Threshold}, in ${DatapointsToAlarm} of ${EvaluationPeriods}, missing: ${TreatMissingData}`;
}

function mathInWords(metrics: readonly z.output<typeof mathSchema>[]): string {
  const parts = metrics.flatMap(({ Id, MetricStat }) =>
    MetricStat ? [`${Id} = ${statInWords(MetricStat)}`] : [],
  );
  return `${metrics.find(({ Expression }) => Expression !== undefined)?.Expression} with ${parts.join(", ")}`;
}

function singleInWords({ Properties }: Resource): string {
  const { Period, Statistic, ...Metric } = singleSchema.parse(Properties);
  return statInWords({ Metric, Period, Stat: Statistic });
}

function statInWords({ Metric, Period, Stat }: z.output<typeof statSchema>): string {
  const namespace = Metric.Namespace === metricsNamespace ? "" : `${Metric.Namespace} `;
  const of = Metric.Dimensions.map(({ Value }) => Value).join("/");
  return `${Stat} of ${namespace}${Metric.MetricName} of ${of} over ${Period} s`;
}

const widgetSchema = z.object({
  type: z.enum(["text", "metric", "alarm", "log"]),
  width: z.number(),
  properties: z.looseObject({
    title: z.string().optional(),
    markdown: z.string().optional(),
    query: z.string().optional(),
    alarms: z.array(z.string()).optional(),
    metrics: z.array(z.array(z.unknown())).optional(),
  }),
});

export function widgetsOf(dashboard: Resource): readonly z.output<typeof widgetSchema>[] {
  const body: unknown = JSON.parse(String(dashboard.Properties["DashboardBody"]));
  return z.object({ widgets: z.array(widgetSchema) }).parse(body).widgets;
}

/** The metrics that a widget shows, including those of its searches. */
export function metricsOf(widget: z.output<typeof widgetSchema>): readonly ReadMetric[] {
  return (widget.properties.metrics ?? []).flatMap((row): readonly ReadMetric[] => {
    const { expression } = z.looseObject({ expression: z.string().optional() }).parse(row.at(-1));
    if (expression === undefined) return [explicit(z.array(z.string()).parse(row.slice(0, -1)))];
    const found = /SEARCH\('\{(\w+),([\w,]+)\} MetricName="(\w+)" pool="default"'/.exec(expression);
    const [, namespace, dimensions, name] = found ?? [];
    return name === undefined || namespace === undefined || dimensions === undefined
      ? []
      : [{ namespace, name, dimensions: dimensions.split(",") }];
  });
}

function explicit([namespace = "", name = "", ...pairs]: readonly string[]): ReadMetric {
  return { namespace, name, dimensions: pairs.filter((_, index) => index % 2 === 0) };
}

const foreign: Readonly<Record<string, string>> = { "AWS/Lambda": "FunctionName", "AWS/SQS": "QueueName" };

const isOurs = (name: string): name is MetricName => name in metricTable;

/** Whether the metric is emitted with exactly those dimensions. */
export function isEmitted({ namespace, name, dimensions }: ReadMetric): boolean {
  if (namespace !== metricsNamespace) return dimensions.join() === foreign[namespace];
  return isOurs(name) && dimensionSetsOf(name).some((set) => set.join() === dimensions.join());
}
