/**
 * A chart's numbers as a table.
 * @import { Chart as ChartDeliverable } from "../../page-api.ts"
 * @typedef {{ readonly columns: readonly string[], readonly rows: readonly (readonly string[])[] }} Numbers
 */
import { number, percent } from "../format.js";

/**
 * @param {ChartDeliverable} chart
 * @returns {Numbers}
 */
export function numbersOf(chart) {
  switch (chart.kind) {
    case "pie":
      return {
        columns: ["Label", "Value", "Share"],
        rows: withShares(chart.segments).map(({ label, value, share }) => [label, number(value), share]),
      };
    case "scatter":
      return {
        columns: ["Series", "Label", "x", "y"],
        rows: chart.series.flatMap(({ name, points }) =>
          points.map(({ x, y, label = "" }) => [name, label, number(x), number(y)]),
        ),
      };
    default:
      return {
        columns: ["Label", ...chart.series.map(({ name }) => name)],
        rows: chart.labels.map((label, index) => [
          label,
          ...chart.series.map(({ values }) => number(values[index] ?? 0)),
        ]),
      };
  }
}

/**
 * @param {ChartDeliverable} chart
 * @returns {{ label: string, value?: string }[]} one per colour
 */
export function legendOf(chart) {
  if (chart.kind !== "pie") return chart.series.map(({ name }) => ({ label: name }));
  return withShares(chart.segments).map(({ label, value, share }) => ({
    label,
    value: share === "–" ? number(value) : share,
  }));
}

/**
 * @param {readonly { label: string, value: number }[]} segments
 * @returns {{ label: string, value: number, share: string }[]} a pie with a negative value has no shares
 */
export function withShares(segments) {
  const total = segments.reduce((sum, { value }) => sum + value, 0);
  const whole = total > 0 && segments.every(({ value }) => value >= 0);
  return segments.map(({ label, value }) => ({ label, value, share: whole ? percent(value / total) : "–" }));
}
