/** @import { BarsContent, NumberView } from "../../../../dashboard/view.ts" */
import { h } from "../../dom.js";
import { percent } from "../../format.js";
import { figure } from "../figures.js";
import { paletteOf } from "../palette.js";
import { redrawn } from "./redrawn.js";
import { shape } from "./shapes.js";

/** @param {BarsContent} content */
export function barsBody(content) {
  const palette = paletteOf();
  return redrawn(h("div", { class: `bars bars-${content.shape}` }), content, ({ shape: kind, values }) => {
    const known = values.map((view) => ({ ...view, colour: view.color ?? palette(view.label) }));
    return kind === "pie" ? [pie(known), shares(known)] : [bars(known)];
  });
}

/** @typedef {NumberView & { colour: string }} Coloured */

/** @param {readonly Coloured[]} values */
function bars(values) {
  const most = Math.max(...values.map(({ value }) => value ?? 0), Number.MIN_VALUE);
  return h(
    "ul",
    { class: "bar-list" },
    ...values.map(({ label, value, unit, colour }) => {
      const bar = h("span", { class: "bar-fill" });
      bar.style.width = `${(100 * Math.max(0, value ?? 0)) / most}%`;
      bar.style.background = colour;
      return h(
        "li",
        {},
        h("span", { class: "bar-label" }, label),
        h("span", { class: "bar-figure" }, value === null ? "–" : figure(value, unit)),
        h("span", { class: "bar-track", "aria-hidden": "true" }, bar),
      );
    }),
  );
}

/** With this circumference, the length of a dash is a percentage. */
const circumference = 100;
const radius = circumference / (2 * Math.PI);

/** @param {readonly Coloured[]} values */
function pie(values) {
  const total = totalOf(values);
  let before = 0;
  const slices = values.map(({ value, colour }) => {
    const share = total === 0 ? 0 : (circumference * Math.max(0, value ?? 0)) / total;
    const slice = shape("circle", {
      cx: 21,
      cy: 21,
      r: radius.toFixed(4),
      class: "slice",
      "stroke-dasharray": `${share.toFixed(3)} ${(circumference - share).toFixed(3)}`,
      "stroke-dashoffset": (25 - before).toFixed(3),
    });
    slice.style.stroke = colour;
    before += share;
    return slice;
  });
  return shape("svg", { viewBox: "0 0 42 42", class: "pie", "aria-hidden": "true" }, ...slices);
}

/** @param {readonly Coloured[]} values */
function shares(values) {
  const total = totalOf(values);
  return h(
    "ul",
    { class: "legend legend-shares" },
    ...values.map(({ label, value, unit, colour }) => {
      const swatch = h("span", { class: "swatch" });
      swatch.style.background = colour;
      const share = total === 0 || value === null ? "–" : percent(value / total);
      return h(
        "li",
        {},
        swatch,
        h("span", { class: "legend-label" }, label),
        h("span", { class: "legend-value" }, `${value === null ? "–" : figure(value, unit)} · ${share}`),
      );
    }),
  );
}

/** @param {readonly Coloured[]} values */
const totalOf = (values) => values.reduce((sum, { value }) => sum + Math.max(0, value ?? 0), 0);
