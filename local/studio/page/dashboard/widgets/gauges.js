/** @import { GaugesContent, NumberView } from "../../../../dashboard/view.ts" */
import { h } from "../../dom.js";
import { figure } from "../figures.js";
import { redrawn } from "./redrawn.js";
import { shape } from "./shapes.js";

/** @param {GaugesContent} content */
export const gaugesBody = (content) =>
  redrawn(h("div", { class: "gauges" }), content, (next) => next.values.map((view) => gauge(view, next)));

/**
 * A half circle from `min` to `max`, with a tick at each threshold.
 * @param {NumberView} view
 * @param {GaugesContent} content
 */
function gauge({ label, value, unit, exact, color }, { min, max, lines }) {
  /** @param {number} of */
  const share = (of) => Math.min(1, Math.max(0, (of - min) / (max - min || 1)));
  const said = value === null ? "–" : figure(value, unit, { exact });
  const ticks = lines.map((line) => shape("path", { d: tickAt(share(line.value)), class: "gauge-tick" }));
  const drawing = shape(
    "svg",
    { viewBox: "0 0 120 66", class: "gauge-arc", "aria-hidden": "true" },
    shape("path", { d: arc(1), class: "gauge-track" }),
    shape("path", { d: arc(value === null ? 0 : share(value)), class: "gauge-value" }),
    ...ticks,
  );
  if (color !== undefined) drawing.style.setProperty("--number-colour", color);
  return h(
    "div",
    { class: "gauge" },
    drawing,
    h("span", { class: "gauge-figure" }, said),
    h("span", { class: "number-label" }, label),
  );
}

const centre = { x: 60, y: 60, radius: 50 };

/** @param {number} share of the half circle @param {number} [radius] */
function pointAt(share, radius = centre.radius) {
  const angle = Math.PI * (1 - share);
  return `${(centre.x + radius * Math.cos(angle)).toFixed(2)} ${(centre.y - radius * Math.sin(angle)).toFixed(2)}`;
}

/** @param {number} share */
const arc = (share) => `M${pointAt(0)}A${centre.radius} ${centre.radius} 0 0 1 ${pointAt(share)}`;
/** @param {number} share */
const tickAt = (share) => `M${pointAt(share, centre.radius - 8)}L${pointAt(share, centre.radius + 8)}`;
