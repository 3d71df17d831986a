import { expect, it } from "vitest";
import { doing, madeWith, wordedTools } from "../../../cli/tool-words.ts";
import { tools } from "../../../lib/deliverables/registry.ts";

it("there are words for every tool, and for no other", () => {
  expect(wordedTools.toSorted()).toEqual(tools.map(({ name }) => name).toSorted());
});

it.each([
  ["create_table", "drawing a table"],
  ["create_hologram", "the model calls a tool"],
  ["constructor", "the model calls a tool"],
  [undefined, "the model calls a tool"],
])("a call of %s reads as %s", (tool, expected) => {
  expect(doing(tool)).toBe(expected);
});

it.each([
  [["create_bar_chart", "create_table", "create_bar_chart"], ": 2 bar charts, a table"],
  [["create_hologram", 5], ""],
  ["create_table", ""],
  [undefined, ""],
])("the tools %j read as %j", (called, expected) => {
  expect(madeWith(called)).toBe(expected);
});
