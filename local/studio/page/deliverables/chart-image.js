/**
 * @import { Chart as ChartDeliverable } from "../../page-api.ts"
 */
import { h } from "../dom.js";
import { configOf } from "./chart-config.js";
import { legendOf } from "./chart-data.js";
import { readTheme } from "./chart-theme.js";

const width = 960;
const leastHeight = 540;
/** Pixels for each of the above, so that the picture is sharp on a slide. */
const density = 2;

/**
 * The chart as a PNG with its title and legend, in the page's present colours.
 * @param {ChartDeliverable} chart
 * @param {{ title: string, height: number }} look
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function chartImage(chart, { title, height }) {
  const canvas = h("canvas", { width, height: Math.max(leastHeight, height + 120) });
  const drawing = new Chart(canvas, imageConfig(chart, title));
  const [, base64 = ""] = drawing.toBase64Image().split(",");
  drawing.destroy();
  return Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0));
}

/**
 * @param {ChartDeliverable} chart
 * @param {string} title
 */
function imageConfig(chart, title) {
  const entries = legendOf(chart);
  const theme = readTheme(entries.length);
  const { data, options, ...config } = configOf(chart, theme);
  const isPie = chart.kind === "pie";
  const labels = isPie ? entries.map(({ label, value }) => `${label}: ${value}`) : data.labels;
  return {
    ...config,
    data: { ...data, ...(labels ? { labels } : {}) },
    options: {
      ...options,
      responsive: false,
      devicePixelRatio: density,
      layout: { padding: 28 },
      plugins: {
        ...options?.plugins,
        title: {
          display: true,
          text: title,
          color: theme.text,
          align: /** @type {const} */ ("start"),
          padding: { bottom: 20 },
          font: { family: theme.font, size: 20, weight: /** @type {const} */ (600) },
        },
        legend: {
          display: isPie || entries.length > 1,
          position: isPie ? /** @type {const} */ ("right") : /** @type {const} */ ("bottom"),
          labels: {
            color: theme.text,
            font: { family: theme.font, size: 13 },
            usePointStyle: true,
            padding: 14,
          },
        },
      },
    },
    plugins: [groundPlugin(theme.surface)],
  };
}

/**
 * Without it the picture would be transparent, and unreadable on a dark slide.
 * @param {string} colour
 */
const groundPlugin = (colour) => ({
  id: "ground",
  /** @param {{ ctx: CanvasRenderingContext2D, width: number, height: number }} chart */
  beforeDraw({ ctx, width: across, height: down }) {
    ctx.save();
    ctx.fillStyle = colour;
    ctx.fillRect(0, 0, across, down);
    ctx.restore();
  },
});
