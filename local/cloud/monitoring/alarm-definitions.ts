import type { MissingData } from "./alarm-state.ts";
import type { MetricQuery } from "./metric-query.ts";

export type Comparison =
  | "GreaterThanOrEqualToThreshold"
  | "GreaterThanThreshold"
  | "LessThanThreshold"
  | "LessThanOrEqualToThreshold";

interface Common {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  readonly description: string | undefined;
  /** ARNs of the topics to notify, by the state that the alarm enters. */
  readonly actions: {
    readonly ALARM: readonly string[];
    readonly OK: readonly string[];
    readonly INSUFFICIENT_DATA: readonly string[];
  };
}

export interface MetricAlarm extends Common {
  readonly kind: "metric";
  /** Exactly one query returns data: the series that the alarm watches. */
  readonly queries: readonly MetricQuery[];
  /** The template's metric, if the alarm uses one directly instead of metric math. */
  readonly metric: { readonly namespace: string; readonly name: string } | undefined;
  readonly periodMs: number;
  readonly comparison: Comparison;
  readonly threshold: number;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
  readonly missingData: MissingData;
}

export interface CompositeAlarm extends Common {
  readonly kind: "composite";
  /** `ALARM("name or ARN") OR …` */
  readonly rule: string;
}

export type AlarmDefinition = MetricAlarm | CompositeAlarm;

export interface Topic {
  readonly logicalId: string;
  readonly arn: string;
  /** Subscribers: "email:ops@example.com". */
  readonly subscribers: readonly string[];
}

export interface Dashboard {
  readonly logicalId: string;
  readonly name: string;
  /** The parsed DashboardBody. */
  readonly body: unknown;
}
