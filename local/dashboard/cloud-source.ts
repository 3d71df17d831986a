import * as z from "zod";
import type { LocalCloud } from "../cloud/local-cloud.ts";
import type { DashboardSource, SeriesQuery } from "./source.ts";
import { parseJson } from "../../lib/core/json.ts";

/** The parts of the local cloud that the dashboard page needs. */
export type WatchedCloud = Pick<LocalCloud, "alarms" | "dashboards" | "metricData" | "logQuery" | "outputs">;

/** Reads dashboard data from the local cloud's CloudWatch. */
export function cloudSource(cloud: WatchedCloud): DashboardSource {
  return {
    dashboards() {
      const pools = readableNames(cloud, /^Dashboard$/);
      return cloud
        .dashboards()
        .map(({ name, body }) => ({ name, title: `Pool ${pools.get(name) ?? name}`, body }));
    },
    alarms() {
      const ids = readableNames(cloud, /^Pool.+Alarms$/);
      return cloud.alarms().map(({ definition: { name, arn, description = "" }, ...status }) => {
        const { state, reason, sinceMs } = status;
        return { name, arn, title: ids.get(name) ?? name, state, reason, sinceMs, description };
      });
    },
    metricData(queries, range) {
      // One value for the whole range, in a period that starts with it.
      const lengthMs = range.endMs - range.startMs;
      const sliding = queries.some(({ periodSeconds }) => periodSeconds * 1_000 === lengthMs);
      return cloud
        .metricData(queries.map(metricQuery), { ...range, sliding })
        .map(({ id, label, points }) => ({
          id,
          label,
          points: points.map(({ atMs, value }) => [atMs, value] as const),
        }));
    },
    queryLogs({ logGroups, text }, range) {
      const { columns, rows } = cloud.logQuery({ query: text, groups: logGroups, ...range });
      return { columns, rows: rows.map((row) => columns.map((name) => row[name] ?? "")) };
    },
  };
}

const namesSchema = z.record(z.string(), z.string());

/**
 * Readable names by physical name, from the stack outputs that match `key` (JSON from readable to physical
 * names).
 */
function readableNames(cloud: WatchedCloud, key: RegExp): ReadonlyMap<string, string> {
  const outputs = Object.entries(cloud.outputs()).filter(([name]) => key.test(name));
  const pairs = outputs.flatMap(([, value]) =>
    Object.entries(namesSchema.safeParse(parseJson(value)).data ?? {}),
  );
  return new Map(pairs.map(([readable, physical]) => [physical, readable]));
}

function metricQuery({ id, label, periodSeconds, returnData, what }: SeriesQuery) {
  const common = { Id: id, ReturnData: returnData, Label: label };
  if ("expression" in what) return { ...common, Period: periodSeconds, Expression: what.expression };
  const { namespace, name, dimensions, stat } = what.metric;
  const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
  const Metric = { Namespace: namespace, MetricName: name, Dimensions };
  return { ...common, MetricStat: { Metric, Period: periodSeconds, Stat: stat } };
}
