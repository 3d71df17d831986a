import { printable } from "../lib/core/text.ts";

/** What each tool makes: what the model does while it calls the tool, and the result. */
const words: Readonly<
  Record<string, { readonly doing: string; readonly one: string; readonly many: string }>
> = {
  create_file: { doing: "writing a file", one: "a file", many: "files" },
  create_pie_chart: { doing: "drawing a pie chart", one: "a pie chart", many: "pie charts" },
  create_bar_chart: { doing: "drawing a bar chart", one: "a bar chart", many: "bar charts" },
  create_stacked_bar_chart: {
    doing: "drawing a stacked bar chart",
    one: "a stacked bar chart",
    many: "stacked bar charts",
  },
  create_line_chart: { doing: "drawing a line chart", one: "a line chart", many: "line charts" },
  create_area_chart: { doing: "drawing an area chart", one: "an area chart", many: "area charts" },
  create_scatter_chart: { doing: "drawing a scatter chart", one: "a scatter chart", many: "scatter charts" },
  create_table: { doing: "drawing a table", one: "a table", many: "tables" },
  create_list: { doing: "writing a list", one: "a list", many: "lists" },
  create_checklist: { doing: "making a checklist", one: "a checklist", many: "checklists" },
  create_svg: { doing: "drawing a picture", one: "a picture", many: "pictures" },
};

/** The tools that have words. */
export const wordedTools: readonly string[] = Object.keys(words);

const wordsOf = (tool: unknown) =>
  typeof tool === "string" && Object.hasOwn(words, tool) ? words[tool] : undefined;

/** "drawing a table"; a tool of another version has no words of its own. */
export const doing = (tool: unknown): string => wordsOf(tool)?.doing ?? "the model calls a tool";

/** "a table"; a tool of another version keeps its name. */
export const resultOf = (tool: string): string => wordsOf(tool)?.one ?? printable(tool);

/** ": 2 tables, a list"; empty if no tool is known. */
export function madeWith(tools: unknown): string {
  const counts = new Map<string, number>();
  const names: readonly unknown[] = Array.isArray(tools) ? tools : [];
  for (const name of names) if (typeof name === "string") counts.set(name, (counts.get(name) ?? 0) + 1);
  const made = [...counts].flatMap(([name, number]) => {
    const known = wordsOf(name);
    return known === undefined ? [] : [number === 1 ? known.one : `${number} ${known.many}`];
  });
  return made.length === 0 ? "" : `: ${made.join(", ")}`;
}
