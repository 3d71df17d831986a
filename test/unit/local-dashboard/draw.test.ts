import { describe, expect, it } from "vitest";
import { drawDashboard } from "../../../local/dashboard/draw.ts";
import { alarmNamed, fakeSource, type FakeSourceOptions } from "../../support/dashboard-source.ts";

const minuteMs = 60_000;
const quarter = { startMs: 1_800_000_000_000, endMs: 1_800_000_900_000 };
const day = { startMs: 1_800_000_000_000, endMs: 1_800_086_400_000 };
const atMs = quarter.startMs + minuteMs;

function draw(options: FakeSourceOptions, range = quarter) {
  const source = fakeSource(options);
  const view = drawDashboard(source, { range, rangeText: "15 minutes" });
  return { source, widgets: view?.widgets ?? [], first: view?.widgets[0]?.content };
}

const metricWidget = (properties: object) => ({
  type: "metric",
  x: 0,
  y: 0,
  width: 8,
  height: 6,
  properties: {
    metrics: [["StudioRunner", "Heartbeats", "pool", "a", { id: "m" }]],
    period: 60,
    ...properties,
  },
});
const points = [
  [atMs, 3],
  [atMs + minuteMs, 5],
] as const;
const heartbeats = { m: [{ label: "heartbeats", points }] };

describe("a dashboard", () => {
  it("is empty, without an error, in a stack that has none", () => {
    const source = fakeSource({ dashboards: () => [], alarms: [alarmNamed("X")] });
    const view = drawDashboard(source, { range: quarter, rangeText: "hour" });
    expect(view).toMatchObject({ dashboards: [], widgets: [], alarms: [{ name: "X" }] });
  });
});

describe("an amount of money", () => {
  it.each([
    [true, ["cost (invented)", "runs"]],
    [false, ["cost", "runs"]],
  ])("is labelled in each series if it is invented (%s)", (isInvented, labels) => {
    const metrics = [
      ["StudioRunner", "CostUsd", "pool", "a", { id: "m" }],
      ["StudioRunner", "Runs", "pool", "a", { id: "n" }],
    ];
    const source = fakeSource({
      widgets: [metricWidget({ metrics })],
      series: { m: [{ label: "cost", points }], n: [{ label: "runs", points }] },
    });
    const view = drawDashboard(source, { range: quarter, rangeText: "hour", isInvented });
    const content = view?.widgets[0]?.content;
    expect(content?.kind === "chart" && content.series.map(({ label }) => label)).toEqual(labels);
  });
});

