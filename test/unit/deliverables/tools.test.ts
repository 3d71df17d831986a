import { describe, expect, test } from "vitest";
import { applyToolCall } from "../../../lib/deliverables/registry.ts";
import { emptyDraft } from "../../../lib/deliverables/draft.ts";
import { argumentsOf, call, drawing, errorOf, fullDraft, samples, type Fields } from "./samples.ts";

const apply = (name: string, json: string) => applyToolCall(emptyDraft, { name, arguments: json });

test("every tool creates its deliverable in the shape of the payload, without the fields that are null", () => {
  const bars = { labels: ["Q1", "Q2"], series: [{ name: "North", values: [1, -2.5] }] };
  const peak = { x: 3, y: 4, label: "peak" };
  const checks = [{ id: "dns", label: "Set DNS", checked: false }];
  expect(fullDraft()).toEqual({
    files: [{ name: "specs/api.md", content: "# API" }],
    charts: [
      { kind: "pie", id: "mix", title: "Mix", segments: [{ label: "A", value: 1 }] },
      { kind: "bar", id: "kpi", ...bars, orientation: "horizontal" },
      { kind: "stacked_bar", id: "parts", labels: ["Q1"], series: [{ name: "North", values: [0] }] },
      { kind: "line", id: "trend", ...bars },
      { kind: "area", id: "growth", ...bars },
      { kind: "scatter", id: "cloud", series: [{ name: "Runs", points: [{ x: 1, y: 2 }, peak] }] },
    ],
    datasets: [{ kind: "table", id: "plans", columns: ["Plan", "Price"], rows: [["Free", ""]] }],
    svgs: [{ id: "logo", content: drawing }],
    lists: [{ kind: "list", id: "steps", ordered: true, items: ["Build", "Ship"] }],
    checklists: [{ kind: "checklist", id: "launch", items: checks }],
  });
});

test("the answer to a call names the id and the placeholder", () => {
  expect(call("create_area_chart").output).toBe(
    '{"ok":true,"id":"growth","reminder":"Show it in your message with {{artifact:chart:growth}}"}',
  );
  expect(call("create_file").output).toContain("{{artifact:file:specs/api.md}}");
});

test("a call does not modify the draft that it is given", () => {
  const before = fullDraft();
  const copy = structuredClone(before);
  call("create_list", { id: "other" }, before);
  expect(before).toEqual(copy);
});

test("a call of an unknown tool is answered with the names of the valid tools", () => {
  const result = apply("create_poem", "{}");
  expect(result.ok).toBe(false);
  expect(result.draft).toBe(emptyDraft);
  expect(errorOf(result)).toBe(
    'there is no tool "create_poem"; the tools are create_file, create_pie_chart, create_bar_chart, ' +
      "create_stacked_bar_chart, create_line_chart, create_area_chart, create_scatter_chart, create_table, " +
      "create_list, create_checklist, create_svg",
  );
});

describe("malformed arguments", () => {
  test.each([
    ["", "position 0"],
    ['{"id":', "position 6"],
    ['{"id":}', 'token "}" at position 6'],
    ['{"id": nope}', 'token "o" at position 8'],
    ['{"id":"a"', "position 9"],
    ['{"id":"a"} x', "position 11"],
    [`{"id":"${"a".repeat(2_000)}", oops}`, "position 2010"],
  ])("are rejected with the position of the mistake: %s", (json, position) => {
    const error = errorOf(apply("create_list", json));
    expect(error).toContain("create_list: the arguments are not valid JSON");
    expect(error).toContain(position);
  });

  test.each(["null", "[]", '"text"', "12"])("are rejected when they are not an object: %s", (json) => {
    expect(errorOf(apply("create_list", json))).toContain("must be an object");
  });
});

describe("a call is accepted when", () => {
  test.each([null, "", "  \n"])("its title is %j, which is left out", (title) => {
    for (const name of Object.keys(samples).filter((one) => one !== "create_file")) {
      const { draft, ok } = call(name, { title });
      expect(ok).toBe(true);
      expect(JSON.stringify(draft)).not.toContain('"title"');
    }
  });

  test("it repeats its kind", () => {
    expect(call("create_table", { kind: "table" }).ok).toBe(true);
    expect(call("create_stacked_bar_chart", { kind: "stacked_bar" }).ok).toBe(true);
    expect(call("create_svg", { kind: "svg" }).draft.svgs).toEqual([{ id: "logo", content: drawing }]);
    expect(call("create_file", { kind: "file" }).ok).toBe(true);
  });

  test("it sets ordered to false, which is left out", () => {
    expect(call("create_list", { ordered: false }).draft.lists).toEqual([
      { kind: "list", id: "steps", items: ["Build", "Ship"] },
    ]);
  });

  test("its id has spaces around it, which are removed", () => {
    expect(call("create_list", { id: " steps " }).draft.lists[0]?.id).toBe("steps");
  });

  test.each(["create_table", "create_list", "create_checklist", "create_svg"])(
    "the wrapper of %s is missing",
    (name) => {
      expect(apply(name, JSON.stringify(samples[name]!.fields)).ok).toBe(true);
    },
  );
});

const two = [{ name: "N", values: [1, 2, 3] }];
const due = [{ id: "dns", label: "Set DNS", checked: true, due: "today" }];
const twins = ["a", "A"].map((id) => ({ id, label: "x", checked: false }));

