import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { renderMetrics } from "../../../infra/metrics-docs.ts";
import { markdownTable } from "../../../infra/markdown-table.ts";

it("docs/metrics.md is what the table says: npm run metrics-docs", () => {
  expect(readFileSync(new URL("../../../docs/metrics.md", import.meta.url), "utf8")).toBe(renderMetrics());
});

describe("the page", () => {
  it("gives a metric's unit, its sets of dimensions, who emits it and what it means", () => {
    const row = renderMetrics()
      .split("\n")
      .find((line) => line.startsWith("| `Restarts`"));
    expect(row?.split("|").map((cell) => cell.trim())).toEqual([
      "",
      "`Restarts`",
      "Count",
      "pool, reason; pool",
      "recovery, dispatcher",
      "Restarts after an attempt failed, by the reason of the failure.",
      "",
    ]);
  });
});

it("a table has its numbers on the right", () => {
  const cells = [
    ["what", "n"],
    ["a", "10"],
  ];
  expect(markdownTable(cells, { numbers: [1] })).toEqual([
    "| what |   n |",
    "| ---- | --: |",
    "| a    |  10 |",
  ]);
});
