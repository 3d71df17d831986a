import { describe, expect, test } from "vitest";
import { emptyDraft } from "../../../lib/deliverables/draft.ts";
import { call, errorOf } from "./samples.ts";
import type { Fields } from "./samples.ts";

const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const chars = (count: number): string => "x".repeat(count);
const seriesOf = (count: number) => many(count, (i) => ({ name: `s${i}`, values: [1] }));
const paddedSvg = (length: number): string => {
  const [start, end] = [
    '<svg xmlns="http://www.w3.org/2000/svg"><rect width="1" height="1"/><text>',
    "</text></svg>",
  ];
  return start + chars(length - start.length - end.length) + end;
};

type Cap = readonly [
  what: string,
  tool: string,
  cap: number,
  fields: (size: number) => Fields,
  field: string,
];

const seriesTools = [
  "create_bar_chart",
  "create_stacked_bar_chart",
  "create_line_chart",
  "create_area_chart",
];
const titled = [
  ...seriesTools,
  "create_pie_chart",
  "create_scatter_chart",
  "create_table",
  "create_list",
].concat("create_checklist", "create_svg");

const caps: readonly Cap[] = [
  ...titled.map((tool): Cap => ["title", tool, 200, (n) => ({ title: chars(n) }), "title"]),
  ...titled.map((tool): Cap => ["id", tool, 64, (n) => ({ id: chars(n) }), "id"]),
  ...seriesTools.flatMap((tool): Cap[] => [
    [
      "labels",
      tool,
      32,
      (n) => ({
        labels: many(n, (i) => `l${i}`),
        series: [{ name: "s", values: many(n, (i) => i) }],
      }),
      "labels",
    ],
    ["series", tool, 8, (n) => ({ labels: ["a"], series: seriesOf(n) }), "series"],
    ["label", tool, 128, (n) => ({ labels: [chars(n)], series: seriesOf(1) }), "labels[0]"],
    [
      "series name",
      tool,
      64,
      (n) => ({ labels: ["a"], series: [{ name: chars(n), values: [1] }] }),
      "series[0].name",
    ],
  ]),
  [
    "segments",
    "create_pie_chart",
    24,
    (n) => ({ segments: many(n, () => ({ label: "a", value: 1 })) }),
    "segments",
  ],
  [
    "segment label",
    "create_pie_chart",
    128,
    (n) => ({ segments: [{ label: chars(n), value: 1 }] }),
    "segments[0].label",
  ],
  [
    "series",
    "create_scatter_chart",
    6,
    (n) => ({ series: many(n, () => ({ name: "s", points: [{ x: 1, y: 1 }] })) }),
    "series",
  ],
  [
    "points",
    "create_scatter_chart",
    48,
    (n) => ({ series: [{ name: "s", points: many(n, (i) => ({ x: i, y: i })) }] }),
    "series[0].points",
  ],
  [
    "point label",
    "create_scatter_chart",
    128,
    (n) => ({ series: [{ name: "s", points: [{ x: 1, y: 1, label: chars(n) }] }] }),
    "series[0].points[0].label",
  ],
  [
    "series name",
    "create_scatter_chart",
    64,
    (n) => ({ series: [{ name: chars(n), points: [{ x: 1, y: 1 }] }] }),
    "series[0].name",
  ],
  ["columns", "create_table", 12, (n) => ({ columns: many(n, (i) => `c${i}`), rows: [] }), "columns"],
  ["column name", "create_table", 64, (n) => ({ columns: [chars(n)], rows: [] }), "columns[0]"],
  ["rows", "create_table", 80, (n) => ({ columns: ["a"], rows: many(n, () => [""]) }), "rows"],
  ["cell", "create_table", 512, (n) => ({ columns: ["a"], rows: [[chars(n)]] }), "rows[0][0]"],
  ["items", "create_list", 48, (n) => ({ items: many(n, () => "a") }), "items"],
  ["item", "create_list", 512, (n) => ({ items: [chars(n)] }), "items[0]"],
  [
    "items",
    "create_checklist",
    64,
    (n) => ({ items: many(n, (i) => ({ id: `i${i}`, label: "a", checked: true })) }),
    "items",
  ],
  [
    "item label",
    "create_checklist",
    320,
    (n) => ({ items: [{ id: "a", label: chars(n), checked: true }] }),
    "items[0].label",
  ],
  [
    "item id",
    "create_checklist",
    48,
    (n) => ({ items: [{ id: chars(n), label: "a", checked: true }] }),
    "items[0].id",
  ],
  ["content", "create_svg", 64_000, (n) => ({ content: paddedSvg(n) }), "content"],
  ["content", "create_file", 48_000, (n) => ({ content: chars(n) }), "content"],
];

describe("a cap is taken whole, and one more is refused by name", () => {
  test.each(caps)("%s of %s: %d", (...[, tool, cap, fields, field]) => {
    const at = call(tool, fields(cap));
    expect(errorOf(at)).toBe("");
    const over = call(tool, fields(cap + 1));
    expect(over.draft).toBe(emptyDraft);
    expect(errorOf(over)).toContain(`${field}: ${cap + 1} `);
    expect(errorOf(over)).toContain(`at most ${cap}`);
  });

  test("nothing accepted at a cap was shortened", () => {
    expect(call("create_svg", { content: paddedSvg(64_000) }).draft.svgs[0]?.content).toBe(paddedSvg(64_000));
    expect(call("create_file", { content: chars(48_000) }).draft.files[0]?.content).toBe(chars(48_000));
  });
});

describe("an empty deliverable is refused", () => {
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
  ])("%s %j", (tool, fields) => {
    expect(call(tool, fields).ok).toBe(false);
  });
});

describe("deliverables of one job", () => {
  test.each([
    ["create_file", "files", 24],
    ["create_table", "datasets", 8],
    ["create_list", "lists", 12],
    ["create_checklist", "checklists", 8],
    ["create_svg", "svgs", 8],
  ] as const)("%s: %s hold %d", (tool, key, most) => {
    let draft = emptyDraft;
    for (let i = 0; i < most; i++) {
      const result = call(tool, tool === "create_file" ? { name: `f${i}.md` } : { id: `d${i}` }, draft);
      expect(result.ok).toBe(true);
      draft = result.draft;
    }
    const over = call(tool, tool === "create_file" ? { name: "over.md" } : { id: "over" }, draft);
    expect(errorOf(over)).toBe(`${tool}: ${key}: ${most} of ${most} are made, no more fit`);
    expect(over.draft[key]).toHaveLength(most);
  });

  test("all charts together: 12", () => {
    const tools = [...seriesTools, "create_pie_chart", "create_scatter_chart"];
    let draft = emptyDraft;
    for (let i = 0; i < 12; i++) ({ draft } = call(tools[i % 6]!, { id: `c${i}` }, draft));
    expect(draft.charts).toHaveLength(12);
    for (const tool of tools) {
      expect(errorOf(call(tool, { id: "over" }, draft))).toContain("charts: 12 of 12 are made");
    }
  });
});
