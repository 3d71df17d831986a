import { isFigure } from "../deliverables/figures.js";

/** What makes a spreadsheet read a cell as a formula: the ASCII signs, and the wide ones that it treats alike. */
const formula = /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/;

/** Spreadsheets need it to read the text as UTF-8. */
const byteOrderMark = "\uFEFF";

/**
 * A table as RFC 4180 describes it: lines end with CRLF, and a cell with a comma, a quotation mark or a line break is
 * quoted. A cell that a spreadsheet would run as a formula gets an apostrophe in front, as OWASP advises; numbers such as
 * -5 stay numbers.
 * @param {{ columns: readonly string[], rows: readonly (readonly string[])[] }} table
 */
export function csvOf({ columns, rows }) {
  const lines = [columns, ...rows].map((cells) => `${cells.map(cellOf).join(",")}\r\n`);
  return byteOrderMark + lines.join("");
}

/** @param {string} text */
function cellOf(text) {
  const safe = formula.test(text) && !isFigure(text.trim()) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
