/**
 * @import { ChartConfiguration, Scale, TooltipItem } from "chart.js"
 * @import { AxisSide, ChartContent, Point } from "../../../../dashboard/view.ts"
 * @import { ChartTheme } from "../../deliverables/chart-theme.js"
 * @import { ColouredSeries } from "./chart.js"
 * @import { Frame } from "./types.d.ts"
 * @typedef {Omit<ChartContent, "series"> & { series: readonly ColouredSeries[] }} Coloured
 */
import { readTheme, tooltipLook } from "../../deliverables/chart-theme.js";
import { clockTime, figure } from "../figures.js";
import { annotations, reachOf } from "./annotations.js";

/**
 * @param {Coloured} content
 * @param {Frame} frame
 * @returns {ChartConfiguration<any>}
 */
export function chartConfig(content, frame) {
  const theme = readTheme(0);
  return {
    type: content.stacked ? "bar" : "line",
    data: { datasets: content.series.map((series) => dataset(series, content, frame)) },
    options: {
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      parsing: false,
      normalized: true,
      interaction: { mode: content.stacked ? "index" : "nearest", axis: "x", intersect: false },
      plugins: {
        legend: { display: false },
        tooltip: tooltip(content, theme),
        dashboardAnnotations: { lines: content.lines, marks: content.marks, theme },
      },
      scales: scalesOf(content, frame, theme),
    },
    plugins: [annotations],
  };
}

/**
 * @param {ColouredSeries} series
 * @param {Coloured} content
 * @param {Frame} frame
 */
const dataset = (series, content, frame) =>
  content.stacked ? barsOf(series, content, frame) : lineOf(series, content);

/**
 * @param {ColouredSeries} series
 * @param {Coloured} content
 * @param {Frame} frame
 */
function barsOf({ label, colour, axis, points }, { periodMs }, frame) {
  return {
    label,
    data: filled(points, periodMs, frame).map(([x, y]) => ({ x: x + periodMs / 2, y })),
    yAxisID: axis,
    backgroundColor: colour,
    barPercentage: 0.86,
    categoryPercentage: 1,
    maxBarThickness: 28,
  };
}

/**
 * @param {ColouredSeries} series
 * @param {Coloured} content
 */
function lineOf({ label, colour, axis, points }, { periodMs }) {
  const isAlone = alone(points, periodMs);
  return {
    label,
    data: points.map(([x, y]) => ({ x, y })),
    yAxisID: axis,
    borderColor: colour,
    backgroundColor: colour,
    borderWidth: 1.75,
    // A value without neighbours has no line, so it gets a dot.
    pointRadius: points.map((_, at) => (isAlone(at) ? 2.5 : 0)),
    pointHoverRadius: 4,
    pointBackgroundColor: colour,
    pointBorderColor: colour,
    // Breaks the line where a period has no data.
    spanGaps: periodMs * 1.5,
  };
}

/**
 * @param {readonly Point[]} points
 * @param {number} periodMs
 * @returns {(at: number) => boolean}
 */
function alone(points, periodMs) {
  /** @param {number} at @param {number} other */
  const near = (at, other) => {
    const [one, two] = [points[at]?.[0], points[other]?.[0]];
    return one !== undefined && two !== undefined && Math.abs(one - two) <= periodMs * 1.5;
  };
  return (at) => !near(at, at - 1) && !near(at, at + 1);
}

/**
 * A value for every period: Chart.js makes a bar as wide as the smallest distance between two of them.
 * @param {readonly Point[]} points
 * @param {number} periodMs
 * @param {Frame} frame
 * @returns {readonly Point[]}
 */
function filled(points, periodMs, { startMs, endMs }) {
  const known = new Map(points);
  const firstMs = Math.floor(startMs / periodMs) * periodMs;
  const count = Math.max(0, Math.ceil((endMs - firstMs) / periodMs));
  return Array.from({ length: count }, (_, index) => {
    const atMs = firstMs + index * periodMs;
    return [atMs, known.get(atMs) ?? 0];
  });
}

