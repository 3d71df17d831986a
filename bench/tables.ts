/** A Markdown table as the formatter leaves it: the first column to the left, the others to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [head, ...rows.map((row) => row.map(String))];
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const rule = widths.map((width, column) =>
    column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  );
  const pad = (text: string, column: number): string =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  const [first = head, ...others] = cells;
  return [first, rule, ...others].map((row) => `| ${row.map(pad).join(" | ")} |`).join("\n");
}

export const usd = (value: number): string => `$${value.toFixed(value < 1 ? 3 : 2)}`;
export const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(0)} kB`;