describe("a problem is shown in place of", () => {
  it.each([
    ["a widget of an unknown type", { type: "custom" }, "Widgets of type “custom” are not drawn here."],
    ["a metric widget without metrics", metricWidget({ metrics: [] }), "This widget names no metric."],
    [
      "an alarm widget with an unknown alarm",
      { type: "alarm", properties: { alarms: ["Nope"] } },
      "The stack has no alarm Nope.",
    ],
    [
      "a log widget that is not a table",
      { type: "log", properties: { query: "stats count(*)", view: "pie" } },
      "Log queries are drawn as tables here, not as “pie”.",
    ],
  ])("%s", (_, widget, sentence) => {
    expect(draw({ widgets: [widget] }).first).toEqual({ kind: "problem", sentence });
  });

  it("a widget with an unsupported definition, while the other widgets are drawn", () => {
    const { widgets } = draw({
      widgets: [metricWidget({ view: "heatmap" }), { type: "text", properties: { markdown: "fine" } }],
    });
    expect(widgets[0]?.content).toMatchObject({
      kind: "problem",
      sentence: expect.stringMatching(/^The definition of this widget is not supported here \(view: /),
    });
    expect(widgets[1]?.content.kind).toBe("text");
  });

  it("a widget whose data cannot be computed, with the reason", () => {
    const sentence = "ANOMALY_DETECTION_BAND is not understood locally.";
    const metricData = () => {
      throw new Error(sentence);
    };
    expect(draw({ widgets: [metricWidget({})], metricData }).first).toEqual({ kind: "problem", sentence });
  });
});

describe("metric widgets", () => {
  it("draw lines with axes, thresholds and vertical annotations", () => {
    const { first } = draw({
      series: heartbeats,
      widgets: [
        metricWidget({
          stacked: true,
          yAxis: { left: { min: 0, label: "heartbeats" } },
          legend: { position: "right" },
          annotations: {
            horizontal: [
              { value: 4, label: "limit", color: "#d62728", fill: "above" },
              [{ value: 1, label: "band" }, { value: 2 }],
              { value: 9, visible: false },
            ],
            vertical: [
              { value: "2027-01-15T08:05:00Z", label: "deploy" },
              { value: "2020-01-01T00:00:00Z", label: "long ago" },
            ],
          },
        }),
      ],
    });
    expect(first).toEqual({
      kind: "chart",
      stacked: true,
      periodMs: 60_000,
      series: [{ label: "heartbeats", color: undefined, axis: "left", unit: "", points }],
      axes: { left: { min: 0, label: "heartbeats" }, right: { label: "" } },
      lines: [
        { value: 4, to: undefined, label: "limit", color: "#d62728", fill: "above", axis: "left" },
        { value: 1, to: 2, label: "band", color: undefined, fill: "none", axis: "left" },
      ],
      marks: [{ atMs: 1_800_000_300_000, label: "deploy", color: undefined }],
      legend: "right",
    });
  });

  it("describe the metric when there is no data", () => {
    expect(draw({ widgets: [metricWidget({})] }).first).toEqual({
      kind: "empty",
      sentence:
        "Nothing in the last 15 minutes. Counted while jobs are worked on: Heartbeats that Studio accepted.",
    });
  });

  it("draw every series of an expression, and omit hidden rows", () => {
    const metrics = [
      ["StudioRunner", "Heartbeats", "pool", "a", { id: "m", visible: false }],
      [{ expression: "SEARCH('{N} X', 'Sum', 60)", id: "s" }],
    ];
    const found = [
      { label: "timeout", points },
      { label: "killed", points },
    ];
    const { first } = draw({ widgets: [metricWidget({ metrics })], series: { ...heartbeats, s: found } });
    expect(first).toMatchObject({ kind: "chart", series: [{ label: "timeout" }, { label: "killed" }] });
  });

  it.each([
    ["singleValue", { kind: "numbers", values: [{ value: 5, trend: points }] }],
    ["gauge", { kind: "gauges", min: 0, max: 10, values: [{ value: 5 }] }],
    ["bar", { kind: "bars", shape: "bar", values: [{ value: 5 }] }],
    ["pie", { kind: "bars", shape: "pie", values: [{ value: 5 }] }],
    ["table", { kind: "table", rows: [["heartbeats", "5", "3", "5", "4"]] }],
  ])("show the last value as %s", (view, expected) => {
    const widgets = [metricWidget({ view, yAxis: { left: { max: 10 } } })];
    expect(draw({ series: heartbeats, widgets }).first).toMatchObject(expected);
  });
});

describe("the period", () => {
  const oneValue = { view: "singleValue", setPeriodToTimeRange: true };
  const periodOf = (properties: object, periodOverride: string, range = quarter) => {
    const widgets = [metricWidget({ period: 300, ...properties })];
    return draw({ body: { periodOverride }, widgets }, range).source.asked[0]?.queries[0]?.periodSeconds;
  };

  it("is the whole time range when the widget wants one value", () => {
    expect(periodOf(oneValue, "inherit")).toBe(900);
  });

  it("is the widget's own when the dashboard inherits it, and fits the time range otherwise", () => {
    expect(periodOf({}, "inherit")).toBe(300);
    expect([quarter, day].map((range) => periodOf({}, "auto", range))).toEqual([60, 300]);
  });

  it("is long enough for bars that can be seen", () => {
    expect([quarter, day].map((range) => periodOf({ stacked: true }, "auto", range))).toEqual([60, 1_800]);
  });
});

describe("alarm widgets", () => {
  const widget = (properties: object) => ({ type: "alarm", properties });

  it("show alarms named by ARN or name, in the widget's order", () => {
    const alarms = [alarmNamed("A"), alarmNamed("B", { state: "ALARM", sinceMs: 5 })];
    const { first } = draw({ alarms, widgets: [widget({ alarms: [alarms[1]?.arn, "A"] })] });
    expect(first).toMatchObject({
      kind: "alarms",
      alarms: [{ name: "B", state: "ALARM", sinceMs: 5 }, { name: "A" }],
    });
  });

  it("show only alarms in the widget's states, and are empty when there are none", () => {
    const options = { alarms: [alarmNamed("A"), alarmNamed("B", { state: "ALARM" })] };
    const wanted = (states: readonly string[]) =>
      draw({ ...options, widgets: [widget({ alarms: ["A", "B"], states })] });
    expect(wanted(["ALARM"]).first).toMatchObject({ alarms: [{ name: "B" }] });
    expect(wanted(["INSUFFICIENT_DATA"]).first?.kind).toBe("empty");
  });
});

describe("log widgets", () => {
  const widget = (properties: object) => ({ type: "log", properties });

  it("query their log groups and show the rows with readable heads", () => {
    const answer = {
      columns: ["@timestamp", "Workspace", "InputTokens", "UsedMB"],
      rows: [["2026-11-30 14:05:00.123", "ws_1", "20", "150"]],
    };
    const query = "SOURCE '/aws/one' | SOURCE '/aws/two' | fields @message\n| limit 5";
    const { first, source } = draw({ widgets: [widget({ query })], queryLogs: () => answer });
    expect(first).toEqual({
      kind: "table",
      columns: ["When", "Workspace", "Input tokens", "Used MB"],
      kinds: ["time", "workspace", "text", "text"],
      rows: answer.rows,
    });
    expect(source.logQueries).toEqual([
      { logGroups: ["/aws/one", "/aws/two"], text: "fields @message\n| limit 5" },
    ]);
  });

  it("show a message when no log line matches", () => {
    expect(draw({ widgets: [widget({ query: "fields a" })] }).first).toEqual({
      kind: "empty",
      sentence: "No log line of the last 15 minutes answers this query.",
    });
  });
});
