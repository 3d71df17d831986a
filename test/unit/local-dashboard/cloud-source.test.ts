import { describe, expect, it } from "vitest";
import { cloudSource, type WatchedCloud } from "../../../local/dashboard/cloud-source.ts";

const sourceOf = (more: Partial<WatchedCloud>) =>
  cloudSource({
    alarms: () => [],
    dashboards: () => [],
    outputs: () => ({}),
    logQuery: () => ({ columns: [], rows: [], scanned: 0 }),
    metricData: () => [],
    ...more,
  });

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
    const source = sourceOf({
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
    const source = sourceOf({
      dashboards: () => [{ logicalId: "D", name: "Local-D1", body: {} }],
      outputs: () => ({ Dashboard: output }),
    });
    expect(source.dashboards()).toEqual([{ name: "Local-D1", title, body: {} }]);
  });
});

it("each row of a log query has a cell for every column", () => {
  const columns = ["reason", "runs"];
  const source = sourceOf({
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
