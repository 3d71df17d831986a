/** A Markdown table as the formatter leaves it: columns of `numbers` (by index) to the right, the others to the left. */
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
