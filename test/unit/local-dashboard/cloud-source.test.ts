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

describe("names for people", () => {
  it("are those of the stack's outputs, for each pool's alarms", () => {
    const { source } = watch({
      alarms: () => [alarm("Local-A1"), alarm("Local-B1"), alarm("Local-Foreign")],
      outputs: () => ({ PoolAAlarms: '{"Restarts":"Local-A1"}', PoolBAlarms: '{"Restarts":"Local-B1"}' }),
    });
    expect(source.alarms()).toEqual([
      {
        name: "Local-A1",
        arn: "arn:Local-A1",
        title: "Restarts",
        state: "OK",
        reason: "fine",
        sinceMs: 7,
        description: "",
      },
      {
        name: "Local-B1",
        arn: "arn:Local-B1",
        title: "Restarts",
        state: "OK",
        reason: "fine",
        sinceMs: 7,
        description: "",
      },
      {
        name: "Local-Foreign",
        arn: "arn:Local-Foreign",
        title: "Local-Foreign",
        state: "OK",
        reason: "fine",
        sinceMs: 7,
        description: "",
      },
    ]);
  });

  it("call a dashboard by its pool", () => {
    const { source } = watch({
      dashboards: () => [{ logicalId: "D", name: "Local-D1", body: { widgets: [] } }],
      outputs: () => ({ Dashboard: '{"default":"Local-D1"}' }),
    });
    expect(source.dashboards()).toEqual([{ name: "Local-D1", title: "Pool default", body: { widgets: [] } }]);
  });

  it("do without an output that is no JSON", () => {
    const { source } = watch({
      dashboards: () => [{ logicalId: "D", name: "Local-D1", body: {} }],
      outputs: () => ({ Dashboard: "plain text" }),
    });
    expect(source.dashboards()[0]?.title).toBe("Pool Local-D1");
  });
});

describe("numbers", () => {
  const range = { startMs: 0, endMs: 900_000 };
  const metric: SeriesQuery = {
    id: "m",
    label: "heartbeats",
    periodSeconds: 60,
    returnData: true,
    what: { metric: { namespace: "N", name: "Heartbeats", dimensions: { pool: "a" }, stat: "Sum" } },
  };

  it("are asked for as CloudWatch is asked", () => {
    const { source, asked } = watch();
    const expression: SeriesQuery = {
      id: "e",
      periodSeconds: 60,
      returnData: false,
      what: { expression: "m * 2" },
    };
    expect(source.metricData([metric, expression], range)).toEqual([
      { id: "m", label: "heartbeats", points: [[60_000, 2]] },
    ]);
    expect(asked).toEqual([
      [
        [
          {
            Id: "m",
            Label: "heartbeats",
            ReturnData: true,
            MetricStat: {
              Metric: {
                Namespace: "N",
                MetricName: "Heartbeats",
                Dimensions: [{ Name: "pool", Value: "a" }],
              },
              Period: 60,
              Stat: "Sum",
            },
          },
          { Id: "e", ReturnData: false, Period: 60, Expression: "m * 2" },
        ],
        { startMs: 0, endMs: 900_000, sliding: false },
      ],
    ]);
  });

  it("over the whole time come from one period that begins with it", () => {
    const { source, asked } = watch();
    source.metricData([{ ...metric, periodSeconds: 900 }], range);
    expect(asked[0]?.[1]).toEqual({ startMs: 0, endMs: 900_000, sliding: true });
  });
});

describe("log queries", () => {
  it("give each row a cell for each column", () => {
    const { source } = watch({
      logQuery: (query) => ({
        columns: ["reason", "runs"],
        rows: [{ runs: "2" }, { reason: query.query, runs: "1" }],
        scanned: 9,
      }),
    });
    expect(source.queryLogs({ logGroups: ["g"], text: "fields reason" }, { startMs: 0, endMs: 1 })).toEqual({
      columns: ["reason", "runs"],
      rows: [
        ["", "2"],
        ["fields reason", "1"],
      ],
    });
  });
});
