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
  it("is laid out as its body says", () => {
    const { widgets } = draw({
      widgets: [{ type: "text", x: 4, y: 2, width: 20, height: 1, properties: { markdown: "# Hello" } }],
    });
    expect(widgets).toEqual([
      { x: 4, y: 2, width: 20, height: 1, title: "", content: { kind: "text", markdown: "# Hello" } },
    ]);
  });

  it("is chosen by its name, and is the first one without", () => {
    const dashboards = () => [
      { name: "a", title: "A", body: { widgets: [] } },
      { name: "b", title: "B", body: { widgets: [] } },
    ];
    const source = fakeSource({ dashboards });
    const wanted = { range: quarter, rangeText: "hour" };
    expect(drawDashboard(source, wanted)).toMatchObject({
      name: "a",
      dashboards: [
        { name: "a", title: "A" },
        { name: "b", title: "B" },
      ],
    });
    expect(drawDashboard(source, { ...wanted, name: "b" })?.name).toBe("b");
    expect(drawDashboard(source, { ...wanted, name: "c" })).toBeUndefined();
  });

  it("is empty, and no mistake, in a stack without one", () => {
    const source = fakeSource({ dashboards: () => [], alarms: [alarmNamed("X")] });
    const view = drawDashboard(source, { range: quarter, rangeText: "hour" });
    expect(view).toMatchObject({ dashboards: [], widgets: [], alarms: [{ name: "X" }] });
    expect(view?.name).toBeUndefined();
  });
});