/**
 * @param {Coloured} content
 * @param {Frame} frame
 * @param {ChartTheme} theme
 */
function scalesOf(content, frame, theme) {
  const sides = content.series.some(({ axis }) => axis === "right") ? ["left", "right"] : ["left"];
  const values = sides.map((side) => [side, valueAxis(side === "right" ? "right" : "left", content, theme)]);
  return { ...Object.fromEntries(values), x: timeAxis(content, frame, theme) };
}

/**
 * @param {Coloured} content
 * @param {Frame} frame
 * @param {ChartTheme} theme
 */
function timeAxis({ periodMs, stacked }, { startMs, endMs }, theme) {
  const firstMs = Math.floor(startMs / periodMs) * periodMs;
  return {
    type: "linear",
    stacked,
    offset: false,
    min: firstMs,
    max: endMs,
    border: { color: theme.rule },
    grid: { display: false },
    afterBuildTicks: (/** @type {Scale} */ scale) => {
      scale.ticks = clockTicks(firstMs, endMs).map((value) => ({ value }));
    },
    ticks: {
      color: theme.muted,
      font: { family: theme.font, size: 11 },
      padding: 4,
      maxRotation: 0,
      callback: (/** @type {number | string} */ value) => clockTime(Number(value)),
    },
  };
}

/**
 * @param {AxisSide} side
 * @param {Coloured} content
 * @param {ChartTheme} theme
 */
function valueAxis(side, { series, axes, lines, stacked }, theme) {
  const { min, max } = axes[side];
  const unit = series.find(({ axis }) => axis === side)?.unit ?? "";
  const isEven = series.every(
    ({ axis, points }) => axis !== side || points.every(([, y]) => Number.isInteger(y)),
  );
  return {
    position: side,
    stacked,
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    beginAtZero: true,
    ...reachOf(lines, series, side),
    border: { display: false },
    grid: { display: side === "left", color: theme.rule },
    ticks: {
      color: theme.muted,
      font: { family: theme.font, size: 11 },
      padding: 6,
      maxTicksLimit: 5,
      ...(isEven ? { precision: 0 } : {}),
      callback: (/** @type {number | string} */ value) => figure(Number(value), unit),
    },
  };
}

const minuteMs = 60_000;
const tickSteps = [1, 5, 10, 15, 30, 60, 120, 240, 360].map((count) => count * minuteMs);
const mostTicks = 6;

/**
 * Round times in the viewer's time zone.
 * @param {number} startMs
 * @param {number} endMs
 * @returns {readonly number[]}
 */
export function clockTicks(startMs, endMs) {
  const step = tickSteps.find((each) => (endMs - startMs) / each <= mostTicks) ?? 24 * 60 * minuteMs;
  const zoneMs = new Date(startMs).getTimezoneOffset() * minuteMs;
  const first = Math.ceil((startMs - zoneMs) / step) * step + zoneMs;
  const count = Math.max(0, Math.floor((endMs - first) / step) + 1);
  return Array.from({ length: count }, (_, index) => first + index * step);
}

/**
 * @param {Coloured} content
 * @param {ChartTheme} theme
 */
function tooltip({ series, periodMs, stacked }, theme) {
  const beforeMs = stacked ? periodMs / 2 : 0;
  return {
    ...tooltipLook(theme),
    filter: (/** @type {TooltipItem<"line">} */ { parsed }) => !stacked || parsed.y !== 0,
    callbacks: {
      title: (/** @type {readonly TooltipItem<"line">[]} */ items) => {
        const atMs = (items[0]?.parsed.x ?? 0) - beforeMs;
        return `${clockTime(atMs)}–${clockTime(atMs + periodMs)}`;
      },
      label: (/** @type {TooltipItem<"line">} */ { datasetIndex, parsed }) => {
        const { label = "", unit = "" } = series[datasetIndex] ?? {};
        return ` ${label}: ${figure(parsed.y ?? 0, unit)}`;
      },
    },
  };
}
