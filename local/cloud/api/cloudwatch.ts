import * as z from "zod";
import type { Monitor } from "../monitoring/monitor.ts";
import type { AlarmStatus } from "../monitoring/alarms.ts";
import { metricQuerySchema, type MetricQuery } from "../monitoring/metric-query.ts";
import { actionOf, seconds, type Actions } from "./protocols.ts";

const action = actionOf<Monitor>("ValidationError");

const getMetricDataSchema = z.object({
  MetricDataQueries: z.array(metricQuerySchema).min(1),
  StartTime: z.number(),
  EndTime: z.number(),
  ScanBy: z.enum(["TimestampDescending", "TimestampAscending"]).default("TimestampDescending"),
});

const describeAlarmsSchema = z.object({
  AlarmNames: z.array(z.string()).optional(),
  AlarmNamePrefix: z.string().optional(),
  AlarmTypes: z.array(z.enum(["MetricAlarm", "CompositeAlarm"])).default(["MetricAlarm"]),
  StateValue: z.enum(["OK", "ALARM", "INSUFFICIENT_DATA"]).optional(),
  MaxRecords: z.number().default(100),
  NextToken: z.string().optional(),
});

/** CloudWatch's JSON 1.0 actions. */
export const cloudWatchActions: Actions<Monitor> = {
  GetMetricData: action({
    request: getMetricDataSchema,
    answer: ({ MetricDataQueries, StartTime, EndTime, ScanBy }, monitor) => {
      const range = { startMs: StartTime * 1_000, endMs: EndTime * 1_000 };
      const results = monitor.metricData(MetricDataQueries, range);
      return {
        Messages: [],
        MetricDataResults: results.map(({ id, label, points }) => {
          const ordered = ScanBy === "TimestampAscending" ? points : points.toReversed();
          return {
            Id: id,
            Label: label,
            Timestamps: ordered.map(({ atMs }) => seconds(atMs)),
            Values: ordered.map(({ value }) => value),
            StatusCode: "Complete",
          };
        }),
      };
    },
  }),
  DescribeAlarms: action({
    request: describeAlarmsSchema,
    answer: (
      { AlarmNames, AlarmNamePrefix = "", AlarmTypes, StateValue, MaxRecords, NextToken = "0" },
      monitor,
    ) => {
      const types = AlarmTypes.map((type) => (type === "MetricAlarm" ? "metric" : "composite"));
      const found = monitor.alarms.states().filter(({ definition: { name, kind }, state }) => {
        const asked = AlarmNames?.includes(name) ?? name.startsWith(AlarmNamePrefix);
        return asked && types.some((type) => type === kind) && (StateValue ?? state) === state;
      });
      const from = Number(NextToken);
      const page = found.slice(from, from + MaxRecords);
      const rest = from + MaxRecords < found.length ? { NextToken: String(from + MaxRecords) } : {};
      return {
        MetricAlarms: page.flatMap(metricAlarmOf),
        CompositeAlarms: page.flatMap(compositeAlarmOf),
        ...rest,
      };
    },
  }),
};

function commonOf({ definition, state, reason, sinceMs }: AlarmStatus): object {
  const { name, arn, description, actions } = definition;
  return {
    AlarmName: name,
    AlarmArn: arn,
    AlarmDescription: description,
    ActionsEnabled: true,
    AlarmActions: actions.ALARM,
    OKActions: actions.OK,
    InsufficientDataActions: actions.INSUFFICIENT_DATA,
    StateValue: state,
    StateReason: reason,
    StateUpdatedTimestamp: seconds(sinceMs),
    StateTransitionedTimestamp: seconds(sinceMs),
  };
}

function metricAlarmOf(status: AlarmStatus): readonly object[] {
  const { definition } = status;
  if (definition.kind !== "metric") return [];
  const { comparison, threshold, evaluationPeriods, datapointsToAlarm, missingData, metric } = definition;
  const [query] = definition.queries;
  return [
    {
      ...commonOf(status),
      ComparisonOperator: comparison,
      Threshold: threshold,
      EvaluationPeriods: evaluationPeriods,
      DatapointsToAlarm: datapointsToAlarm,
      TreatMissingData: missingData,
      ...(metric === undefined || query === undefined ? { Metrics: definition.queries } : singleOf(query)),
    },
  ];
}

function singleOf({ MetricStat }: MetricQuery): object {
  if (MetricStat === undefined) return {};
  const { Metric, Period, Stat } = MetricStat;
  const statistic = /^p[\d.]+$/i.test(Stat) ? { ExtendedStatistic: Stat } : { Statistic: Stat };
  return { ...Metric, Period, ...statistic };
}

const compositeAlarmOf = (status: AlarmStatus): readonly object[] =>
  status.definition.kind === "composite" ? [{ ...commonOf(status), AlarmRule: status.definition.rule }] : [];
