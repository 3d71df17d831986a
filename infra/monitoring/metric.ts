import { Duration } from "aws-cdk-lib";
import { MathExpression, Metric, SearchExpression } from "aws-cdk-lib/aws-cloudwatch";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { metricsNamespace, metricTable, type MetricName } from "../../lib/core/metrics.ts";
import type { RunnerFunction } from "../runner-function.ts";
import type { PoolSettings, Settings } from "../settings.ts";

type Table = typeof metricTable;

/** Metrics whose only dimension is the pool, so an alarm or a widget can name them. */
export type PoolMetricName = {
  [N in MetricName]: Table[N] extends { readonly dimensions: readonly ["pool"] } | { readonly totals: true }
    ? N
    : never;
}[MetricName];

/** Metrics with dimensions besides the pool, which a widget has to search for. */
export type SplitMetricName = {
  [N in MetricName]: Table[N] extends { readonly dimensions: readonly ["pool"] } ? never : N;
}[MetricName];

export type FunctionRole = "dispatcher" | "processor" | "recovery";

/** What the monitoring of one pool needs to know about it. */
export interface Watched {
  readonly settings: Settings;
  readonly pool: PoolSettings;
  readonly functions: Readonly<Record<FunctionRole, RunnerFunction>>;
  readonly deadLetters: IQueue;
}

export interface Reading {
  readonly statistic: "Sum" | "Minimum" | "Maximum" | "SampleCount" | "p50" | "p95";
  readonly periodSeconds: number;
  readonly label?: string;
  readonly color?: string;
}

/** The metric of a pool over all its other dimensions. */
export function poolMetric(name: PoolMetricName, pool: string, reading: Reading): Metric {
  return named({ namespace: metricsNamespace, metricName: name, dimensionsMap: { pool } }, reading);
}

export function lambdaMetric(name: string, of: RunnerFunction, reading: Reading): Metric {
  const dimensionsMap = { FunctionName: of.function.functionName };
  return named({ namespace: "AWS/Lambda", metricName: name, dimensionsMap }, reading);
}

export function queueMetric(name: string, queue: IQueue, reading: Reading): Metric {
  const dimensionsMap = { QueueName: queue.queueName };
  return named({ namespace: "AWS/SQS", metricName: name, dimensionsMap }, reading);
}

/** One series for each existing combination of the metric's other dimensions. */
export function splitMetric(name: SplitMetricName, pool: string, reading: Reading): SearchExpression {
  const others = metricTable[name].dimensions.slice(1);
  return new SearchExpression({
    expression: searchFor(name, pool, reading),
    period: Duration.seconds(reading.periodSeconds),
    label: others.map((dimension) => `\${PROP('Dim.${dimension}')}`).join(" "),
  });
}

/** The sum of the series of `splitMetric`. */
export function summedMetric(name: SplitMetricName, pool: string, reading: Reading): MathExpression {
  return new MathExpression({
    expression: `SUM(${searchFor(name, pool, reading)})`,
    period: Duration.seconds(reading.periodSeconds),
    label: reading.label,
  });
}

function searchFor(name: SplitMetricName, pool: string, { statistic, periodSeconds }: Reading): string {
  const schema = [metricsNamespace, ...metricTable[name].dimensions].join(",");
  return `SEARCH('{${schema}} MetricName="${name}" pool="${pool}"', '${statistic}', ${periodSeconds})`;
}

interface Identity {
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensionsMap: Record<string, string>;
}

function named(identity: Identity, { periodSeconds, ...reading }: Reading): Metric {
  return new Metric({
    ...identity,
    ...reading,
    period: Duration.seconds(periodSeconds),
  });
}
