import type { IMetric } from "aws-cdk-lib/aws-cloudwatch";
import {
  lambdaMetric,
  poolMetric,
  splitMetric,
  summedMetric,
  type FunctionRole,
  type PoolMetricName,
  type Reading,
  type SplitMetricName,
  type Watched,
} from "./metric.ts";

export const periodSeconds = 60;
export const roles: readonly FunctionRole[] = ["dispatcher", "processor", "recovery"];

/** Shortcuts for reading this pool's metrics, with one value per minute. */
export function readings({ pool, functions }: Watched) {
  const read = (name: PoolMetricName, statistic: Reading["statistic"], label: string): IMetric =>
    poolMetric(name, pool.name, { statistic, periodSeconds, label });
  return {
    read,
    count: (name: PoolMetricName, label: string, color?: string): IMetric =>
      poolMetric(name, pool.name, { statistic: "Sum", periodSeconds, label, color }),
    split: (name: SplitMetricName, statistic: Reading["statistic"] = "Sum"): IMetric =>
      splitMetric(name, pool.name, { statistic, periodSeconds }),
    summed: (name: SplitMetricName, label: string): IMetric =>
      summedMetric(name, pool.name, { statistic: "Sum", periodSeconds, label }),
    calls: (metric: "Invocations" | "Errors" | "Throttles"): readonly IMetric[] =>
      roles.map((role) =>
        lambdaMetric(metric, functions[role], { statistic: "Sum", periodSeconds, label: role }),
      ),
  };
}
