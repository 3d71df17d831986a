import { Duration } from "aws-cdk-lib";
import { Metric, type Dashboard, type IMetric, type MetricOptions } from "aws-cdk-lib/aws-cloudwatch";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import { dimensionSetsOf, metricsNamespace, metricTable, type MetricName } from "../lib/core/metrics.ts";
import { Dispatcher } from "./dispatcher.ts";
import { keyArnFor } from "./encryption.ts";
import { KeySecret } from "./key-secret.ts";
import type { RunStoreTable } from "./run-store-table.ts";
import { summedMetric } from "./monitoring/metric.ts";
import { PoolMonitoring } from "./monitoring/monitoring.ts";
import { Processor } from "./processor.ts";
import { Rotator } from "./rotator.ts";
import type { PoolSettings, Settings } from "./settings.ts";
import { Recovery } from "./recovery.ts";

export interface PoolProps {
  readonly settings: Settings;
  readonly pool: PoolSettings;
  readonly runStore: RunStoreTable;
  readonly modelKey: KeySecret | undefined;
  readonly alarmTopic: ITopic | undefined;
}

/** One pool: its runner keys, dispatcher with schedule, processor, recovery and monitoring. */
export class Pool extends Construct {
  readonly settings: PoolSettings;
  /** The secret with the pool's runner keys. */
  readonly runnerKeys: KeySecret;
  readonly dispatcher: Dispatcher;
  readonly processor: Processor;
  readonly recovery: Recovery;
  /** Present only if the settings ask for rotation. */
  readonly rotator: Rotator | undefined;
  readonly monitoring: PoolMonitoring;
  /** For widgets of your own; absent at the monitoring levels `lean` and `off`. */
  readonly dashboard: Dashboard | undefined;

  constructor(scope: Construct, id: string, props: PoolProps) {
    super(scope, id);
    const { pool } = props;
    this.settings = pool;
    this.runnerKeys = new KeySecret(this, "Keys", {
      description: `studio-runner, pool ${pool.name}: runner keys of kind ${pool.kind}`,
      importedArn: pool.keySecretArn,
      kmsKeyArn: pool.keySecretKmsKeyArn ?? keyArnFor(props.settings, "secrets"),
    });
    const { runnerKeys } = this;
    this.processor = new Processor(this, "Processor", { ...props, runnerKeys });
    const calling = { ...props, runnerKeys, processor: this.processor.runner.function };
    this.recovery = new Recovery(this, "Recovery", calling);
    this.processor.settleBy(this.recovery.runner.function);
    this.dispatcher = new Dispatcher(this, "Dispatcher", calling);
    this.rotator = pool.rotation && new Rotator(this, "Rotator", { ...props, runnerKeys });
    this.monitoring = new PoolMonitoring(this, "Monitoring", {
      ...props,
      functions: {
        dispatcher: this.dispatcher.runner,
        processor: this.processor.runner,
        recovery: this.recovery.runner,
      },
      deadLetters: this.recovery.deadLetters,
      topic: props.alarmTopic,
    });
    this.dashboard = this.monitoring.dashboard;
  }

  /**
   * A metric of docs/metrics.md, by default with the statistic given there. `dimensionsMap` takes the dimensions besides
   * the pool, such as `{ reason: "model_error" }`.
   * @throws TypeError if the metric has other dimensions
   */
  metric(name: MetricName, options: MetricOptions = {}): Metric {
    const dimensionsMap = { pool: this.settings.name, ...options.dimensionsMap };
    const given = Object.keys(dimensionsMap).toSorted().join(", ");
    const sets = dimensionSetsOf(name).map((set) => set.toSorted().join(", "));
    if (!sets.includes(given))
      throw new TypeError(`the metric ${name} has the dimensions ${sets.join("; or ")}. Given: ${given}`);
    const { statistic } = metricTable[name];
    return new Metric({
      namespace: metricsNamespace,
      metricName: name,
      statistic,
      ...options,
      dimensionsMap,
    });
  }

  /** Runs whose deliverables Studio accepted. */
  metricCompleted(options?: MetricOptions): Metric {
    return this.metric("RunsCompleted", options);
  }

  /** Runs that were reported to Studio as failed. */
  metricFailed(options?: MetricOptions): Metric {
    return this.metric("RunsFailed", options);
  }

  /** Runs whose lease was lost. */
  metricLost(options?: MetricOptions): Metric {
    return this.metric("RunsLost", options);
  }

  /** Jobs that were leased from Studio. */
  metricLeased(options?: MetricOptions): Metric {
    return this.metric("JobsLeased", options);
  }

  /** Dispatch cycles in which Studio answered. None for minutes means that the pool is dead. */
  metricGoodPolls(options?: MetricOptions): Metric {
    return this.metric("GoodPolls", options);
  }

  /** Seconds from a message at Studio to the start of its run. */
  metricTimeInQueue(options?: MetricOptions): Metric {
    return this.metric("TimeInQueueSeconds", options);
  }

  /** Seconds from a run's lease to its end. */
  metricRunTime(options?: MetricOptions): Metric {
    return this.metric("RunSeconds", options);
  }

  /** Runs in flight. */
  metricInFlight(options?: MetricOptions): Metric {
    return this.metric("InFlight", options);
  }

  /** Estimated cost of all models in US dollars. For dashboards: CloudWatch takes no search in an alarm. */
  metricCost(options: Pick<MetricOptions, "period" | "label"> = {}): IMetric {
    const { period = Duration.minutes(5), label = "cost, USD" } = options;
    return summedMetric("CostUsd", this.settings.name, {
      statistic: "Sum",
      periodSeconds: period.toSeconds(),
      label,
    });
  }
}
