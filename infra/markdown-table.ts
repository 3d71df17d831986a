/** A Markdown table in the formatter's layout. `numbers` has the indexes of right-aligned columns. */
export function markdownTable(
  cells: readonly (readonly string[])[],
  { numbers = [] }: { readonly numbers?: readonly number[] } = {},
): readonly string[] {
  const [head = [], ...body] = cells;
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const rule = widths.map((width, column) =>
    numbers.includes(column) ? `${"-".repeat(width - 1)}:` : "-".repeat(width),
  );
  const pad = (text: string, column: number): string =>
    numbers.includes(column) ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0);
  return [head, rule, ...body].map((row) => `| ${row.map(pad).join(" | ")} |`);
}
