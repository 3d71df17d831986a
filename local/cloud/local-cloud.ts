import type { Clock } from "../../lib/core/clock.ts";
import type { CloudEvent } from "./events.ts";
import type { Faults } from "./faults.ts";
import type { EnvironmentInfo } from "./lambda.ts";
import type { InvocationType, InvokeResult } from "./lambda-service.ts";
import type { InsightsResult } from "./logs/insights.ts";
import type { LogQuery } from "./logs/log-queries.ts";
import type { Dashboard } from "./monitoring/alarm-definitions.ts";
import type { AlarmStatus } from "./monitoring/alarms.ts";
import type { MetricRange } from "./monitoring/math-values.ts";
import type { MetricDataResult } from "./monitoring/metric-data.ts";
import type { MetricQueryInput } from "./monitoring/metric-query.ts";
import type { MetricId } from "./monitoring/metric-store.ts";
import type { Notification } from "./monitoring/notifications.ts";
import type { MessageQueue } from "./queues.ts";
import type { Credentials } from "./signature.ts";

export interface CloudOptions {
  /** `cdk.out/<stack>.template.json`, its assets beside it. */
  readonly templateFile: string;
  readonly clock: Clock;
  /** Secret values by logical id, name or ARN; `*` stands for any letters: `{ "*ModelKey*": "sk-…" }`. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Variables over the template's, for every function. */
  readonly variables?: Readonly<Record<string, string>>;
  /** More of them for one process, by the name that its "invoke" events have. */
  readonly variablesOf?: (environment: string) => Readonly<Record<string, string>>;
  /** Tables are kept here; in memory without it. */
  readonly dataDir?: string;
  readonly region?: string;
  readonly onEvent?: (event: CloudEvent) => void;
  /** "off": schedules fire through `tick` only. Default "on". */
  readonly schedules?: "on" | "off";
  /** In place of every schedule's own interval. */
  readonly scheduleIntervalMs?: number;
  /** Before the first tick. Default 0. */
  readonly firstTickMs?: number;
  /** Waits before an async event's second and third attempt. Default 1 s and 2 s, where Lambda takes minutes. */
  readonly retryDelaysMs?: readonly number[];
  /** Invocations at one time in the whole account. Default 100; new AWS accounts have 10. */
  readonly accountConcurrency?: number;
  /** An unused process is ended after this. Default 5 minutes. */
  readonly reapAfterMs?: number;
}

export interface FunctionInfo {
  readonly logicalId: string;
  readonly name: string;
  readonly label: string;
  readonly title: string;
  readonly inFlight: number;
  /** Async events that wait. */
  readonly queued: number;
  readonly environments: readonly EnvironmentInfo[];
}

export interface LocalCloud {
  readonly stackName: string;
  readonly region: string;
  /** Where every service answers: an AWS SDK's `AWS_ENDPOINT_URL`. */
  readonly endpointUrl: string;
  /** With which every request there must be signed. */
  readonly credentials: Credentials;
  /** Point any AWS SDK at this cloud: where it is, and its credentials. */
  readonly env: Readonly<Record<string, string>>;
  readonly faults: Faults;
  /** `functionName`: logical id, name or ARN. `payload` is sent as JSON. Rejects with a ServiceError in Lambda's words. */
  invoke(
    functionName: string,
    payload: unknown,
    options: { readonly type: InvocationType },
  ): Promise<InvokeResult>;
  /** Fires one schedule, or all enabled ones, at once; gives the request ids. */
  tick(scheduleId?: string): Promise<readonly string[]>;
  functions(): readonly FunctionInfo[];
  /** A table's name by its logical id. */
  tableName(logicalId: string): string;
  queue(logicalId: string): MessageQueue;
  putSecret(id: string, value: string): void;
  /** Makes the secret as it is before anybody has given it a value. */
  clearSecret(id: string): void;
  getSecret(id: string): string;
  alarms(): readonly AlarmStatus[];
  /** Evaluates the alarms as CloudWatch would at that time; without one, now. By themselves they are each minute. */
  evaluateAlarms(atMs?: number): void;
  /** What the template's topics were given, oldest first. */
  notifications(): readonly Notification[];
  dashboards(): readonly Dashboard[];
  /** Every metric that has been emitted. */
  metrics(): readonly MetricId[];
  /** CloudWatch's GetMetricData. @throws ServiceError for what is not understood here */
  metricData(queries: readonly MetricQueryInput[], range: MetricRange): readonly MetricDataResult[];
  /** A Logs Insights query. @throws ServiceError for what is not understood here */
  logQuery(query: LogQuery): InsightsResult;
  /** Of the stack. */
  outputs(): Readonly<Record<string, string>>;
  /** Resolves once no event waits and nothing runs. */
  idle(): Promise<void>;
  /**
   * Takes no more work and sends SIGTERM to what schedules started; what runs besides has `graceMs` to end, then gets
   * SIGTERM too and a second more. No process is left.
   */
  stop(options: { readonly graceMs: number }): Promise<void>;
}
