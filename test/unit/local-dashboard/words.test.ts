import { describe, expect, it } from "vitest";
import type { SeriesQuery } from "../../../local/dashboard/source.ts";
import { emptySentence, unitOf } from "../../../local/dashboard/words.ts";

const metric = (name: string, stat = "Sum"): SeriesQuery => ({
  id: "m",
  periodSeconds: 60,
  returnData: true,
  what: { metric: { namespace: "StudioRunner", name, dimensions: { pool: "a" }, stat } },
});
const expression = (text: string): SeriesQuery => ({
  id: "e",
  periodSeconds: 60,
  returnData: true,
  what: { expression: text },
});

describe("units", () => {
  it.each([
    [metric("Heartbeats"), ""],
    [metric("TimeInQueueSeconds", "p95"), "s"],
    [metric("RunSeconds", "SampleCount"), ""],
    [metric("LeaseLeftPercent", "Minimum"), "%"],
    [metric("CostUsd"), "$"],
    [metric("Duration", "Maximum"), "ms"],
    [
      expression(`SEARCH('{StudioRunner,pool,model} MetricName="InferenceSeconds" pool="a"', 'p95', 60)`),
      "s",
    ],
    [expression("100 * failed / ended"), ""],
  ])("are those of the metric that is read (%#)", (query, unit) => {
    expect(unitOf(query)).toBe(unit);
  });
});

describe("the sentence where there is no data", () => {
  it("says what is counted, and when", () => {
    expect(emptySentence([metric("Heartbeats")], "15 minutes")).toBe(
      "Nothing in the last 15 minutes. Counted while jobs are worked on: Heartbeats that Studio accepted.",
    );
    expect(emptySentence([metric("JobsLeased")], "day")).toBe(
      "Nothing in the last day. Counted at the end of a dispatch cycle: Jobs leased from Studio.",
    );
  });

  it("reads the metric out of a SEARCH", () => {
    const query = expression(
      `SEARCH('{StudioRunner,pool,reason} MetricName="RunsLost" pool="a"', 'Sum', 60)`,
    );
    expect(emptySentence([query], "hour")).toBe(
      "Nothing in the last hour. Counted while jobs are worked on: Runs whose lease was lost; nothing was posted.",
    );
  });

  it("knows the metrics of AWS services that a dashboard shows", () => {
    expect(emptySentence([metric("Invocations")], "hour")).toBe(
      "Nothing in the last hour. Shows: Invocations of the functions.",
    );
  });

  it("says no more than it knows", () => {
    expect(emptySentence([expression("a / b")], "hour")).toBe("Nothing in the last hour.");
  });
});
