/**
 * A chart deliverable as a Chart.js configuration.
 * @import { Chart as ChartDeliverable } from "../../page-api.ts"
 * @import { ChartTheme } from "./chart-theme.js"
 * @import { ChartConfiguration, ChartOptions } from "chart.js"
 * @typedef {Extract<ChartDeliverable, { kind: "pie" }>} Pie
 * @typedef {Extract<ChartDeliverable, { kind: "scatter" }>} Scatter
 * @typedef {Exclude<ChartDeliverable, Pie | Scatter>} Series
 */
import { compactNumber, number } from "../format.js";
import { withShares } from "./chart-data.js";
import { tooltipLook, withAlpha } from "./chart-theme.js";

/** The chart types that have labels. */
const seriesKinds = /** @type {const} */ ({
  bar: { type: "bar", stacked: false, filled: false },
  stacked_bar: { type: "bar", stacked: true, filled: false },
  line: { type: "line", stacked: false, filled: false },
  area: { type: "line", stacked: false, filled: true },
});

/** Shapes in addition to colours, so that series can be told apart without colour. */
const pointShapes = /** @type {const} */ ([
  "circle",
  "rect",
  "triangle",
  "rectRot",
  "star",
  "crossRot",
  "rectRounded",
  "cross",
]);

/**
 * @param {ChartDeliverable} chart
 * @param {ChartTheme} theme
 * @returns {ChartConfiguration<any>}
 */
export function configOf(chart, theme) {
  if (chart.kind === "pie") return pieConfig(chart, theme);
  if (chart.kind === "scatter") return scatterConfig(chart, theme);
  return seriesConfig(chart, theme);
}

/**
 * @param {ChartTheme} theme
 * @returns {ChartOptions<any>}
 */
function commonOptions(theme) {
  return {
    responsive: true,
    maintainAspectRatio: false,
    animation: false,
    font: { family: theme.font, size: 12 },
    color: theme.muted,
    plugins: {
      legend: { display: false },
      tooltip: {
        ...tooltipLook(theme),
        usePointStyle: true,
      },
    },
  };
}

/**
 * @param {ChartTheme} theme
 * @param {{ isValue: boolean, stacked?: boolean }} role
 */
function axis(theme, { isValue, stacked = false }) {
  return {
    stacked,
    border: { display: !isValue, color: theme.rule },
    grid: { display: isValue, color: theme.rule },
    ticks: {
      color: theme.muted,
      font: { family: theme.font, size: 12 },
      padding: 6,
      maxRotation: 40,
      autoSkipPadding: 10,
      ...(isValue
        ? {
            maxTicksLimit: 7,
            callback: (/** @type {number | string} */ value) => compactNumber(Number(value)),
          }
        : {}),
    },
  };
}

/**
 * @param {Series} chart
 * @param {ChartTheme} theme
 */
function seriesConfig({ kind, labels, series, orientation }, theme) {
  const { type, stacked, filled } = seriesKinds[kind];
  const flat = type === "bar" && orientation === "horizontal";
  const labelAxis = axis(theme, { isValue: false, stacked });
  const valueAxis = { ...axis(theme, { isValue: true, stacked }), beginAtZero: type === "bar" || filled };
  const options = commonOptions(theme);
  const style = type === "bar" ? barStyle : lineStyle;
  return {
    type,
    data: {
      labels: [...labels],
      datasets: series.map(({ name, values }, index) => ({
        label: name,
        data: [...values],
        ...style({ theme, index, filled, stacked }),
      })),
    },
    options: {
      ...options,
      indexAxis: flat ? "y" : "x",
      interaction: { mode: "index", axis: flat ? "y" : "x", intersect: false },
      scales: flat
        ? { x: valueAxis, y: { ...labelAxis, ticks: { ...labelAxis.ticks, autoSkip: false } } }
        : { x: labelAxis, y: valueAxis },
    },
  };
}

/** @typedef {{ theme: ChartTheme, index: number, filled: boolean, stacked: boolean }} StyleInput */

/** @param {StyleInput} input */
function barStyle({ theme, index, stacked }) {
  return {
    backgroundColor: theme.colours[index],
    borderColor: theme.surface,
    borderWidth: stacked ? 1 : 0,
    borderRadius: stacked ? 2 : 4,
    maxBarThickness: 44,
    categoryPercentage: 0.72,
    pointStyle: "rectRounded",
  };
}

/** @param {StyleInput} input */
function lineStyle({ theme, index, filled }) {
  const colour = theme.colours[index] ?? theme.text;
  return {
    borderColor: colour,
    backgroundColor: filled ? withAlpha(colour, 0.16) : colour,
    pointBackgroundColor: colour,
    pointBorderColor: colour,
    pointStyle: pointShapes[index % pointShapes.length],
    pointRadius: 3,
    pointHoverRadius: 5,
    borderWidth: 2,
    fill: filled ? "origin" : false,
  };
}

/**
 * @param {Pie} chart
 * @param {ChartTheme} theme
 */
function pieConfig({ segments }, theme) {
  const options = commonOptions(theme);
  const shares = withShares(segments);
  return {
    type: "pie",
    data: {
      labels: segments.map(({ label }) => label),
      datasets: [
        {
          data: segments.map(({ value }) => value),
          backgroundColor: [...theme.colours],
          borderColor: theme.surface,
          borderWidth: 2,
          hoverOffset: 4,
        },
      ],
    },
    options: {
      ...options,
      layout: { padding: 6 },
      plugins: {
        ...options.plugins,
        tooltip: {
          ...options.plugins?.tooltip,
          callbacks: {
            label: (/** @type {{ dataIndex: number }} */ { dataIndex }) =>
              ` ${number(segments[dataIndex]?.value ?? 0)} (${shares[dataIndex]?.share ?? "–"})`,
          },
        },
      },
    },
  };
}

/**
 * @param {Scatter} chart
 * @param {ChartTheme} theme
 */
function scatterConfig({ series }, theme) {
  const options = commonOptions(theme);
  return {
    type: "scatter",
    data: {
      datasets: series.map(({ name, points }, index) => ({
        label: name,
        data: points.map(({ x, y }) => ({ x, y })),
        backgroundColor: withAlpha(theme.colours[index] ?? theme.text, 0.75),
        borderColor: theme.colours[index],
        borderWidth: 1.5,
        pointStyle: pointShapes[index % pointShapes.length],
        pointRadius: 5,
        pointHoverRadius: 7,
      })),
    },
    options: {
      ...options,
      scales: { x: axis(theme, { isValue: true }), y: axis(theme, { isValue: true }) },
      plugins: {
        ...options.plugins,
        tooltip: {
          ...options.plugins?.tooltip,
          callbacks: {
            label: (/** @type {{ datasetIndex: number, dataIndex: number }} */ item) =>
              scatterLine(series, item),
          },
        },
      },
    },
  };
}

/**
 * @param {Scatter["series"]} series
 * @param {{ datasetIndex: number, dataIndex: number }} item
 * @returns {string} "Lisbon: 12, 30"
 */
export function scatterLine(series, { datasetIndex, dataIndex }) {
  const { name = "", points = [] } = series[datasetIndex] ?? {};
  const point = points[dataIndex];
  return point ? ` ${point.label ?? name}: ${number(point.x)}, ${number(point.y)}` : name;
}
