import { h } from "../dom.js";
import { isFigure } from "./figures.js";

/**
 * A table that scrolls inside its card while its header stays visible.
 * @param {object} content
 * @param {string} content.label
 * @param {readonly string[]} content.columns
 * @param {readonly (readonly string[])[]} content.rows
 * @param {(text: string, column: number) => Node | string} [content.cell] what is shown for a cell's text
 * @returns {HTMLElement}
 */
export function grid({ label, columns, rows, cell: show = (text) => text }) {
  const kinds = columns.map((_, index) => columnKind(rows.map((row) => row[index] ?? "")));
  /** @param {number} index */
  const props = (index) => ({ class: kinds[index] });
  return h(
    "div",
    { class: "grid-scroll", role: "group", "aria-label": label, tabindex: 0 },
    h(
      "table",
      { class: "grid" },
      h("caption", { class: "visually-hidden" }, label),
      h(
        "thead",
        {},
        h("tr", {}, ...columns.map((column, index) => h("th", { scope: "col", ...props(index) }, column))),
      ),
      h(
        "tbody",
        {},
        ...rows.map((row) =>
          h("tr", {}, ...row.map((cell, index) => h("td", props(index), show(cell, index)))),
        ),
      ),
    ),
  );
}

/** Longer cells would break into one word per line on a phone. */
const longCharacters = 24;

/**
 * A column of numbers is right-aligned.
 * @param {readonly string[]} cells of one column
 * @returns {"num" | "long" | undefined}
 */
function columnKind(cells) {
  const said = cells.map((cell) => cell.trim()).filter((cell) => cell !== "" && cell !== "–" && cell !== "-");
  if (said.length > 0 && said.every(isFigure)) return "num";
  return said.some((cell) => cell.length > longCharacters) ? "long" : undefined;
}
