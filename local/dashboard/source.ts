import type { AlarmView } from "./view.ts";

/** The data for drawing dashboards: the stack's definitions and the measurements. */
export interface DashboardSource {
  /**
   * In the template's order. `body` is the parsed body of an AWS::CloudWatch::Dashboard with its references
   * resolved.
   */
  dashboards(): readonly DashboardDefinition[];
  alarms(): readonly SourceAlarm[];
  /** @throws Error with a sentence about what cannot be computed */
  metricData(queries: readonly SeriesQuery[], range: TimeRange): readonly SeriesData[];
  /** @throws Error with a sentence about what cannot be computed */
  queryLogs(query: LogQuery, range: TimeRange): LogRows;
}

export interface DashboardDefinition {
  readonly name: string;
  /** The name for people. */
  readonly title: string;
  readonly body: unknown;
}

/** A widget may refer to an alarm by `name` or `arn`. */
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

/**
 * A SEARCH returns several with the same id. Points are in the order of time, each at the start of its
 * period.
 */
export interface SeriesData {
  readonly id: string;
  readonly label: string;
  readonly points: readonly (readonly [atMs: number, value: number])[];
}

export interface LogQuery {
  readonly logGroups: readonly string[];
  /** A Logs Insights query without its SOURCE commands. */
  readonly text: string;
}

export interface LogRows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What every widget of one drawing has in common. */
export interface DrawContext {
  readonly source: DashboardSource;
  readonly range: TimeRange;
  /** "15 minutes" */
  readonly rangeText: string;
  /** The widgets' own periods hold. */
  readonly inherit: boolean;
  /** Amounts of money come from invented prices. */
  readonly isInvented: boolean;
}
