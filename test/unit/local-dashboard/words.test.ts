import { expect, it } from "vitest";
import type { SeriesQuery } from "../../../local/dashboard/source.ts";
import { emptySentence, unitOf } from "../../../local/dashboard/words.ts";

const common = { id: "m", periodSeconds: 60, returnData: true };
const metric = (name: string, stat = "Sum"): SeriesQuery => ({
  ...common,
  what: { metric: { namespace: "StudioRunner", name, dimensions: { pool: "a" }, stat } },
});
const expression = (text: string): SeriesQuery => ({ ...common, what: { expression: text } });
const search = (name: string) =>
  expression(`SEARCH('{StudioRunner,pool,model} MetricName="${name}" pool="a"', 'p95', 60)`);

it.each([
  ["a count", metric("Heartbeats"), ""],
  ["seconds", metric("TimeInQueueSeconds", "p95"), "s"],
  ["a number of samples", metric("RunSeconds", "SampleCount"), ""],
  ["a percentage", metric("LeaseLeftPercent", "Minimum"), "%"],
  ["dollars", metric("CostUsd"), "$"],
  ["a duration reported by Lambda", metric("Duration", "Maximum"), "ms"],
  ["a search for seconds", search("InferenceSeconds"), "s"],
  ["an expression of other rows", expression("100 * failed / ended"), ""],
])("unitOf %s is the unit of its metric", (_, query, unit) => {
  expect(unitOf(query)).toBe(unit);
});

it.each([
  [metric("Heartbeats"), " Counted while jobs are worked on: Heartbeats that Studio accepted."],
  [metric("JobsLeased"), " Counted at the end of a dispatch cycle: Jobs leased from Studio."],
  [search("RunsLost"), " Counted while jobs are worked on: Runs whose lease was lost; nothing was posted."],
  [metric("Invocations"), " Shows: Invocations of the functions."],
  [expression("a / b"), ""],
])("the sentence for missing data describes a known metric and when it is counted (%#)", (query, rest) => {
  expect(emptySentence([query], "hour")).toBe(`Nothing in the last hour.${rest}`);
});
