/**
 * @import { Chart as ChartDeliverable, Deliverables } from "../../page-api.ts"
 * @import { Drawn } from "./registry.js"
 */
import { freshId, h } from "../dom.js";
import { download } from "../download.js";
import { inBold, markdownTable } from "../exports/markdown-parts.js";
import { fileNameOf } from "../exports/names.js";
import { card, cardButton } from "./card.js";
import { configOf } from "./chart-config.js";
import { legendOf, numbersOf } from "./chart-data.js";
import { chartImage } from "./chart-image.js";
import { readTheme } from "./chart-theme.js";
import { grid } from "./grid.js";

/** The colours are those of paper meanwhile (main.js). */
const printing = ["beforeprint", "afterprint"];

const kindNames = {
  pie: "Pie chart",
  bar: "Bar chart",
  stacked_bar: "Stacked bar chart",
  line: "Line chart",
  area: "Area chart",
  scatter: "Scatter chart",
};

/**
 * @param {ChartDeliverable} chart
 * @returns {Drawn}
 */
function draw(chart) {
  const { kind, id, title = id } = chart;
  const kindName = kindNames[kind];
  const dataId = freshId();
  const data = h(
    "div",
    { id: dataId, class: "chart-data", hidden: true },
    grid({ label: `Data of ${title}`, ...numbersOf(chart) }),
  );
  const toggle = cardButton(
    "Data",
    () => {
      data.hidden = !data.hidden;
      toggle.setAttribute("aria-expanded", String(!data.hidden));
      if (!data.hidden) data.scrollIntoView({ block: "nearest" });
    },
    { "aria-expanded": "false", "aria-controls": dataId },
  );
  const save = cardButton("PNG", () => download({ ...fileOf(chart), type: "image/png" }), {
    "aria-label": `Download ${title} as PNG`,
  });

  const canvas = h("canvas", {
    role: "img",
    "aria-label": `${kindName}: ${title}. “Data” shows its numbers as a table.`,
  });
  const frame = h("div", { class: `chart-frame chart-${kind}` }, canvas);
  frame.style.height = `${heightOf(chart)}px`;
  const legend = h("ul", { class: "legend" });
  const live = liveChart(canvas, chart, legend);
  const element = card(
    { kind: "chart", title, meta: kindName, actions: [toggle, save] },
    h("div", { class: `chart-body chart-body-${kind}` }, frame, legend),
    data,
  );
  return { element, destroy: () => live.destroy() };
}

/**
 * Draws the chart on the canvas, and redraws it when the page changes between light and dark.
 * @param {HTMLCanvasElement} canvas
 * @param {ChartDeliverable} chart
 * @param {HTMLElement} legend
 */
function liveChart(canvas, chart, legend) {
  const entries = legendOf(chart);
  const named = chart.kind === "pie" || entries.length > 1 ? entries : [];
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => readTheme(entries.length);
  const drawing = new Chart(canvas, configOf(chart, theme()));
  const redraw = () => {
    const { data, options } = configOf(chart, theme());
    Object.assign(drawing, { data, options });
    drawing.update("none");
    fillLegend(legend, named, theme().colours);
  };
  fillLegend(legend, named, theme().colours);
  scheme.addEventListener("change", redraw);
  for (const event of printing) addEventListener(event, redraw);
  return {
    destroy() {
      scheme.removeEventListener("change", redraw);
      for (const event of printing) removeEventListener(event, redraw);
      drawing.destroy();
    },
  };
}

/**
 * @param {HTMLElement} legend
 * @param {readonly { label: string, value?: string }[]} entries
 * @param {readonly string[]} colours
 */
function fillLegend(legend, entries, colours) {
  const rows = entries.map(({ label, value }, index) => {
    const swatch = h("span", { class: "swatch" });
    swatch.style.background = colours[index] ?? "";
    return h(
      "li",
      {},
      swatch,
      h("span", { class: "legend-label" }, label),
      value ? h("span", { class: "legend-value" }, value) : null,
    );
  });
  legend.replaceChildren(...rows);
  legend.hidden = rows.length === 0;
}

/**
 * @param {ChartDeliverable} chart
 * @returns {number} in pixels; horizontal bars get space for each
 */
function heightOf(chart) {
  if (chart.kind === "pie") return 240;
  const lies = (chart.kind === "bar" || chart.kind === "stacked_bar") && chart.orientation === "horizontal";
  if (!lies) return 300;
  const barsPerLabel = chart.kind === "bar" ? chart.series.length : 1;
  return Math.min(1_400, 60 + chart.labels.length * Math.max(34, 16 * barsPerLabel + 12));
}

/** @param {ChartDeliverable} chart */
function fileOf(chart) {
  const { id, title = id } = chart;
  const content = chartImage(chart, { title, height: heightOf(chart) });
  return { name: `${fileNameOf(title, "chart")}.png`, content };
}

export const chartKind = {
  kind: "chart",
  /** @param {Deliverables} deliverables */
  items: ({ charts }) =>
    charts.map((chart) => {
      const { kind, id, title = id } = chart;
      const markdown = () =>
        `${inBold(title)} (${kindNames[kind].toLowerCase()})\n\n${markdownTable(numbersOf(chart))}`;
      return { kind: "chart", id, title, draw: () => draw(chart), markdown, file: () => fileOf(chart) };
    }),
};
