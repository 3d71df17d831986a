import { describe, expect, test } from "vitest";
import { emptyDraft } from "../../../lib/deliverables/draft.ts";
import { call, drawn, errorOf } from "./samples.ts";
import type { Fields } from "./samples.ts";

const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const numbers = (count: number): number[] => many(count, (i) => i);
const names = (count: number): string[] => many(count, (i) => `n${i}`);
const series = (values: readonly number[]) => ({ name: "s", values });

const seriesTools = [
  "create_bar_chart",
  "create_stacked_bar_chart",
  "create_line_chart",
  "create_area_chart",
];

type Cap = readonly [tool: string, field: string, cap: number, fields: (size: number) => Fields];

/** Caps on the number of items. Caps on the length of texts are in studio-caps.test.ts. */
const caps: readonly Cap[] = [
  ...seriesTools.flatMap((tool): Cap[] => [
    [tool, "labels", 32, (n) => ({ labels: names(n), series: [series(numbers(n))] })],
    [tool, "series", 8, (n) => ({ labels: ["a"], series: many(n, () => series([1])) })],
  ]),
  ["create_pie_chart", "segments", 24, (n) => ({ segments: many(n, () => ({ label: "a", value: 1 })) })],
  [
    "create_scatter_chart",
    "series",
    6,
    (n) => ({ series: many(n, () => ({ name: "s", points: [{ x: 1, y: 1 }] })) }),
  ],
  [
    "create_scatter_chart",
    "series[0].points",
    48,
    (n) => ({ series: [{ name: "s", points: many(n, (i) => ({ x: i, y: i })) }] }),
  ],
  ["create_table", "columns", 12, (n) => ({ columns: names(n), rows: [] })],
  ["create_table", "rows", 80, (n) => ({ columns: ["a"], rows: many(n, () => [""]) })],
  ["create_list", "items", 48, (n) => ({ items: names(n) })],
  [
    "create_checklist",
    "items",
    64,
    (n) => ({ items: names(n).map((id) => ({ id, label: "a", checked: true })) }),
  ],
];

test.each(caps)("%s accepts as many %s as the cap allows (%d), and rejects one more", (...row) => {
  const [tool, field, cap, fields] = row;
  expect(errorOf(call(tool, fields(cap)))).toBe("");
  const over = call(tool, fields(cap + 1));
  expect(over.draft).toBe(emptyDraft);
  expect(errorOf(over)).toContain(`${field}: ${cap + 1} `);
  expect(errorOf(over)).toContain(`at most ${cap}`);
});

test("content of exactly the cap's length is kept whole", () => {
  const svg = drawn("x".repeat(64_000 - drawn("").length));
  const text = "x".repeat(48_000);
  expect(call("create_svg", { content: svg }).draft.svgs[0]?.content).toBe(svg);
  expect(call("create_file", { content: text }).draft.files[0]?.content).toBe(text);
});

test.each<[string, Fields]>([
  ["create_pie_chart", { segments: [] }],
  ["create_bar_chart", { labels: [], series: [] }],
  ["create_scatter_chart", { series: [] }],
  ["create_scatter_chart", { series: [{ name: "s", points: [] }] }],
  ["create_table", { columns: [], rows: [] }],
  ["create_list", { items: [] }],
  ["create_checklist", { items: [] }],
  ["create_file", { content: "" }],
  ["create_list", { id: "" }],
  ["create_table", { id: " " }],
])("%s rejects a deliverable with an empty part: %j", (tool, fields) => {
  expect(call(tool, fields).ok).toBe(false);
});

describe("a job", () => {
  test.each([
    ["files", 24, ["create_file"]],
    ["datasets", 8, ["create_table"]],
    ["lists", 12, ["create_list"]],
    ["checklists", 8, ["create_checklist"]],
    ["svgs", 8, ["create_svg"]],
    ["charts", 12, [...seriesTools, "create_pie_chart", "create_scatter_chart"]],
  ] as const)("limits its %s to %d, whichever tool creates them", (key, most, tools) => {
    const named = (name: string): Fields => (key === "files" ? { name: `${name}.md` } : { id: name });
    let draft = emptyDraft;
    for (let i = 0; i < most; i++) ({ draft } = call(tools[i % tools.length]!, named(`d${i}`), draft));
    expect(draft[key]).toHaveLength(most);
    for (const tool of tools) {
      const over = call(tool, named("over"), draft);
      expect(errorOf(over)).toBe(`${tool}: ${key}: ${most} of ${most} are made, no more fit`);
      expect(over.draft).toBe(draft);
    }
  });
});
