/**
 * What the dashboard page is told: everything is worked out on the server, the page only draws. Times are epoch
 * milliseconds, `number | null` is null where there is no data.
 *
 * GET /dashboard                          the page; its assets under /page/dashboard/…
 * GET /api/dashboard?name=…&minutes=…     DashboardView; without a name the first dashboard's
 * GET /api/runbook                        { markdown }: docs/runbook.md
 */
export interface DashboardView {
  /** Studio's page. */
  readonly studioUrl: string;
  readonly dashboards: readonly DashboardName[];
  /** Of the one shown; absent where the stack has none. */
  readonly name?: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly widgets: readonly PlacedWidget[];
  /** Of the whole stack. */
  readonly alarms: readonly AlarmView[];
}

export interface DashboardName {
  readonly name: string;
  readonly title: string;
}

/** In cells of CloudWatch's grid of 24 columns. `x` and `y` are absent where the layout is left to the page. */
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

/** Lines over time; `stacked` draws areas upon each other. */
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
  /** As the dashboard's author chose it; else the page's palette. */
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

/** A threshold. With `to` it is a band. */
export interface LineAnnotation {
  readonly value: number;
  readonly to?: number | undefined;
  readonly label: string;
  readonly color?: string | undefined;
  readonly fill: "above" | "below" | "none";
  readonly axis: AxisSide;
}

/** A moment. */
export interface MarkAnnotation {
  readonly atMs: number;
  readonly label: string;
  readonly color?: string | undefined;
}

/** One value per series, compared. */
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
  /** All digits, as the dashboard's author asked. */
  readonly exact: boolean;
  /** The way there, where one is to be drawn. */
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
  /** Why it is in this state. */
  readonly reason: string;
  readonly sinceMs?: number | undefined;
  /** What it means, what to look at, what to run. */
  readonly description: string;
}

export interface TableContent {
  readonly kind: "table";
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Nothing to draw yet: what will show, and when. */
export interface EmptyContent {
  readonly kind: "empty";
  readonly sentence: string;
}

/** It cannot be drawn, and says why. */
export interface ProblemContent {
  readonly kind: "problem";
  readonly sentence: string;
}
