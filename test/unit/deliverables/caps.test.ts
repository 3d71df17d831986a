import { describe, expect, test } from "vitest";
import { emptyDraft } from "../../../lib/deliverables/draft.ts";
import { toPayload } from "../../../lib/deliverables/payload.ts";
import { problemsOf } from "../../../local/studio/caps.ts";
import { call, drawn, errorOf, samples, type Fields } from "./samples.ts";

const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
const numbers = (count: number): number[] => many(count, (index) => index);
const names = (count: number): string[] => many(count, (index) => `n${index}`);
const items = (count: number): Fields[] => names(count).map((id) => ({ id, label: "a", checked: true }));
/** Texts of this many UTF-16 units, in which Studio counts. An emoji has two. */
const letters = (size: number): string => "x".repeat(size);
const emoji = (size: number): string => "x".repeat(size % 2) + "😀".repeat(Math.floor(size / 2));

const seriesTools = [
  "create_bar_chart",
  "create_stacked_bar_chart",
  "create_line_chart",
  "create_area_chart",
];
const chartTools = [...seriesTools, "create_pie_chart", "create_scatter_chart"];
const point = { x: 1, y: 1 };

type Cap = readonly [tool: string, field: string, cap: number, fields: (size: number) => Fields];

/** Every cap of studio-api.md, "Deliverables": on the number of items, then on the length of texts. */
const caps: readonly Cap[] = [
  ...seriesTools.flatMap((tool): Cap[] => [
    [tool, "labels", 32, (n) => ({ labels: names(n), series: [{ name: "s", values: numbers(n) }] })],
    [tool, "series", 8, (n) => ({ labels: ["a"], series: many(n, () => ({ name: "s", values: [1] })) })],
  ]),
  ["create_pie_chart", "segments", 24, (n) => ({ segments: many(n, () => ({ label: "a", value: 1 })) })],
  ["create_scatter_chart", "series", 6, (n) => ({ series: many(n, () => ({ name: "s", points: [point] })) })],
  [
    "create_scatter_chart",
    "series[0].points",
    48,
    (n) => ({ series: [{ name: "s", points: many(n, () => point) }] }),
  ],
  ["create_table", "columns", 12, (n) => ({ columns: names(n), rows: [] })],
  ["create_table", "rows", 80, (n) => ({ columns: ["a"], rows: many(n, () => [""]) })],
  ["create_list", "items", 48, (n) => ({ items: names(n) })],
  ["create_checklist", "items", 64, (n) => ({ items: items(n) })],

  ["create_file", "content", 48_000, (n) => ({ content: emoji(n) })],
  ["create_svg", "content", 64_000, (n) => ({ content: drawn(emoji(n - drawn("").length)) })],
  ...Object.keys(samples)
    .filter((tool) => tool !== "create_file")
    .map((tool): Cap => [tool, "title", 200, (n) => ({ title: emoji(n) })]),
  ...[...chartTools, "create_table"].map((tool): Cap => [tool, "id", 64, (n) => ({ id: emoji(n) })]),
  ...["create_list", "create_checklist", "create_svg"].map((tool): Cap => [
    tool,
    "id",
    64,
    (n) => ({ id: letters(n) }),
  ]),
  ...seriesTools.flatMap((tool): Cap[] => [
    [tool, "labels[0]", 128, (n) => ({ labels: [emoji(n)], series: [{ name: "s", values: [1] }] })],
    [tool, "series[0].name", 64, (n) => ({ labels: ["a"], series: [{ name: emoji(n), values: [1] }] })],
  ]),
  ["create_pie_chart", "segments[0].label", 128, (n) => ({ segments: [{ label: emoji(n), value: 1 }] })],
  ["create_scatter_chart", "series[0].name", 64, (n) => ({ series: [{ name: emoji(n), points: [point] }] })],
  [
    "create_scatter_chart",
    "series[0].points[0].label",
    128,
    (n) => ({ series: [{ name: "s", points: [{ ...point, label: emoji(n) }] }] }),
  ],
  ["create_table", "columns[0]", 64, (n) => ({ columns: [emoji(n)], rows: [] })],
  ["create_table", "rows[0][0]", 512, (n) => ({ columns: ["a"], rows: [[emoji(n)]] })],
  ["create_list", "items[0]", 512, (n) => ({ items: [emoji(n)] })],
  [
    "create_checklist",
    "items[0].label",
    320,
    (n) => ({ items: [{ id: "a", label: emoji(n), checked: true }] }),
  ],
  [
    "create_checklist",
    "items[0].id",
    48,
    (n) => ({ items: [{ id: letters(n), label: "a", checked: true }] }),
  ],
];

test.each(caps)(
  "%s accepts %s up to its cap (%d), as Studio does, and rejects one more by name",
  (...row) => {
    const [tool, field, cap, fields] = row;
    const atCap = call(tool, fields(cap));
    expect(errorOf(atCap)).toBe("");
    expect(problemsOf({ workspaceId: "ws", ...toPayload(atCap.draft, "Done.") })).toEqual([]);
    const over = call(tool, fields(cap + 1));
    expect(over.draft).toBe(emptyDraft);
    expect(errorOf(over)).toContain(`${field}: ${cap + 1} `);
    expect(errorOf(over)).toContain(`at most ${cap}`);
  },
);

test("content of exactly the cap's length is kept whole", () => {
  const svg = drawn(letters(64_000 - drawn("").length));
  expect(call("create_svg", { content: svg }).draft.svgs[0]?.content).toBe(svg);
  expect(call("create_file", { content: letters(48_000) }).draft.files[0]?.content).toBe(letters(48_000));
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
    ["charts", 12, chartTools],
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
