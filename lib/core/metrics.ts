/**
 * Every metric that the runner emits. The code, the dashboard, the alarms and the docs are derived from this table. Each
 * distinct set of dimension values is billed as a metric of its own, so no dimension is unbounded (no workspace, no run).
 */
export const metricsNamespace = "StudioRunner";

export type Dimension = "pool" | "reason" | "model" | "kind";
export type MetricUnit = "Count" | "Seconds" | "Percent" | "None";
export type MetricStatistic = "Sum" | "Minimum" | "Maximum" | "p95";
export type Emitter = "dispatcher" | "processor" | "recovery";

export interface MetricRow {
  readonly unit: MetricUnit;
  /** The statistic by which the metric is read if nothing else is asked for. */
  readonly statistic: MetricStatistic;
  readonly dimensions: readonly Dimension[];
  /** Emitted with the dimension `pool` alone too: the sum over the others, which an alarm cannot form by itself. */
  readonly totals?: true;
  /** This reason is left out of the totals. */
  readonly totalsWithout?: string;
  readonly meaning: string;
  readonly emitter: readonly Emitter[];
}

const finishers = ["processor", "recovery", "dispatcher"] as const;

export const metricTable = {
  Cycles: {
    unit: "Count",
    statistic: "Sum",
    dimensions: ["pool", "reason"],
    meaning: "Dispatch cycles, by what came of them. Emitted once by every cycle, idle ones too.",
    emitter: ["dispatcher"],
  },
  GoodPolls: {
    unit: "Count",
    statistic: "Sum",
    dimensions: ["pool"],
    meaning:
      "1 by each cycle in which Studio answered, or that did not ask on purpose: paused, at capacity or at the daily cap. None for minutes means that the pool is dead.",
    emitter: ["dispatcher"],
  },
  JobsLeased: {
    unit: "Count",
    statistic: "Sum",
    dimensions: ["pool"],
    meaning: "Jobs leased from Studio.",
    emitter: ["dispatcher"],
  },
  LeasesDropped: {
    unit: "Count",
    statistic: "Sum",
    dimensions: ["pool"],
    meaning: "Leases that could not be recorded; their jobs return to Studio's queue when the lease ends.",
    emitter: ["dispatcher"],
  },
  WorkspacesLeftAlone: {
    unit: "Count",
    statistic: "Sum",
    dimensions: ["pool"],
    meaning:
      "Leases of workspaces for which no run was created, because run after run had been paid for and then lost its lease.",
    emitter: ["dispatcher"],
  },
  RunsCompleted: {
    unit: "Count",
    statistic: "Sum",
    dimensions: ["pool"],
    meaning: "Runs whose deliverables Studio accepted.",
    emitter: finishers,
  },
  RunsFailed: {
    unit: "Count",
    statistic: "Sum",
    dimensions: ["pool", "reason"],
    totals: true,
    // A cancellation is no fault of the runner, and must not set off the alarm FailureRate.
    totalsWithout: "cancelled",
    meaning:
      "Runs that were reported to Studio as failed. Those that an operator cancelled have the reason cancelled, and are not part of the pool's total.",
    emitter: finishers,
  },
  RunsLost: {
    unit: "Count",
    statistic: "Sum",
    dimensions: ["pool", "reason"],
    totals: true,
    meaning: "Runs whose lease was lost; nothing was posted.",
    emitter: finishers,
  },
  Duplicates: {
    unit: "Count",
    statistic: "Sum",
    dimensions: ["pool"],
    meaning: "Events for an attempt that had already started or ended.",
    emitter: ["processor"],
  },
  Restarts: {
    unit: "Count",
    statistic: "Sum",
    dimensions: ["pool", "reason"],
    totals: true,
    meaning: "Restarts after an attempt failed, by the reason of the failure.",
    emitter: ["recovery", "dispatcher"],
  },
  Continuations: {
    unit: "Count",
    statistic: "Sum",
    dimensions: ["pool"],
    meaning: "Attempts that took over from a healthy one at its deadline.",
    emitter: ["processor"],
  },
  TimeInQueueSeconds: {
    unit: "Seconds",
    statistic: "p95",
    dimensions: ["pool"],
    meaning:
      "From the newest message's creation at Studio to the start of the run's first attempt, corrected for clock skew if that is known.",
    emitter: ["processor"],
  },
  RunSeconds: {
    unit: "Seconds",
    statistic: "p95",
    dimensions: ["pool"],
    meaning: "From a run's lease to its end.",
    emitter: finishers,
  },
  InferenceSeconds: {
    unit: "Seconds",
    statistic: "p95",
    dimensions: ["pool", "model"],
    meaning:
      "One round with the model, from asking to the whole answer, retries included. A round that spans two attempts is not measured.",
    emitter: ["processor"],
  },
  Heartbeats: {
    unit: "Count",
    statistic: "Sum",
    dimensions: ["pool"],
    meaning: "Heartbeats that Studio accepted.",
    emitter: ["processor"],
  },
  HeartbeatsFailed: {
    unit: "Count",
    statistic: "Sum",
    dimensions: ["pool"],
    meaning: "Heartbeats that did not succeed.",
    emitter: ["processor"],
  },
  LeaseLeftPercent: {
    unit: "Percent",
    statistic: "Minimum",
    dimensions: ["pool"],
    meaning: "Share of the lease that remained when an attempt started.",
    emitter: ["processor"],
  },
  InFlight: {
    unit: "Count",
    statistic: "Maximum",
    dimensions: ["pool"],
    meaning: "The most runs in flight at once in a cycle. Not emitted by idle cycles.",
    emitter: ["dispatcher"],
  },
  FreeCapacity: {
    unit: "Count",
    statistic: "Minimum",
    dimensions: ["pool"],
    meaning: "Free places at that moment. Not emitted by idle cycles.",
    emitter: ["dispatcher"],
  },
  Tokens: {
    unit: "Count",
    statistic: "Sum",
    dimensions: ["pool", "model", "kind"],
    meaning: "Tokens used by a run, by kind: input, cached_input, output, reasoning. Counted at its end.",
    emitter: finishers,
  },
  CostUsd: {
    unit: "None",
    statistic: "Sum",
    dimensions: ["pool", "model"],
    meaning:
      "Estimated cost of a run's tokens and searches, in US dollars by the prices in the settings. Counted at its end.",
    emitter: finishers,
  },
  TierFallbacks: {
    unit: "Count",
    statistic: "Sum",
    dimensions: ["pool"],
    meaning:
      "Attempts that switched to the tier auto because the configured tier had no capacity for two minutes.",
    emitter: ["processor"],
  },
  KeysRefused: {
    unit: "Count",
    statistic: "Sum",
    dimensions: ["pool"],
    meaning: "Times that Studio or the model's provider refused a key, also after the secret was read again.",
    emitter: finishers,
  },
  RunStoreThrottles: {
    unit: "Count",
    statistic: "Sum",
    dimensions: ["pool"],
    meaning: "DynamoDB calls that were throttled, retries included.",
    emitter: finishers,
  },
  DailySpendPercent: {
    unit: "Percent",
    statistic: "Maximum",
    dimensions: ["pool"],
    meaning: "The day's estimated spending, of the daily cap. Emitted by each cycle if a cap is set.",
    emitter: ["dispatcher"],
  },
} as const satisfies Readonly<Record<string, MetricRow>>;

export type MetricName = keyof typeof metricTable;

function isMetricName(name: string): name is MetricName {
  return Object.hasOwn(metricTable, name);
}

export const metricNames: readonly MetricName[] = Object.keys(metricTable).filter(isMetricName);

export type Dimensions<N extends MetricName> = Readonly<
  Record<(typeof metricTable)[N]["dimensions"][number], string>
>;

export interface Metrics {
  emit<N extends MetricName>(name: N, dimensions: Dimensions<N>, value: number): void;
}

/**
 * The sets of dimensions under which CloudWatch keeps a metric, or its values with this reason. An alarm or widget must name one of them
 * whole.
 */
export function dimensionSetsOf(name: MetricName, reason?: string): readonly (readonly Dimension[])[] {
  const { dimensions, totals, totalsWithout }: MetricRow = metricTable[name];
  const isInTotals = totals && (reason === undefined || reason !== totalsWithout);
  return isInTotals ? [dimensions, ["pool"]] : [dimensions];
}
