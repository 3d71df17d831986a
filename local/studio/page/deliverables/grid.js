import { h } from "../dom.js";

/**
 * Columns of figures are set flush right: every cell that says anything is a number, perhaps with a unit sign.
 */
const numeric = /^[-+−]?\s*[$€£¥]?\s*[-+−]?\d[\d\s.,']*\s*(%|[a-zA-Z€$]{1,3})?$/;

/**
 * A table that scrolls inside its card, with its header in sight.
 * @param {{ label: string, columns: readonly string[], rows: readonly (readonly string[])[] }} content
 * @returns {HTMLElement}
 */
export function grid({ label, columns, rows }) {
  const isNumeric = columns.map((_, index) => isNumericColumn(rows, index));
  /** @param {number} index */
  const props = (index) => ({ class: isNumeric[index] ? "num" : undefined });
  return h(
    "div",
    { class: "grid-scroll", role: "region", "aria-label": label, tabindex: 0 },
    h(
      "table",
      { class: "grid" },
      h("caption", { class: "visually-hidden" }, label),
      h("thead", {}, h("tr", {}, ...columns.map((column, index) => h("th", { scope: "col", ...props(index) }, column)))),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((cell, index) => h("td", props(index), cell))))),
    ),
  );
}

/**
 * @param {readonly (readonly string[])[]} rows
 * @param {number} index
 */
function isNumericColumn(rows, index) {
  const said = rows.map((row) => (row[index] ?? "").trim()).filter((cell) => cell !== "" && cell !== "–" && cell !== "-");
  return said.length > 0 && said.every((cell) => numeric.test(cell));
}
