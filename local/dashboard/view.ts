/**
 * The data for the dashboard page. The server computes everything, and the page only draws. Times are epoch
 * milliseconds, `number | null` is null if there is no data.
 *
 * GET /dashboard                          the page; its assets under /page/dashboard/…
 * GET /api/dashboard?name=…&minutes=…     DashboardView; without a name the first dashboard's
 * GET /api/runbook                        { markdown }: docs/runbook.md
 */
export interface DashboardView {
  /** The address of Studio's page. */
  readonly studioUrl: string;
  readonly dashboards: readonly DashboardName[];
  /** The shown dashboard; absent if the stack has none. */
  readonly name?: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly widgets: readonly PlacedWidget[];
  /** All alarms of the stack. */
  readonly alarms: readonly AlarmView[];
}

export interface DashboardName {
  readonly name: string;
  readonly title: string;
}

/** In cells of CloudWatch's grid of 24 columns. Without `x` and `y`, the page decides on the layout. */
export interface PlacedWidget {
  readonly x?: number | undefined;
  readonly y?: number | undefined;
  readonly width: number;
  readonly height: number;
  readonly title: string;
  readonly content: WidgetContent;
}

export type WidgetContent =
  | TextContent
  | ChartContent
  | BarsContent
  | NumbersContent
  | GaugesContent
  | AlarmsContent
  | TableContent
  | EmptyContent
  | ProblemContent;

export interface TextContent {
  readonly kind: "text";
  readonly markdown: string;
}

/** Lines over time; `stacked`: counts, drawn as stacked bars. */
export interface ChartContent {
  readonly kind: "chart";
  readonly stacked: boolean;
  readonly periodMs: number;
  readonly series: readonly SeriesView[];
  readonly axes: Readonly<Record<AxisSide, AxisView>>;
  readonly lines: readonly LineAnnotation[];
  readonly marks: readonly MarkAnnotation[];
  readonly legend: "bottom" | "right" | "hidden";
}

export type AxisSide = "left" | "right";

export interface SeriesView {
  readonly label: string;
  /** The colour in the dashboard's definition. Absent: the page's palette. */
  readonly color?: string | undefined;
  readonly axis: AxisSide;
  readonly unit: string;
  readonly points: readonly Point[];
}

export type Point = readonly [atMs: number, value: number];

export interface AxisView {
  readonly label: string;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** A threshold, or with `to` a band. */
export interface LineAnnotation {
  readonly value: number;
  readonly to?: number | undefined;
  readonly label: string;
  readonly color?: string | undefined;
  readonly fill: "above" | "below" | "none";
  readonly axis: AxisSide;
}

/** A vertical line at a time. */
export interface MarkAnnotation {
  readonly atMs: number;
  readonly label: string;
  readonly color?: string | undefined;
}

/** One value per series, for comparison. */
export interface BarsContent {
  readonly kind: "bars";
  readonly shape: "bar" | "pie";
  readonly values: readonly NumberView[];
}

export interface NumbersContent {
  readonly kind: "numbers";
  readonly values: readonly NumberView[];
}

export interface NumberView {
  readonly label: string;
  readonly color?: string | undefined;
  readonly value: number | null;
  readonly unit: string;
  /** Shows all digits, as the dashboard's definition asks. */
  readonly exact: boolean;
  /** Values over time, if the widget shows them. */
  readonly trend: readonly Point[];
}

export interface GaugesContent {
  readonly kind: "gauges";
  readonly min: number;
  readonly max: number;
  readonly lines: readonly LineAnnotation[];
  readonly values: readonly NumberView[];
}

export interface AlarmsContent {
  readonly kind: "alarms";
  readonly alarms: readonly AlarmView[];
}

export type AlarmState = "OK" | "ALARM" | "INSUFFICIENT_DATA";

export interface AlarmView {
  readonly name: string;
  readonly title: string;
  readonly state: AlarmState;
  /** Why the alarm is in this state. */
  readonly reason: string;
  readonly sinceMs?: number | undefined;
  /** What the alarm means, what to look at, and what to run. */
  readonly description: string;
}

export interface TableContent {
  readonly kind: "table";
  readonly columns: readonly string[];
  /** Of each column. */
  readonly kinds: readonly ColumnKind[];
  readonly rows: readonly (readonly string[])[];
}

/** What a column's cells are: "workspace" and "run" are ids, which link to their pages; "time" is "2026-11-30 14:05:00.123", UTC. */
export type ColumnKind = "text" | "time" | "function" | "workspace" | "run";

/** There is no data yet: says what the widget will show, and when. */
export interface EmptyContent {
  readonly kind: "empty";
  readonly sentence: string;
}

/** The widget cannot be drawn: says why. */
export interface ProblemContent {
  readonly kind: "problem";
  readonly sentence: string;
}
