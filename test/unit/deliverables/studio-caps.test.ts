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

interface TextField {
  readonly tool: string;
  readonly cap: number;
  readonly put: (text: string) => Fields;
  /** As the tool's answer names it. */
  readonly path: string;
  /** What may stand in it. Default: anything. */
  readonly holds?: "letters" | "one line" | "drawing";
}

const oneSeries = (name: string) => [{ name, values: [1] }];
const ofKey = (...keys: readonly string[]) => tools.filter((tool) => keys.includes(places[tool]?.[0] ?? ""));
const seriesTools = [
  "create_bar_chart",
  "create_stacked_bar_chart",
  "create_line_chart",
  "create_area_chart",
];

const anId = { cap: 64, put: (id: string) => ({ id }), path: "id" };

/** Every capped text of studio-api.md, "Deliverables", its cap in UTF-16 units. */
const textFields: readonly TextField[] = [
  { tool: "create_file", cap: 48_000, put: (content) => ({ content }), path: "content" },
  ...tools
    .filter((tool) => tool !== "create_file")
    .map((tool): TextField => ({ tool, cap: 200, put: (title) => ({ title }), path: "title" })),
  ...ofKey("charts", "datasets").map((tool): TextField => ({ tool, ...anId, holds: "one line" })),
  ...ofKey("lists", "checklists", "svgs").map((tool): TextField => ({ tool, ...anId, holds: "letters" })),
  ...seriesTools.flatMap((tool): readonly TextField[] => [
    { tool, cap: 128, put: (text) => ({ labels: [text], series: oneSeries("a") }), path: "labels[0]" },
    { tool, cap: 64, put: (text) => ({ labels: ["a"], series: oneSeries(text) }), path: "series[0].name" },
  ]),
  {
    tool: "create_pie_chart",
    cap: 128,
    put: (label) => ({ segments: [{ label, value: 1 }] }),
    path: "segments[0].label",
  },
  {
    tool: "create_scatter_chart",
    cap: 64,
    put: (name) => ({ series: [{ name, points: [{ x: 1, y: 1 }] }] }),
    path: "series[0].name",
  },
  {
    tool: "create_scatter_chart",
    cap: 128,
    put: (label) => ({ series: [{ name: "a", points: [{ x: 1, y: 1, label }] }] }),
    path: "series[0].points[0].label",
  },
  { tool: "create_table", cap: 64, put: (text) => ({ columns: [text], rows: [] }), path: "columns[0]" },
  { tool: "create_table", cap: 512, put: (text) => ({ columns: ["a"], rows: [[text]] }), path: "rows[0][0]" },
  { tool: "create_list", cap: 512, put: (text) => ({ items: [text] }), path: "items[0]" },
  {
    tool: "create_checklist",
    cap: 320,
    put: (label) => ({ items: [{ id: "a", label, checked: true }] }),
    path: "items[0].label",
  },
  {
    tool: "create_checklist",
    cap: 48,
    put: (id) => ({ items: [{ id, label: "a", checked: true }] }),
    path: "items[0].id",
    holds: "letters",
  },
  {
    tool: "create_svg",
    cap: 64_000,
    put: (text) => ({ content: drawn(text.slice(drawn("").length).replace(/^[\uDC00-\uDFFF]/, "x")) }),
    path: "content",
    holds: "drawing",
  },
];

/** The call's fields as they would be posted if nobody looked at them. */
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

const allowed: Readonly<Record<NonNullable<TextField["holds"]>, RegExp>> = {
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

test("what passes is taken by Studio's rules, and what they refuse is refused by name, whatever the text", () => {
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

describe("a cap counts UTF-16 units, as Studio does: an emoji is two", () => {
  test.each(textFields)("$path of $tool: $cap", (field) => {
    const filler = field.holds === "letters" ? "x" : emoji;
    const atCap = call(field.tool, field.put(fill("a", filler, field.cap)));
    expect(errorOf(atCap)).toBe("");
    expect(JSON.stringify(atCap.draft)).toContain(filler.repeat(20));
    const over = call(field.tool, field.put(fill("a", filler, field.cap + 1)));
    expect(over.draft).toBe(emptyDraft);
    expect(errorOf(over)).toContain(`${field.path}: ${field.cap + 1} characters given, at most ${field.cap}`);
  });

  test("the assistant message: 24000", () => {
    const message = emoji.repeat(12_000);
    expect(toPayload(emptyDraft, message).assistantMessage).toBe(message);
    expect(() => toPayload(emptyDraft, `${message}x`)).toThrow(RunnerError);
  });
});
