import { describe, expect, it } from "vitest";
import { cloudSource, type WatchedCloud } from "../../../local/dashboard/cloud-source.ts";
import type { SeriesQuery } from "../../../local/dashboard/source.ts";

type Asked = Parameters<WatchedCloud["metricData"]>;

function watch(more: Partial<WatchedCloud> = {}) {
  const asked: Asked[] = [];
  const source = cloudSource({
    alarms: () => [],
    dashboards: () => [],
    outputs: () => ({}),
    logQuery: () => ({ columns: [], rows: [], scanned: 0 }),
    metricData: (...args) => {
      asked.push(args);
      return [{ id: "m", label: "heartbeats", periodMs: 60_000, points: [{ atMs: 60_000, value: 2 }] }];
    },
    ...more,
  });
  return { source, asked };
}

const alarm = (name: string) => ({
  definition: {
    kind: "composite",
    rule: "",
    logicalId: `Logical${name}`,
    name,
    arn: `arn:${name}`,
    description: undefined,
    actions: { ALARM: [], OK: [], INSUFFICIENT_DATA: [] },
  } as const,
  state: "OK" as const,
  reason: "fine",
  sinceMs: 7,
  values: [],
});

describe("titles", () => {
  it("of alarms are taken from the stack's outputs", () => {
    const { source } = watch({
      alarms: () => [alarm("Local-A1"), alarm("Local-B1"), alarm("Local-Foreign")],
      outputs: () => ({ PoolAAlarms: '{"Restarts":"Local-A1"}', PoolBAlarms: '{"Lost":"Local-B1"}' }),
    });
    const names = { name: "Local-A1", arn: "arn:Local-A1", title: "Restarts", description: "" };
    expect(source.alarms()[0]).toEqual({ ...names, state: "OK", reason: "fine", sinceMs: 7 });
    expect(source.alarms().map(({ title }) => title)).toEqual(["Restarts", "Lost", "Local-Foreign"]);
  });

  it.each([
    ["the pool in the outputs", '{"default":"Local-D1"}', "Pool default"],
    ["its own name when the output is not JSON", "plain text", "Pool Local-D1"],
  ])("of a dashboard have %s", (_, output, title) => {
    const { source } = watch({
      dashboards: () => [{ logicalId: "D", name: "Local-D1", body: {} }],
      outputs: () => ({ Dashboard: output }),
    });
    expect(source.dashboards()).toEqual([{ name: "Local-D1", title, body: {} }]);
  });
});

describe("metric data", () => {
  const range = { startMs: 0, endMs: 900_000 };
  const metric = { namespace: "N", name: "Heartbeats", dimensions: { pool: "a" }, stat: "Sum" };
  const common = { label: "heartbeats", periodSeconds: 60, returnData: true };
  const query: SeriesQuery = { id: "m", ...common, what: { metric } };

  it("is requested in the format of CloudWatch's GetMetricData", () => {
    const { source, asked } = watch();
    const expression = { id: "e", periodSeconds: 60, returnData: false, what: { expression: "m * 2" } };
    expect(source.metricData([query, expression], range)).toEqual([
      { id: "m", label: "heartbeats", points: [[60_000, 2]] },
    ]);
    const Dimensions = [{ Name: "pool", Value: "a" }];
    const Metric = { Namespace: "N", MetricName: "Heartbeats", Dimensions };
    const MetricStat = { Metric, Period: 60, Stat: "Sum" };
    expect(asked[0]).toEqual([
      [
        { Id: "m", Label: "heartbeats", ReturnData: true, MetricStat },
        { Id: "e", ReturnData: false, Period: 60, Expression: "m * 2" },
      ],
      { startMs: 0, endMs: 900_000, sliding: false },
    ]);
  });
});

it("each row of a log query has a cell for every column", () => {
  const columns = ["reason", "runs"];
  const { source } = watch({
    logQuery: ({ query }) => {
      const cells: readonly Record<string, string>[] = [{ runs: "2" }, { reason: query }];
      return { columns, rows: cells, scanned: 9 };
    },
  });
  const asked = { logGroups: ["g"], text: "fields reason" };
  const { rows } = source.queryLogs(asked, { startMs: 0, endMs: 1 });
  expect(rows).toEqual([
    ["", "2"],
    ["fields reason", ""],
  ]);
});
