/**
 * Draws thresholds, bands and points in time on a chart, which Chart.js does not support itself.
 * @import { Chart as ChartClass, Plugin } from "chart.js"
 * @import { AxisSide, LineAnnotation, MarkAnnotation, SeriesView } from "../../../../dashboard/view.ts"
 * @import { ChartTheme } from "../../deliverables/chart-theme.js"
 * @typedef {{ lines: readonly LineAnnotation[], marks: readonly MarkAnnotation[], theme: ChartTheme }} Options
 */

/** The axis is extended to a threshold of up to this many times the highest value. */
const farAway = 4;

/**
 * Extends the axis to the thresholds, except to those that would flatten the data. These get only a label with an arrow at
 * the top of the chart (see `annotations`).
 * @param {readonly LineAnnotation[]} lines
 * @param {readonly SeriesView[]} series
 * @param {AxisSide} side
 */
export function reachOf(lines, series, side) {
  const own = lines.filter(({ axis }) => axis === side).map(({ value, to }) => Math.max(value, to ?? value));
  const most = Math.max(
    0,
    ...series.filter(({ axis }) => axis === side).flatMap(({ points }) => points.map(([, y]) => y)),
  );
  const near = own.filter((value) => value <= most * farAway);
  return near.length === 0 ? {} : { suggestedMax: Math.max(...near) * 1.05 };
}

/** @type {Plugin<"line", any>} */
export const annotations = {
  id: "dashboardAnnotations",
  afterDatasetsDraw(chart, _args, /** @type {Options} */ { lines, marks, theme }) {
    const { ctx: pen } = chart;
    pen.save();
    pen.font = `11px ${theme.font}`;
    for (const line of lines) drawLine(chart, line, theme);
    for (const mark of marks) drawMark(chart, mark, theme);
    pen.restore();
  },
};

/**
 * @param {ChartClass} chart
 * @param {LineAnnotation} line
 * @param {ChartTheme} theme
 */
function drawLine(chart, { value, to, label, color, fill, axis }, theme) {
  const scale = chart.scales[axis];
  if (!scale) return;
  const { ctx: pen, chartArea: area } = chart;
  const y = scale.getPixelForValue(value);
  const isAbove = y < area.top - 1;
  pen.strokeStyle = color ?? theme.muted;
  pen.fillStyle = color ?? theme.muted;
  if (!isAbove && y <= area.bottom + 1) {
    pen.setLineDash([5, 4]);
    pen.beginPath();
    pen.moveTo(area.left, y);
    pen.lineTo(area.right, y);
    pen.stroke();
    pen.setLineDash([]);
  }
  shade(chart, { y, otherY: to === undefined ? edgeOf(fill, area) : scale.getPixelForValue(to) });
  if (label === "") return;
  write(chart, isAbove ? `↑ ${label}` : label, { y: isAbove ? area.top : y, theme });
}

/**
 * @param {LineAnnotation["fill"]} fill
 * @param {{ top: number, bottom: number }} area
 */
function edgeOf(fill, { top, bottom }) {
  if (fill === "none") return undefined;
  return fill === "above" ? top : bottom;
}

/**
 * @param {ChartClass} chart
 * @param {{ y: number, otherY: number | undefined }} band
 */
function shade({ ctx: pen, chartArea: area }, { y, otherY }) {
  if (otherY === undefined) return;
  /** @param {number} at */
  const inside = (at) => Math.min(area.bottom, Math.max(area.top, at));
  pen.globalAlpha = 0.1;
  pen.fillRect(area.left, inside(y), area.right - area.left, inside(otherY) - inside(y));
  pen.globalAlpha = 1;
}

/**
 * Writes at the left end of the line, where a stack that has just started has no data yet; above the line if there is room.
 * @param {ChartClass} chart
 * @param {string} text
 * @param {{ y: number, theme: ChartTheme }} place
 */
function write({ ctx: pen, chartArea: area }, text, { y, theme }) {
  const isHigh = y - area.top < 14;
  pen.textAlign = "left";
  pen.textBaseline = isHigh ? "top" : "bottom";
  const at = { x: area.left + 4, y: isHigh ? y + 3 : y - 3 };
  pen.lineWidth = 3;
  pen.strokeStyle = theme.surface;
  pen.strokeText(text, at.x, at.y);
  pen.fillStyle = theme.muted;
  pen.fillText(text, at.x, at.y);
  pen.lineWidth = 1;
}

/**
 * @param {ChartClass} chart
 * @param {MarkAnnotation} mark
 * @param {ChartTheme} theme
 */
function drawMark(chart, { atMs, label, color }, theme) {
  const { ctx: pen, chartArea: area, scales } = chart;
  const x = scales["x"]?.getPixelForValue(atMs);
  if (x === undefined) return;
  pen.strokeStyle = color ?? theme.muted;
  pen.beginPath();
  pen.moveTo(x, area.top);
  pen.lineTo(x, area.bottom);
  pen.stroke();
  if (label !== "") write(chart, label, { y: area.top, theme });
}
