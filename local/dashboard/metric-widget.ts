import type { MetricWidget } from "./body.ts";
import { type MetricRow, metricRows, withPeriod } from "./metric-rows.ts";
import type { DrawContext, SeriesData } from "./source.ts";
import type { LineAnnotation, MarkAnnotation, NumberView, SeriesView, WidgetContent } from "./view.ts";
import { emptySentence, unitOf } from "./words.ts";

/**
 * The content of a metric widget: lines over time, or one value per series.
 * @throws Error with a sentence about what cannot be computed
 */
export function metricContent(widget: MetricWidget, context: DrawContext): WidgetContent {
  if (widget.metrics.length === 0) throw new Error("This widget names no metric.");
  const rows = metricRows(widget, (wanted) => periodOf(widget, wanted, context));
  const series = seriesOf(rows, context);
  const isEmpty = series.every(({ points }) => points.length === 0);
  if (isEmpty && widget.view !== "singleValue") {
    const queries = rows.map(({ query }) => query);
    return { kind: "empty", sentence: emptySentence(queries, context.rangeText) };
  }
  return views[widget.view]({ widget, rows, series, context });
}

interface ViewInput {
  readonly widget: MetricWidget;
  readonly rows: readonly MetricRow[];
  readonly series: readonly SeriesView[];
  readonly context: DrawContext;
}

const views: Readonly<Record<MetricWidget["view"], (input: ViewInput) => WidgetContent>> = {
  timeSeries: ({ widget, rows, series, context }) => ({
    kind: "chart",
    stacked: widget.stacked,
    periodMs: Math.min(...rows.map(({ query }) => query.periodSeconds)) * 1_000,
    series,
    axes: { left: { label: "", ...widget.yAxis.left }, right: { label: "", ...widget.yAxis.right } },
    lines: linesOf(widget),
    marks: marksOf(widget, context),
    legend: widget.legend?.position ?? "bottom",
  }),
  singleValue: (input) => ({ kind: "numbers", values: numbersOf(input) }),
  gauge: (input) => ({
    kind: "gauges",
    min: input.widget.yAxis.left?.min ?? 0,
    max: input.widget.yAxis.left?.max ?? 100,
    lines: linesOf(input.widget),
    values: numbersOf(input),
  }),
  bar: (input) => ({ kind: "bars", shape: "bar", values: numbersOf(input) }),
  pie: (input) => ({ kind: "bars", shape: "pie", values: numbersOf(input) }),
  table: ({ series }) => ({
    kind: "table",
    columns: ["Metric", "Last", "Least", "Most", "Average"],
    kinds: [],
    rows: series.map(summaryRow),
  }),
};

/** Views with one value per series. The others show values over time. */
const isSingle = ({ view }: MetricWidget): boolean => view !== "timeSeries" && view !== "table";

/** CloudWatch keeps metrics by the minute, so the finest line has one point per minute. */
const finestSeconds = 60;
const autoPeriods = [
  { upToMs: 3 * 3_600_000, seconds: finestSeconds },
  { upToMs: Number.POSITIVE_INFINITY, seconds: 300 },
] as const;
/** At most 60 bars, so that each can be seen. */
const barPeriods = [
  { upToMs: 3_600_000, seconds: finestSeconds },
  { upToMs: 3 * 3_600_000, seconds: 300 },
  { upToMs: Number.POSITIVE_INFINITY, seconds: 1_800 },
] as const;

function periodOf(widget: MetricWidget, wantedSeconds: number, { range, inherit }: DrawContext): number {
  const lengthMs = range.endMs - range.startMs;
  if (isSingle(widget) && widget.setPeriodToTimeRange) return lengthMs / 1_000;
  if (inherit) return wantedSeconds;
  return (
    (widget.stacked ? barPeriods : autoPeriods).find(({ upToMs }) => lengthMs <= upToMs)?.seconds ??
    wantedSeconds
  );
}

/** Series in the order of the rows. A row without results has none. */
function seriesOf(
  rows: readonly MetricRow[],
  { source, range, isInvented }: DrawContext,
): readonly SeriesView[] {
  const found = source.metricData(
    rows.map(({ query }) => withPeriod(query)),
    range,
  );
  return rows
    .filter(({ query }) => query.returnData)
    .flatMap((row) => found.filter(({ id }) => id === row.query.id).map((data) => seriesView(row, data)))
    .map((series) => (isInvented && series.unit === "$" ? invented(series) : series));
}

const invented = (series: SeriesView): SeriesView => ({ ...series, label: `${series.label} (invented)` });

const seriesView = ({ query, color, axis }: MetricRow, { label, points }: SeriesData): SeriesView => ({
  label,
  color,
  axis,
  unit: unitOf(query),
  points,
});

function numbersOf({ widget, series }: ViewInput): readonly NumberView[] {
  const drawsTrend = widget.view === "singleValue" && widget.sparkline && !widget.setPeriodToTimeRange;
  return series.map(({ label, color, unit, points }) => ({
    label,
    color,
    unit,
    value: points.at(-1)?.[1] ?? null,
    exact: widget.singleValueFullPrecision,
    trend: drawsTrend ? points : [],
  }));
}

function linesOf({ annotations }: MetricWidget): readonly LineAnnotation[] {
  return annotations.horizontal.flatMap((annotation) => {
    const [line, upper] = Array.isArray(annotation) ? annotation : [annotation];
    if (!line.visible) return [];
    const { value, label, color, yAxis: axis } = line;
    const fill = "fill" in line ? line.fill : "none";
    return [{ value, to: upper?.value, label: label || (upper?.label ?? ""), color, fill, axis }];
  });
}

function marksOf({ annotations }: MetricWidget, { range }: DrawContext): readonly MarkAnnotation[] {
  return annotations.vertical
    .filter(({ visible }) => visible)
    .map(({ value, label, color }) => ({ atMs: Date.parse(value), label, color }))
    .filter(({ atMs }) => atMs >= range.startMs && atMs < range.endMs);
}

function summaryRow({ label, unit, points }: SeriesView): readonly string[] {
  const values = points.map(([, value]) => value);
  if (values.length === 0) return [label, "–", "–", "–", "–"];
  const average = values.reduce((sum, value) => sum + value, 0) / values.length;
  const figures = [values.at(-1) ?? 0, Math.min(...values), Math.max(...values), average];
  return [label, ...figures.map((value) => `${Number(value.toPrecision(4))} ${unit}`.trim())];
}
