/** Parts of a Markdown text. */

/** @param {string} text */
export const inBold = (text) => `**${oneLine(text).replaceAll("*", "\\*")}**`;

/**
 * @param {{ columns: readonly string[], rows: readonly (readonly string[])[] }} table
 */
export function markdownTable({ columns, rows }) {
  return [tableRow(columns), `|${" --- |".repeat(columns.length)}`, ...rows.map(tableRow)].join("\n");
}

/** @param {readonly string[]} cells */
const tableRow = (cells) => `| ${cells.map((cell) => oneLine(cell).replaceAll("|", "\\|")).join(" | ")} |`;

/**
 * @param {readonly string[]} items
 * @param {(index: number) => string} mark
 */
export const markdownList = (items, mark) =>
  items.map((item, index) => `${mark(index)} ${oneLine(item)}`).join("\n");

/** @param {string} text */
const oneLine = (text) => text.replaceAll(/\s*[\r\n]+\s*/g, " ").trim();
