import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { toPayload } from "../../../lib/deliverables/payload.ts";
import { applyToolCall } from "../../../lib/deliverables/registry.ts";
import { emptyDraft } from "../../../lib/deliverables/draft.ts";
import { problemsOf } from "../../../local/studio/caps.ts";

const times = <T>(count: number, make: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => make(at));
const text = (length: number): string => "x".repeat(length);
const svgOf = (length: number): string => `<svg><text>${text(length - 24)}</text></svg>`;
const longPath = ["a", "b", "c", "d"].map((letter) => letter.repeat(28)).join("/");

const fullSeries = {
  labels: times(32, () => text(128)),
  series: times(8, (at) => ({ name: `${at}`.padEnd(64, "n"), values: times(32, () => 1) })),
};

/** Each tool's arguments at every cap of the API page. */
const atTheCap: Readonly<Record<string, object>> = {
  create_file: { name: `${longPath}/${text(41)}.md`, content: text(48_000) },
  create_pie_chart: {
    id: text(64),
    title: text(200),
    segments: times(24, () => ({ label: text(128), value: 1 })),
  },
  create_bar_chart: { id: "bar", title: text(200), ...fullSeries, orientation: "vertical" },
  create_stacked_bar_chart: { id: "stacked", title: null, ...fullSeries, orientation: null },
  create_line_chart: { id: "line", title: null, ...fullSeries },
  create_area_chart: { id: "area", title: null, ...fullSeries },
  create_scatter_chart: {
    id: "scatter",
    title: null,
    series: times(6, (at) => ({
      name: `s${at}`,
      points: times(48, () => ({ x: -1, y: 1e12, label: text(128) })),
    })),
  },
  create_table: {
    table: {
      id: "table",
      title: text(200),
      columns: times(12, (at) => `c${at}`),
      rows: times(80, () => times(12, () => text(512))),
    },
  },
  create_list: { list: { id: "list", title: null, ordered: true, items: times(48, () => text(512)) } },
  create_checklist: {
    checklist: {
      id: "checklist",
      title: null,
      items: times(64, (at) => ({ id: `${at}`.padEnd(48, "-"), label: text(320), checked: false })),
    },
  },
  create_svg: { svg: { id: "svg", title: null, content: svgOf(64_000) } },
};

let draft = emptyDraft;
const outputs = Object.entries(atTheCap).map(([name, fields]) => {
  const applied = applyToolCall(draft, { name, arguments: JSON.stringify(fields) });
  draft = applied.draft;
  return applied.output;
});
const fullest = { workspaceId: "ws-1", ...toPayload(draft, text(24_000)) };

it("the independent caps accept the tools' deliverables at every cap", () => {
  for (const output of outputs) expect(output).toMatch(/^\{"ok":true/);
  expect(problemsOf(fullest)).toEqual([]);
});

const bar = { kind: "bar", id: "b", labels: ["a", "b"], series: [{ name: "n", values: [1, 2] }] };
const list = { kind: "list", id: "list", items: ["One"] };
const file = (name: string) => ({ files: [{ name, content: "" }] });
const svg = (content: string) => ({ svgs: [{ id: "a", content }] });
const chart = (more: object) => ({ charts: [{ ...bar, ...more }] });
const lists = (...more: readonly object[]) => ({ lists: more.map((one) => ({ ...list, ...one })) });
const negative = { kind: "stacked_bar", labels: ["a"], series: [{ name: "n", values: [-1] }] };
const noKind = { datasets: [{ id: "a", columns: ["c"], rows: [] }] };
const nothing = { ...emptyDraft, assistantMessage: " " };

describe("the independent caps reject", () => {
  it.each([
    ["mood is unknown", { mood: 1 }],
    ["lists is not an array", { lists: undefined }],
    ["assistantMessage has 24001 characters, more than 24000", { assistantMessage: text(24_001) }],
    ["assistantMessage is not a text", { assistantMessage: undefined }],
    ["assistantMessage is blank, and there is no deliverable", nothing],
    ["files[0].name has a segment that is not allowed", file("../a.md")],
    ["files[0].name is neither .md nor .txt", file("a.html")],
    ["files[0].name lies in more than 4 folders", file("a/b/c/d/e/f.md")],
    ["charts has 13 entries, more than 12", { charts: times(13, (at) => ({ ...bar, id: `c${at}` })) }],
    ["charts[0].kind is not a kind of chart", chart({ kind: "radar" })],
    ["charts[0].series[0] does not have 1 values", chart({ labels: ["one"] })],
    ["charts[0].series[0].values[0] is negative", chart(negative)],
    ["lists contains a name twice", lists({}, { id: "LIST" })],
    ["lists[0].id has characters that are not allowed", lists({ id: "a b" })],
    ["lists[0].title is not a text", lists({ title: null })],
    ["lists[0].ordered is not true", lists({ ordered: false })],
    ["datasets[0].kind is missing", noKind],
    ["svgs[0] is not an object", { svgs: ["x"] }],
    ["svgs[0].content is not a whole <svg>…</svg>", svg("<svg><rect/>")],
  ])("a payload, because %s", (problem, change) => {
    expect(problemsOf({ ...fullest, ...change })).toContain(problem);
  });

  it.each([
    '<rect onload="x"/>',
    '<rect onload   ="x"/>',
    "<text>Conversion = 5</text>",
    "<text>JavaScript:x</text>",
    "<script>1</script>",
    "<foreignObject/>",
    "<iframe></iframe>",
    "<embed/>",
    "<OBJECT></OBJECT>",
  ])("an svg with %s, which could execute", (inside) => {
    const problems = problemsOf({ ...fullest, ...svg(`<svg>${inside}</svg>`) });
    expect(problems).toEqual(["svgs[0].content contains something that could run"]);
  });
});

it("an svg may contain text that only resembles a script", () => {
  expect(problemsOf({ ...fullest, ...svg("<svg><text>on = 1, x(on) = 2</text></svg>") })).toEqual([]);
});

it.each([
  ["{{artifact:chart:none}}", ["{{artifact:chart:none}}"]],
  ["a {{ Artifact : FILE : no.md }} b", ["{{ Artifact : FILE : no.md }}"]],
  ["{{artifact:list:a {{artifact:list:b}}", ["{{artifact:list:a {{artifact:list:b}}"]],
  ["{{artifact:list:a}x}} {{artifact:graph:g}} {{artifact:list:}} {{artifact:list:a", []],
  ["{{artifact:list:list}} {{artifact:list: LIST }}", []],
])("the message %s has the placeholders without a deliverable %j", (assistantMessage, dangling) => {
  expect(problemsOf({ ...fullest, assistantMessage })).toEqual(
    dangling.map((token) => `assistantMessage names ${token}, which is not in the payload`),
  );
});

it.each([undefined, null, "x", 3, []])("%j is not a payload", (body) => {
  expect(problemsOf(body)).toEqual([" is not an object"]);
});

it("the local Studio's caps share no code with the deliverables", () => {
  const folder = new URL("../../../local/studio/", import.meta.url);
  const read = (name: string): string => readFileSync(new URL(name, folder), "utf8");
  const sources = readdirSync(folder).filter((name) => name.endsWith(".ts"));
  expect(sources.filter((name) => /from ".*lib\/deliverables\//.test(read(name)))).toEqual([]);
  expect(read("caps.ts")).not.toMatch(/^import /m);
});
