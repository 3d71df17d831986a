import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { exampleWorkspaces } from "../../../local/model/examples.ts";
import { wordTable } from "../../../local/model/special-words.ts";
import { suggestions } from "../../../local/studio/page/suggestions.js";
import { drive, placeholdersIn } from "./drive.ts";

const [coffee, checkout, photos] = exampleWorkspaces;

/** For each prompt, what it asks for: the tools in order, and sentences of the answer. */
const answers: readonly (readonly [prompt: string, tools: readonly string[], words: readonly string[]])[] = [
  [
    suggestions.launch.text,
    ["create_checklist", "create_pie_chart", "create_file"],
    ["60 subscribers", "Half of the 5,000 € buys and ships 200 boxes"],
  ],
  [
    suggestions.hosting.text,
    ["create_table", "create_bar_chart"],
    ["### Recommendation\n\n**Take the serverless database.** It costs $69 a month with your time"],
  ],
  [
    suggestions.caching.text,
    ["create_svg", "create_list", "create_file"],
    ["A cache keeps a copy of an answer"],
  ],
  [
    suggestions.shop.text,
    ["create_line_chart", "create_stacked_bar_chart", "create_area_chart", "create_scatter_chart"],
    ["120,000 visitors placed 3,000 orders of 42 € each", "126,000 €"],
  ],
  [
    coffee!.text,
    ["create_bar_chart", "create_pie_chart", "create_table", "create_stacked_bar_chart", "create_list"],
    ["**Customers.**", "**Budget.**", "**Revenue.** 322,000 EUR", "**Risks.**"],
  ],
  [
    checkout!.text,
    ["create_line_chart", "create_area_chart", "create_scatter_chart", "create_checklist", "create_file"],
    ["**Both are to blame: the release made it slow, and only under load.**"],
  ],
  [photos!.text, ["create_svg", "create_table", "create_file"], ["The most important decision"]],
];

describe("the prompt", () => {
  test.each(answers)("%s is answered with exactly what it asks for", (prompt, tools, words) => {
    const { rounds, complaints, made, message } = drive(prompt);

    expect(rounds.flat().map(({ name }) => name)).toEqual(tools);
    expect(complaints).toEqual([]);
    expect(placeholdersIn(message)).toEqual(made);
    for (const sentence of words) expect(message).toContain(sentence);
    const hasFigures = prompt !== suggestions.caching.text;
    const note = hasFigures ? "; the figures are invented" : "";
    expect(message.split("\n").at(-1)).toBe(`_Canned answer of the offline model${note}._`);
  });
});

test("every suggested prompt has an answer, and together they contain every kind of deliverable", () => {
  expect(Object.values(suggestions).map(({ text }) => text)).toEqual(
    answers.slice(0, 4).map(([prompt]) => prompt),
  );
  const tools = answers.slice(0, 4).flatMap(([, names]) => names);
  expect([...new Set(tools)].toSorted()).toEqual([
    "create_area_chart",
    "create_bar_chart",
    "create_checklist",
    "create_file",
    "create_line_chart",
    "create_list",
    "create_pie_chart",
    "create_scatter_chart",
    "create_stacked_bar_chart",
    "create_svg",
    "create_table",
  ]);
});

test.each([
  ["with special words", `${suggestions.launch.text} [[slow:10]]`],
  ["with other line breaks", suggestions.launch.text.replaceAll(" ", "\n")],
])("a suggested prompt %s keeps its answer", (_, text) => {
  expect(drive(text).message).toContain("## Launch of a small coffee subscription");
});

test("a changed prompt has no canned answer", () => {
  const changed = suggestions.launch.text.replace("5,000 €", "8,000 €");
  expect(drive(changed).message).toContain("## There is no canned answer to this message");
});

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
const numberOf = (text: string): number => Number(text.replaceAll(",", ""));

/** The arguments of the call that makes this deliverable. */
function argumentsOf(prompt: string, id: string) {
  const call = drive(prompt)
    .rounds.flat()
    .find((one) => one.arguments.includes(`"id":"${id}"`));
  return JSON.parse(call!.arguments);
}

interface Valued {
  readonly values: readonly number[];
}

test.each([
  ["the launch's", suggestions.launch.text, "budget", 5_000],
  ["the coffee subscription's", coffee!.text, "budget-split", 120_000],
])("%s budget adds up", (_, prompt, id, total) => {
  const { segments } = argumentsOf(prompt, id) as { segments: { value: number }[] };
  expect(sum(segments.map(({ value }) => value))).toBe(total);
});

test("the coffee subscription's milestones and revenue add up to what its text says", () => {
  const { rows } = argumentsOf(coffee!.text, "milestones").table as { rows: string[][] };
  expect(sum(rows.map((row) => numberOf(row[3]!)))).toBe(120_000);
  const { series } = argumentsOf(coffee!.text, "revenue-by-plan") as { series: Valued[] };
  expect(sum(series.flatMap(({ values }) => values))).toBe(322);
});

test("the shop's visitors, orders, revenue and stock fit together", () => {
  const text = suggestions.shop.text;
  const [visitors] = argumentsOf(text, "visitors").series as [Valued];
  const revenue = argumentsOf(text, "revenue").series as Valued[];
  const [{ points }] = argumentsOf(text, "advertising").series as [{ points: { y: number }[] }];
  expect(sum(visitors.values)).toBe(120_000);
  expect(sum(points.map(({ y }) => y))).toBe(3_000);
  const orders = [0, 3, 6, 9].map((first) => sum(points.slice(first, first + 3).map(({ y }) => y)));
  const ofQuarters = [0, 1, 2, 3].map((quarter) => sum(revenue.map(({ values }) => values[quarter]!)));
  expect(ofQuarters).toEqual(orders.map((number) => number * 42));
  expect(ofQuarters).toEqual([24_150, 27_720, 27_300, 46_830]);
});

test("docs/offline-model.md has every special word, with its effect", () => {
  const page = readFileSync(new URL("../../../docs/offline-model.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `(\[\[[^`]+\]\])` +\| (.+?) +\|$/gm)].map(([, word, effect]) => [
    word,
    effect,
  ]);
  expect(rows).toEqual(wordTable);
});