describe("what cannot be drawn", () => {
  it("says so for a type of widget that is not known", () => {
    expect(draw({ widgets: [{ type: "custom" }] }).first).toEqual({
      kind: "problem",
      sentence: "Widgets of type “custom” are not drawn here.",
    });
  });

  it("says so for a definition that is not understood, and draws the others", () => {
    const { widgets } = draw({
      widgets: [metricWidget({ view: "heatmap" }), { type: "text", properties: { markdown: "fine" } }],
    });
    expect(widgets[0]?.content).toMatchObject({
      kind: "problem",
      sentence: expect.stringMatching(/^The definition of this widget is not supported here \(view: /),
    });
    expect(widgets[1]?.content.kind).toBe("text");
  });

  it("says why the numbers cannot be worked out", () => {
    const metricData = () => {
      throw new Error("ANOMALY_DETECTION_BAND is not understood locally.");
    };
    expect(draw({ widgets: [metricWidget({})], metricData }).first).toEqual({
      kind: "problem",
      sentence: "ANOMALY_DETECTION_BAND is not understood locally.",
    });
  });

  it("says so for a widget without metrics", () => {
    expect(draw({ widgets: [metricWidget({ metrics: [] })] }).first).toEqual({
      kind: "problem",
      sentence: "This widget names no metric.",
    });
  });
});

describe("metric widgets", () => {
  it("draw lines with units, axes, thresholds and moments", () => {
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

  it("say what will show where there is no data", () => {
    expect(draw({ widgets: [metricWidget({})] }).first).toEqual({
      kind: "empty",
      sentence:
        "Nothing in the last 15 minutes. Counted while jobs are worked on: Heartbeats that Studio accepted.",
    });
  });

  it("keep a hidden row out of the picture", () => {
    const metrics = [
      ["StudioRunner", "Heartbeats", "pool", "a", { id: "m", visible: false }],
      [{ expression: "m * 2", id: "e", label: "twice" }],
    ];
    const series = { ...heartbeats, e: [{ label: "twice", points }] };
    const { first } = draw({ widgets: [metricWidget({ metrics })], series });
    expect(first).toMatchObject({ kind: "chart", series: [{ label: "twice" }] });
  });

  it("draw every series that a SEARCH finds", () => {
    const metrics = [[{ expression: "SEARCH('{N} X', 'Sum', 60)", id: "s" }]];
    const found = [
      { label: "timeout", points },
      { label: "killed", points },
    ];
    const { first } = draw({ widgets: [metricWidget({ metrics })], series: { s: found } });
    expect(first).toMatchObject({ series: [{ label: "timeout" }, { label: "killed" }] });
  });

  it.each([
    ["singleValue", { kind: "numbers" }],
    ["gauge", { kind: "gauges", min: 0, max: 10 }],
    ["bar", { kind: "bars", shape: "bar" }],
    ["pie", { kind: "bars", shape: "pie" }],
  ])("show the last value as %s", (view, expected) => {
    const { first } = draw({
      series: heartbeats,
      widgets: [metricWidget({ view, yAxis: { left: { max: 10 } } })],
    });
    expect(first).toMatchObject({ ...expected, values: [{ label: "heartbeats", value: 5 }] });
  });

  it("summarize each series in a table", () => {
    expect(draw({ series: heartbeats, widgets: [metricWidget({ view: "table" })] }).first).toEqual({
      kind: "table",
      columns: ["metric", "last", "min", "max", "average"],
      rows: [["heartbeats", "5", "3", "5", "4"]],
    });
  });

  it("keep a number without data in its place", () => {
    const { first } = draw({
      series: { m: [{ label: "heartbeats", points: [] }] },
      widgets: [metricWidget({ view: "singleValue" })],
    });
    expect(first).toMatchObject({
      kind: "numbers",
      values: [{ label: "heartbeats", value: null, trend: [] }],
    });
  });

  it("draw the way to a number, unless it is over the whole time", () => {
    const number = (more: object) =>
      draw({ series: heartbeats, widgets: [metricWidget({ view: "singleValue", ...more })] });
    expect(number({}).first).toMatchObject({ values: [{ trend: points }] });
    expect(number({ sparkline: false }).first).toMatchObject({ values: [{ trend: [] }] });
    expect(number({ setPeriodToTimeRange: true }).first).toMatchObject({ values: [{ trend: [] }] });
  });
});

describe("the period", () => {
  const askedFor = (body: object, properties: object, range = quarter) =>
    draw({ body, widgets: [metricWidget(properties)] }, range).source.asked[0]?.queries[0]?.periodSeconds;

  it("is the whole time where the widget wants one value for it", () => {
    expect(askedFor({}, { view: "singleValue", setPeriodToTimeRange: true })).toBe(900);
  });

  it("is the widget's own where the dashboard says so", () => {
    expect(askedFor({ periodOverride: "inherit" }, { period: 300 })).toBe(300);
  });

  it.each([
    [quarter, 60],
    [day, 300],
  ])("goes with the time range otherwise (%#)", (range, seconds) => {
    expect(askedFor({ periodOverride: "auto" }, { period: 3_600 }, range)).toBe(seconds);
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

  it("show only the states that the widget wants, and say when there are none", () => {
    const options = { alarms: [alarmNamed("A"), alarmNamed("B", { state: "ALARM" })] };
    const wanted = (states: readonly string[]) =>
      draw({ ...options, widgets: [widget({ alarms: ["A", "B"], states })] });
    expect(wanted(["ALARM"]).first).toMatchObject({ alarms: [{ name: "B" }] });
    expect(wanted(["INSUFFICIENT_DATA"]).first?.kind).toBe("empty");
  });

  it("say so when the stack has no such alarm", () => {
    expect(draw({ widgets: [widget({ alarms: ["Nope"] })] }).first).toEqual({
      kind: "problem",
      sentence: "The stack has no alarm Nope.",
    });
  });
});

describe("log widgets", () => {
  const widget = (properties: object) => ({ type: "log", properties });

  it("ask their log groups and show the rows", () => {
    const answer = { columns: ["reason", "runs"], rows: [["timeout", "2"]] };
    const query = "SOURCE '/aws/one' | SOURCE '/aws/two' | fields @message\n| limit 5";
    const { first, source } = draw({ widgets: [widget({ query })], queryLogs: () => answer });
    expect(first).toEqual({ kind: "table", ...answer });
    expect(source.logQueries).toEqual([
      { logGroups: ["/aws/one", "/aws/two"], text: "fields @message\n| limit 5" },
    ]);
  });

  it("say so when no line answers", () => {
    expect(draw({ widgets: [widget({ query: "fields a" })] }).first).toEqual({
      kind: "empty",
      sentence: "No log line of the last 15 minutes answers this query.",
    });
  });

  it("say so for a view other than a table", () => {
    expect(draw({ widgets: [widget({ query: "stats count(*)", view: "pie" })] }).first).toMatchObject({
      kind: "problem",
      sentence: "Log queries are drawn as tables here, not as “pie”.",
    });
  });
});
