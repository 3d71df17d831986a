/** @import { NumbersContent, NumberView, Point } from "../../../../dashboard/view.ts" */
import { h } from "../../dom.js";
import { figure } from "../figures.js";
import { redrawn } from "./redrawn.js";
import { shape } from "./shapes.js";

/** @param {NumbersContent} content */
export const numbersBody = (content) =>
  redrawn(h("div", { class: "numbers" }), content, ({ values }) =>
    values.length === 0 ? [h("p", { class: "quiet" }, "Nothing in this time range.")] : values.map(cell),
  );

/** @param {NumberView} view */
function cell({ label, value, unit, exact, color, trend }) {
  const said =
    value === null
      ? h("span", { class: "number-none" }, "none")
      : h("span", { class: "number-value" }, figure(value, unit, { exact }));
  const element = h("div", { class: "number" }, said, h("span", { class: "number-label" }, label));
  if (color !== undefined) element.style.setProperty("--number-colour", color);
  if (trend.length > 1) element.append(trendLine(trend));
  return element;
}

const trendSize = { width: 100, height: 24 };

/**
 * The values over time, drawn faintly below the number.
 * @param {readonly Point[]} points
 */
function trendLine(points) {
  const { width, height } = trendSize;
  const values = points.map(([, value]) => value);
  const [low, high] = [Math.min(0, ...values), Math.max(...values)];
  const span = high - low || 1;
  const path = values
    .map((value, at) => {
      const x = (at / (values.length - 1)) * width;
      const y = height - 2 - ((value - low) / span) * (height - 4);
      return `${at === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join("");
  return shape(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, class: "trend", preserveAspectRatio: "none", "aria-hidden": "true" },
    shape("path", { d: path, "vector-effect": "non-scaling-stroke" }),
  );
}
