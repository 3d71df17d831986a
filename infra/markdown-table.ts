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

const placeOf = (kind: string, name: string): RegExp =>
  new RegExp(`(<!-- ${kind}: ${name} -->\n)[^]*?(\n<!-- /${kind} -->)`);

/**
 * The document with these parts, each in its place: between `<!-- table: NAME -->` and `<!-- /table -->` for the kind "table".
 * @throws Error if a part has no place
 */
export function withParts(
  document: string,
  kind: string,
  parts: Readonly<Record<string, () => string>>,
): string {
  return Object.entries(parts).reduce((text, [name, render]) => {
    const place = placeOf(kind, name);
    if (!place.test(text)) throw new Error(`there is no place for ${kind} ${name}`);
    return text.replace(place, (_, before: string, after: string) => `${before}\n${render()}\n${after}`);
  }, document);
}
