import {
  AlarmStatusWidget,
  Color,
  GraphWidget,
  LogQueryVisualizationType,
  LogQueryWidget,
  SingleValueWidget,
  TextWidget,
  type IAlarmRef,
  type IMetric,
  type IWidget,
} from "aws-cdk-lib/aws-cloudwatch";
import type { Watched } from "./metric.ts";
import { logGroupsOf, queryText, type QueryRow } from "./queries.ts";

/** Text that every widget has. */
interface Words {
  readonly title: string;
  /** What the widget shows while all is well. */
  readonly good: string;
}

/** A part of the dashboard: a heading and rows of widgets. A row is at most 24 columns wide. */
export interface Section {
  readonly title: string;
  readonly rows: readonly (readonly IWidget[])[];
}

/** Width in columns, of 24. */
type Width = 6 | 8 | 12 | 24;

const heading = ({ title, good }: Words): string => `${title} · good: ${good}`;

/** CloudWatch's grid has 24 columns. */
const fullWidth = 24;
const graphHeight = 6;

export const text = (markdown: string, height = 1): IWidget =>
  new TextWidget({ markdown, width: fullWidth, height });

/** Each metric as one number over the dashboard's time range. */
export function numbers(words: Words, metrics: readonly IMetric[]): IWidget {
  return new SingleValueWidget({
    title: heading(words),
    metrics: [...metrics],
    setPeriodToTimeRange: true,
    width: fullWidth,
    height: 4,
  });
}

export interface Graph extends Words {
  readonly width: Width;
  readonly metrics: readonly IMetric[];
  readonly unit: string;
  /** A horizontal line that the values should stay below or above. */
  readonly limit?: { readonly value: number; readonly label: string };
  /** For counts, whose sum says something. CloudWatch has no stacked bars over time, so it draws areas; `npm start` draws bars. */
  readonly stacked?: boolean;
}

export function graph({ width, metrics, unit, limit, stacked = false, ...words }: Graph): IWidget {
  return new GraphWidget({
    title: heading(words),
    left: [...metrics],
    leftYAxis: { min: 0, label: unit, showUnits: false },
    leftAnnotations: limit === undefined ? [] : [{ ...limit, color: Color.RED }],
    stacked,
    width,
    height: graphHeight,
  });
}

/** Counts a minute, stacked. */
export const counts = (of: Omit<Graph, "stacked" | "limit">): IWidget => graph({ ...of, stacked: true });

export function alarmStates(words: Words, alarms: readonly IAlarmRef[]): IWidget {
  return new AlarmStatusWidget({
    title: heading(words),
    alarms: [...alarms],
    width: fullWidth,
    height: 4,
  });
}

export function table(
  query: QueryRow,
  { width, good, watched }: { readonly width: Width; readonly good: string; readonly watched: Watched },
): IWidget {
  return new LogQueryWidget({
    title: heading({ title: query.title, good }),
    logGroupNames: logGroupsOf(query, watched),
    queryString: queryText(query),
    view: LogQueryVisualizationType.TABLE,
    width,
    height: graphHeight,
  });
}
