/**
 * Every metric that the runner emits: the one truth for the code, the dashboard, the alarms and the docs. Each
 * distinct set of dimension values is billed as a metric of its own, so nothing unbounded (no workspace, no run) is one.
 */
export const metricsNamespace = "StudioRunner";

interface MetricRow {
  readonly unit: "Count" | "Milliseconds";
  readonly dimensions: readonly ("pool" | "reason" | "model" | "kind")[];
  readonly meaning: string;
}

export const metricTable = {
  Windows: {
    unit: "Count",
    dimensions: ["pool", "reason"],
    meaning: "Dispatch windows, by what came of them. Emitted once by every window, idle ones too.",
  },
  JobsLeased: { unit: "Count", dimensions: ["pool"], meaning: "Jobs leased from Studio." },
  LeasesDropped: {
    unit: "Count",
    dimensions: ["pool"],
    meaning:
      "Leases that could not be recorded or started; their jobs return to Studio's queue when the lease ends.",
  },
  RunsCompleted: { unit: "Count", dimensions: ["pool"], meaning: "Runs whose deliverables Studio accepted." },
  RunsFailed: {
    unit: "Count",
    dimensions: ["pool", "reason"],
    meaning: "Runs that Studio was told have failed.",
  },
  RunsLost: {
    unit: "Count",
    dimensions: ["pool", "reason"],
    meaning: "Runs whose lease was lost; nothing was posted.",
  },
  Duplicates: {
    unit: "Count",
    dimensions: ["pool"],
    meaning: "Events for a leg that had already begun or ended.",
  },
  Restarts: {
    unit: "Count",
    dimensions: ["pool", "reason"],
    meaning: "Legs begun anew after a leg ended in trouble, by what ended it.",
  },
  Handovers: {
    unit: "Count",
    dimensions: ["pool"],
    meaning: "Legs that took over from a healthy one at its deadline.",
  },
  RunMs: { unit: "Milliseconds", dimensions: ["pool"], meaning: "From a run's lease to its end." },
  BeatsFailed: { unit: "Count", dimensions: ["pool"], meaning: "Heartbeats that did not succeed." },
  Tokens: { unit: "Count", dimensions: ["pool", "model", "kind"], meaning: "Tokens used, by kind." },
} as const satisfies Readonly<Record<string, MetricRow>>;

export type MetricName = keyof typeof metricTable;

export type Dimensions<N extends MetricName> = Readonly<
  Record<(typeof metricTable)[N]["dimensions"][number], string>
>;

export interface Metrics {
  emit<N extends MetricName>(name: N, dimensions: Dimensions<N>, value: number): void;
}