test.each<[string, Fields, string]>([
  ["create_bar_chart", { kind: "line" }, 'kind: "line" given, must be "bar"'],
  ["create_file", { kind: "svg" }, 'unknown field "kind"'],
  ["create_line_chart", { orientation: "vertical" }, 'unknown field "orientation"'],
  ["create_checklist", { items: due }, 'items[0]: unknown field "due"'],
  ["create_checklist", { items: twins }, 'items[1].id: "A" is taken'],
  [
    "create_stacked_bar_chart",
    { series: [{ name: "N", values: [-0.5] }] },
    "series[0].values[0]: -0.5 given, at least 0",
  ],
  ...["create_bar_chart", "create_stacked_bar_chart", "create_line_chart", "create_area_chart"].map(
    (name): [string, Fields, string] => [
      name,
      { labels: ["a", "b"], series: two },
      "series[0].values: 3 values given, must be 2, one per label",
    ],
  ),
  ["create_table", { rows: [["a", "b"], ["c"]] }, "rows[1]: 1 cells given, must be 2, one per column"],
  ["create_line_chart", { labels: [" "] }, 'labels[0]: " " must not be blank'],
  ["create_list", { items: [""] }, 'items[0]: "" must not be blank'],
  ["create_table", { columns: ["Plan", ""] }, 'columns[1]: "" must not be blank'],
  ["create_file", { content: "\n" }, "content: "],
])("%s rejects %j with the reason", (name, fields, problem) => {
  const { draft, ...result } = call(name, fields);
  expect(errorOf(result)).toContain(`${name}: ${problem}`);
  expect(draft).toBe(emptyDraft);
});

test.each([
  [
    "a field beside the wrapper",
    "create_list",
    '{"list":{"id":"a","items":["x"]},"title":"Steps"}',
    'unknown field "title" beside list',
  ],
  ["a wrapper that is not an object", "create_table", '{"table":"x"}', 'table: "x" given, must be an object'],
  [
    "an infinite number",
    "create_pie_chart",
    argumentsOf("create_pie_chart").replace('"value":1', '"value":1e999'),
    "segments[0].value: Infinity given, must be a finite number",
  ],
  [
    "several problems, naming each",
    "create_bar_chart",
    '{"id":"a","labels":["x"],"series":[{"values":[1,"2"]}]}',
    'series[0].name: missing, must be text; series[0].values[1]: "2" given, must be a finite number',
  ],
])("the tools reject %s", (_, name, json, problem) => {
  expect(errorOf(apply(name, json))).toBe(`${name}: ${problem}`);
});

describe("ids", () => {
  test("of charts are unique among all kinds of chart, ignoring case", () => {
    const { draft } = call("create_pie_chart", { id: "Sales" });
    expect(errorOf(call("create_scatter_chart", { id: "sALES" }, draft))).toBe(
      'create_scatter_chart: id: "sALES" is taken by another chart; ids differ in more than case',
    );
  });

  test("of files (their names) are unique, ignoring case", () => {
    const { draft } = call("create_file", { name: "A/readme.md" });
    expect(errorOf(call("create_file", { name: "a/README.MD" }, draft))).toContain("is taken");
  });

  test("may be shared by deliverables of different kinds", () => {
    const { draft } = call("create_list", { id: "same" });
    expect(call("create_checklist", { id: "same" }, draft).ok).toBe(true);
  });

  test.each(["a b", "a.b", "ä", "a/b", "a}"])("of lists, checklists and drawings cannot be %s", (id) => {
    for (const name of ["create_list", "create_checklist", "create_svg"]) {
      expect(errorOf(call(name, { id }))).toContain(`id: "${id}" must consist of letters, digits, _ and -`);
    }
  });

  test("of charts and tables may contain spaces and punctuation, but no braces", () => {
    for (const name of ["create_pie_chart", "create_table"]) {
      expect(call(name, { id: "Sales 2026: EU" }).ok).toBe(true);
      expect(call(name, { id: "a}}" }).ok).toBe(false);
    }
  });
});

test("a very deeply nested argument is answered instead of throwing", () => {
  const json = `{"id":"a","items":${"[".repeat(20_000)}${"]".repeat(20_000)}}`;
  expect(errorOf(apply("create_list", json))).toContain("items[0]: a list of 1 given, must be text");
});

describe("an answer", () => {
  const long = "x".repeat(60_000);
  const drawingWith = (inside: string): string => `<svg><rect/>${inside}</svg>`;

  test.each<[string, string, Fields]>([
    ["half of an emoji", "create_list", { id: `x${"😀".repeat(40)}` }],
    [
      "thousands of unknown fields",
      "create_list",
      Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`f${at}`, 1])),
    ],
    ["a long name of an attribute", "create_svg", { content: drawingWith(`<g ${long}="1"/>`) }],
    ["a long name of an element", "create_svg", { content: drawingWith(`<${long}/>`) }],
    ["a long name of a second root", "create_svg", { content: `${drawing}<${long}/>` }],
    ["a long name of an entity", "create_svg", { content: drawingWith(`<text>&${long};</text>`) }],
    [
      "a long name of a property",
      "create_svg",
      { content: drawingWith(`<g style="x${"😀".repeat(40)}:1"/>`) },
    ],
  ])("stays short and well-formed when the model sends %s", (_, name, fields) => {
    const { output } = call(name, fields);
    expect(output.length).toBeLessThan(2_000);
    expect(output).not.toMatch(/\\ud[89a-f]|\uFFFD/i);
    expect(output.isWellFormed()).toBe(true);
  });
});
