import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { toPayload } from "../../../lib/deliverables/payload.ts";
import { emptyDraft } from "../../../lib/deliverables/draft.ts";
import { problemsOf } from "../../../local/studio/caps.ts";
import { call, drawn, errorOf, samples } from "./samples.ts";
import type { Fields } from "./samples.ts";

/** Where each tool's item lies in the payload, and the `kind` that it carries there. */
const places: Readonly<Record<string, readonly [key: string, kind?: string]>> = {
  create_file: ["files"],
  create_pie_chart: ["charts", "pie"],
  create_bar_chart: ["charts", "bar"],
  create_stacked_bar_chart: ["charts", "stacked_bar"],
  create_line_chart: ["charts", "line"],
  create_area_chart: ["charts", "area"],
  create_scatter_chart: ["charts", "scatter"],
  create_table: ["datasets", "table"],
  create_list: ["lists", "list"],
  create_checklist: ["checklists", "checklist"],
  create_svg: ["svgs"],
};
const tools = Object.keys(places);
const ofKey = (...keys: readonly string[]) => tools.filter((tool) => keys.includes(places[tool]?.[0] ?? ""));
const seriesTools = [
  "create_bar_chart",
  "create_stacked_bar_chart",
  "create_line_chart",
  "create_area_chart",
];

type Put = (text: string) => Fields;
/** What a field that does not accept every text may contain. */
type Holds = "letters" | "one line" | "drawing";
type Row = readonly [tool: string, path: string, cap: number, put: Put, holds?: Holds];

const seriesOf = (name: string) => ({ series: [{ name, values: [1] }] });
const anId: Put = (id) => ({ id });
const aDrawing: Put = (text) => ({
  content: drawn(text.slice(drawn("").length).replace(/^[\uDC00-\uDFFF]/, "x")),
});

/** Every text with a cap in studio-api.md, "Deliverables". Caps are in UTF-16 units. */
const rows: readonly Row[] = [
  ["create_file", "content", 48_000, (content) => ({ content })],
  ["create_svg", "content", 64_000, aDrawing, "drawing"],
  ...tools
    .filter((tool) => tool !== "create_file")
    .map((tool): Row => [tool, "title", 200, (title) => ({ title })]),
  ...ofKey("charts", "datasets").map((tool): Row => [tool, "id", 64, anId, "one line"]),
  ...ofKey("lists", "checklists", "svgs").map((tool): Row => [tool, "id", 64, anId, "letters"]),
  ...seriesTools.flatMap((tool): readonly Row[] => [
    [tool, "labels[0]", 128, (text) => ({ labels: [text], ...seriesOf("a") })],
    [tool, "series[0].name", 64, (text) => ({ labels: ["a"], ...seriesOf(text) })],
  ]),
  ["create_pie_chart", "segments[0].label", 128, (label) => ({ segments: [{ label, value: 1 }] })],
  [
    "create_scatter_chart",
    "series[0].name",
    64,
    (name) => ({ series: [{ name, points: [{ x: 1, y: 1 }] }] }),
  ],
  [
    "create_scatter_chart",
    "series[0].points[0].label",
    128,
    (label) => ({ series: [{ name: "a", points: [{ x: 1, y: 1, label }] }] }),
  ],
  ["create_table", "columns[0]", 64, (text) => ({ columns: [text], rows: [] })],
  ["create_table", "rows[0][0]", 512, (text) => ({ columns: ["a"], rows: [[text]] })],
  ["create_list", "items[0]", 512, (text) => ({ items: [text] })],
  ["create_checklist", "items[0].label", 320, (label) => ({ items: [{ id: "a", label, checked: true }] })],
  [
    "create_checklist",
    "items[0].id",
    48,
    (id) => ({ items: [{ id, label: "a", checked: true }] }),
    "letters",
  ],
];
const textFields = rows.map(([tool, path, cap, put, holds]) => ({ tool, path, cap, put, holds }));
type TextField = (typeof textFields)[number];

/** The call's fields as they would be posted without our checks. */
function postedAsGiven({ tool, put }: TextField, text: string): object {
  const [key = "", kind] = places[tool] ?? [];
  const fields = { ...samples[tool]?.fields, ...put(text) };
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
  const points = tool === "create_scatter_chart" && !("series" in put(text)) ? { series: [] } : {};
  const item = { ...given, ...points, ...(kind === undefined ? {} : { kind }) };
  return { workspaceId: "ws", assistantMessage: "Done.", ...emptyDraft, [key]: [item] };
}

const emoji = "😀";

/** `count` units of text that begin with `start`. */
const fill = (start: string, filler: string, count: number): string => {
  const missing = count - start.length;
  return start + filler.repeat(Math.floor(missing / filler.length)) + "x".repeat(missing % filler.length);
};

const allowed: Readonly<Record<Holds, RegExp>> = {
  letters: /[^A-Za-z0-9_-]/gu,
  "one line": /[{}\s]/gu,
  drawing: /[<>&"=\p{Cc}\p{Cs}\ufffe\uffff]/gu,
};

const anyText = fc.string({
  unit: fc.oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
    fc.integer({ min: 0xd800, max: 0xdfff }).map((unit) => String.fromCharCode(unit)),
    fc.constantFrom(emoji, "👩‍👩‍👧", "é", "\u0000", "\u202e", "\n"),
  ),
  maxLength: 12,
});

const nearItsCap = fc
  .record({
    field: fc.constantFrom(...textFields),
    start: anyText,
    filler: fc.constantFrom("x", emoji),
    over: fc.integer({ min: -2, max: 2 }),
  })
  .map(({ field, start, filler, over }) => {
    const { holds, cap } = field;
    const clean = holds === undefined ? start : start.replaceAll(allowed[holds], "");
    return { field, text: fill(`a${clean}`, holds === "letters" ? "x" : filler, cap + over) };
  });

test("accepted calls pass Studio's rules, and text beyond a cap is rejected with its field's name", () => {
  fc.assert(
    fc.property(nearItsCap, ({ field, text }) => {
      const result = call(field.tool, field.put(text));
      const posted = result.ok ? { workspaceId: "ws", ...toPayload(result.draft, "Done.") } : undefined;
      expect(posted === undefined ? [] : problemsOf(posted)).toEqual([]);
      const isRefused = problemsOf(postedAsGiven(field, text)).length > 0;
      const words = `${field.path}: ${text.length} characters given, at most ${field.cap}`;
      expect(errorOf(result)).toContain(isRefused ? words : "");
    }),
    { numRuns: 1_000 },
  );
});

describe("a text cap in UTF-16 units, two per emoji,", () => {
  test.each(textFields)("limits $path of $tool to $cap", (field) => {
    const filler = field.holds === "letters" ? "x" : emoji;
    const atCap = call(field.tool, field.put(fill("a", filler, field.cap)));
    expect(errorOf(atCap)).toBe("");
    expect(JSON.stringify(atCap.draft)).toContain(filler.repeat(20));
    const over = call(field.tool, field.put(fill("a", filler, field.cap + 1)));
    expect(over.draft).toBe(emptyDraft);
    expect(errorOf(over)).toContain(`${field.path}: ${field.cap + 1} characters given, at most ${field.cap}`);
  });

  test("limits the assistant message to 24,000", () => {
    const message = emoji.repeat(12_000);
    expect(toPayload(emptyDraft, message).assistantMessage).toBe(message);
    expect(() => toPayload(emptyDraft, `${message}x`)).toThrow(RunnerError);
  });
});
