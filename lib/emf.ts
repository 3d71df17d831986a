import { Metrics as Powertools, MetricUnit } from "@aws-lambda-powertools/metrics";
import { metricsNamespace, metricTable, type Metrics } from "./metrics.ts";

/** CloudWatch metrics as log lines (embedded metric format), each written at once, so that a killed leg loses none. */
export function createEmfMetrics(): Metrics {
  const powertools = new Powertools({ namespace: metricsNamespace });
  return {
    emit: (name, dimensions, value) => {
      const single = powertools.singleMetric();
      single.addDimensions({ ...dimensions });
      single.addMetric(name, MetricUnit[metricTable[name].unit], value);
    },
  };
}
