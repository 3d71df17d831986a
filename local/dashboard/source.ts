import type { AlarmView } from "./view.ts";

/** What a dashboard is drawn from: the stack's own definitions and what was measured. */
export interface DashboardSource {
  /** In the template's order; `body` is the parsed one of an AWS::CloudWatch::Dashboard, its references resolved. */
  dashboards(): readonly DashboardDefinition[];
  alarms(): readonly SourceAlarm[];
  /** @throws Error with a sentence about what it cannot work out */
  metricData(queries: readonly SeriesQuery[], range: TimeRange): readonly SeriesData[];
  /** @throws Error with a sentence about what it cannot work out */
  queryLogs(query: LogQuery, range: TimeRange): LogRows;
}

export interface DashboardDefinition {
  readonly name: string;
  /** For people. */
  readonly title: string;
  readonly body: unknown;
}

/** `name` and `arn` are what a widget may know it by. */
export interface SourceAlarm extends AlarmView {
  readonly arn: string;
}

/** `endMs` is excluded. */
export interface TimeRange {
  readonly startMs: number;
  readonly endMs: number;
}

/** A query of CloudWatch's GetMetricData. */
export interface SeriesQuery {
  readonly id: string;
  readonly label?: string | undefined;
  readonly periodSeconds: number;
  readonly returnData: boolean;
  readonly what: { readonly metric: MetricStat } | { readonly expression: string };
}

export interface MetricStat {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly stat: string;
}

/** A SEARCH gives several of one id. Points are in the order of time, each at its period's start. */
export interface SeriesData {
  readonly id: string;
  readonly label: string;
  readonly points: readonly (readonly [atMs: number, value: number])[];
}

export interface LogQuery {
  readonly logGroups: readonly string[];
  /** Logs Insights, without its SOURCE commands. */
  readonly text: string;
}

export interface LogRows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}
