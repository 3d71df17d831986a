import type { Clock } from "./clock.ts";
import { dimensionSetsOf, metricsNamespace, metricTable, type Metrics } from "./metrics.ts";

export interface EmfOptions {
  readonly clock: Clock;
  /** Gets one whole line. Not `console`: Lambda's JSON logging would wrap the line, and CloudWatch not see a metric. */
  readonly writeLine: (line: string) => void;
}

/**
 * CloudWatch metrics as log lines (embedded metric format), each written at once, so that a killed attempt loses none.
 * Written by hand: Powertools adds a dimension `service` to every set, and warns of a key that is in two sets.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function createEmfMetrics({ clock, writeLine }: EmfOptions): Metrics {
  return {
    emit: (name, dimensions, value) => {
      const { reason }: { readonly reason?: string } = dimensions;
      const directive = {
        Namespace: metricsNamespace,
        Dimensions: dimensionSetsOf(name, reason),
        Metrics: [{ Name: name, Unit: metricTable[name].unit }],
      };
      const line = {
        _aws: { Timestamp: clock.now(), CloudWatchMetrics: [directive] },
        ...dimensions,
        [name]: value,
      };
      writeLine(JSON.stringify(line));
    },
  };
}
