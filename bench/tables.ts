import { markdownTable } from "../infra/markdown-table.ts";

/** A table whose first `words` columns are left-aligned, and the others, which are numbers, right-aligned. */
export const table = (
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  words = 1,
): string =>
  markdownTable([head, ...rows.map((row) => row.map(String))], {
    numbers: head.map((_, column) => column).slice(words),
  }).join("\n");

/** A table with a column for each entry: its heading, and its cell of a row. */
export const columns = <Row>(
  rows: readonly Row[],
  cells: Readonly<Record<string, (row: Row) => string | number>>,
  words = 1,
): string =>
  table(
    Object.keys(cells),
    rows.map((row) => Object.values(cells).map((cell) => cell(row))),
    words,
  );

export const usd = (value: number): string => `$${value.toFixed(value < 1 ? 3 : 2)}`;
export const ms = (value: number): string => `${value} ms`;
export const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(0)} kB`;
