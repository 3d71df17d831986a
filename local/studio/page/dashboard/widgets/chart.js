/**
 * @import { ChartContent, SeriesView } from "../../../../dashboard/view.ts"
 * @import { Frame, Setting } from "./types.d.ts"
 */
import { h } from "../../dom.js";
import { figure } from "../figures.js";
import { paletteOf } from "../palette.js";
import { chartConfig } from "./chart-config.js";

/** @typedef {SeriesView & { colour: string }} ColouredSeries */

/**
 * Lines or stacked bars over time. Updates change the data and keep the canvas.
 * @param {ChartContent} content
 * @param {Setting} setting
 */
export function chartBody(content, { title, ...frame }) {
  const palette = paletteOf();
  const canvas = h("canvas", { role: "img" });
  const legend = h("ul", { class: "legend" });
  const element = h(
    "div",
    { class: `chart chart-legend-${content.legend}` },
    // The axis units are shown above the axes, if there is room.
    h(
      "div",
      { class: "chart-axes" },
      h("span", {}, content.axes.left.label),
      h("span", {}, content.axes.right.label),
    ),
    h("div", { class: "chart-frame" }, canvas),
    legend,
  );
  /** @param {ChartContent} next @param {Frame} during */
  const configOf = (next, during) => chartConfig(coloured(next, palette), during);
  const drawing = new Chart(canvas, configOf(content, frame));
  /** @param {ChartContent} next */
  const say = (next) => {
    canvas.setAttribute(
      "aria-label",
      [title, ...next.series.map(next.stacked ? totalWords : lastWords)].join(". "),
    );
    legend.replaceChildren(...coloured(next, palette).series.map((series) => legendRow(series, next)));
    legend.hidden = next.legend === "hidden";
  };
  say(content);
  return {
    element,
    /** @param {ChartContent} next @param {Frame} during */
    update(next, during) {
      const { data, options } = configOf(next, during);
      Object.assign(drawing, { data, options });
      drawing.update("none");
      say(next);
    },
    destroy() {
      drawing.destroy();
      element.remove();
    },
  };
}

/**
 * @param {ChartContent} content
 * @param {(label: string) => string} palette
 * @returns {Omit<ChartContent, "series"> & { series: readonly ColouredSeries[] }}
 */
const coloured = (content, palette) => ({
  ...content,
  series: content.series.map((series) => ({ ...series, colour: series.color ?? palette(series.label) })),
});

/** @param {SeriesView} series @returns {string} "p95: last 12 s" */
function lastWords({ label, unit, points }) {
  const last = points.at(-1);
  return last ? `${label}: last ${figure(last[1], unit)}` : `${label}: no data`;
}

/** @param {SeriesView} series @returns {string} "failed: 3" */
const totalWords = (series) => `${series.label}: ${figure(totalOf(series), series.unit)}`;

/** @param {SeriesView} series */
const totalOf = ({ points }) => points.reduce((total, [, value]) => total + value, 0);

/**
 * The last value of a line, or the total of bars.
 * @param {ColouredSeries} series
 * @param {{ stacked: boolean }} content
 */
function legendRow(series, { stacked }) {
  const { label, colour, unit, points } = series;
  const swatch = h("span", { class: "swatch" });
  swatch.style.background = colour;
  const value = stacked ? totalOf(series) : points.at(-1)?.[1];
  const meaning = stacked ? "In this time range" : "The last value";
  return h(
    "li",
    { title: value === undefined ? "No data in this time range" : meaning },
    swatch,
    h("span", { class: "legend-label" }, label),
    h("span", { class: "legend-value" }, value === undefined ? "–" : figure(value, unit)),
  );
}
