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
  /** ARNs of the topics that are told, by the state that is entered. */
  readonly actions: {
    readonly ALARM: readonly string[];
    readonly OK: readonly string[];
    readonly INSUFFICIENT_DATA: readonly string[];
  };
}

export interface MetricAlarm extends Common {
  readonly kind: "metric";
  /** Exactly one of them returns data: the series that is watched. */
  readonly queries: readonly MetricQuery[];
  /** As the template wrote it, where it is not metric math. */
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
  /** Who is subscribed: "email:ops@example.com". */
  readonly subscribers: readonly string[];
}

export interface Dashboard {
  readonly logicalId: string;
  readonly name: string;
  /** The parsed DashboardBody. */
  readonly body: unknown;
}
