import { markdownTable } from "../infra/markdown-table.ts";

/** The first column to the left, the others, being numbers, to the right. */
export const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  markdownTable([head, ...rows.map((row) => row.map(String))], {
    numbers: head.map((_, column) => column).slice(1),
  }).join("\n");

export const usd = (value: number): string => `$${value.toFixed(value < 1 ? 3 : 2)}`;
export const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(0)} kB`;
