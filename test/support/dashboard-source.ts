import type {
  DashboardSource,
  LogQuery,
  SeriesData,
  SeriesQuery,
  SourceAlarm,
  TimeRange,
} from "../../local/dashboard/source.ts";

export interface FakeSource extends DashboardSource {
  /** The requests, in order. */
  readonly asked: readonly { readonly queries: readonly SeriesQuery[]; readonly range: TimeRange }[];
  readonly logQueries: readonly LogQuery[];
}

export interface FakeSourceOptions {
  readonly widgets?: readonly object[];
  readonly body?: object;
  readonly dashboards?: DashboardSource["dashboards"];
  readonly alarms?: readonly SourceAlarm[];
  /** By the id of the query. */
  readonly series?: Readonly<Record<string, readonly Omit<SeriesData, "id">[]>>;
  readonly metricData?: DashboardSource["metricData"];
  readonly queryLogs?: DashboardSource["queryLogs"];
}

/** A source with one dashboard that has these widgets. */
export function fakeSource(options: FakeSourceOptions = {}): FakeSource {
  const { widgets = [], alarms = [], series = {} } = options;
  const asked: { queries: readonly SeriesQuery[]; range: TimeRange }[] = [];
  const logQueries: LogQuery[] = [];
  const body = { periodOverride: "inherit", widgets, ...options.body };
  return {
    asked,
    logQueries,
    dashboards: options.dashboards ?? (() => [{ name: "one", title: "Pool one", body }]),
    alarms: () => alarms,
    metricData(queries, range) {
      asked.push({ queries, range });
      if (options.metricData) return options.metricData(queries, range);
      return queries.flatMap(({ id }) => (series[id] ?? []).map((each) => ({ id, ...each })));
    },
    queryLogs(query, range) {
      logQueries.push(query);
      return options.queryLogs?.(query, range) ?? { columns: [], rows: [] };
    },
  };
}

export const alarmNamed = (name: string, more: Partial<SourceAlarm> = {}): SourceAlarm => ({
  name,
  arn: `arn:aws:cloudwatch:us-east-1:000000000000:alarm:${name}`,
  title: name,
  state: "OK",
  reason: "0 of the last 1 values were at or above 1.",
  description: "Too many jobs fail.\nRun: npm run runner -- jobs\nRunbook: docs/runbook.md#failurerate",
  ...more,
});
