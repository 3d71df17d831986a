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
  /** `cdk.out/<stack>.template.json`, with its assets next to it. */
  readonly templateFile: string;
  readonly clock: Clock;
  /** Secret values by logical id, name or ARN. `*` matches any characters: `{ "*ModelKey*": "sk-…" }`. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Variables for every function; they override the template's. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Additional variables for one process, by the name in its "invoke" events. */
  readonly variablesOf?: (environment: string) => Readonly<Record<string, string>>;
  /** Where tables and log lines are kept. Absent: in memory. */
  readonly dataDir?: string;
  readonly region?: string;
  readonly onEvent?: (event: CloudEvent) => void;
  /** "off": schedules fire only through `tick`. Default: "on". */
  readonly schedules?: "on" | "off";
  /** Replaces every schedule's interval. */
  readonly scheduleIntervalMs?: number;
  /** Delay before the first tick. Default: 0. */
  readonly firstTickMs?: number;
  /**
   * Delays before the second and third attempt of an asynchronous event. Default: 1 s and 2 s; Lambda waits
   * minutes.
   */
  readonly retryDelaysMs?: readonly number[];
  /** Simultaneous invocations in the account. Default: 100; new AWS accounts have 10. */
  readonly accountConcurrency?: number;
  /** An idle process is ended after this time. Default: 5 minutes. */
  readonly reapAfterMs?: number;
}

export interface FunctionInfo {
  readonly logicalId: string;
  readonly name: string;
  readonly label: string;
  readonly title: string;
  readonly inFlight: number;
  /** The number of waiting asynchronous events. */
  readonly queued: number;
  readonly environments: readonly EnvironmentInfo[];
}

export interface LocalCloud {
  readonly stackName: string;
  readonly region: string;
  /** The address of every service, for the AWS SDK's `AWS_ENDPOINT_URL`. */
  readonly endpointUrl: string;
  /** Every request must be signed with these. */
  readonly credentials: Credentials;
  /** Environment variables that point any AWS SDK at this cloud: address and credentials. */
  readonly env: Readonly<Record<string, string>>;
  readonly faults: Faults;
  /**
   * `functionName`: logical id, name or ARN. `payload` is sent as JSON. Rejects with a ServiceError that has
   * Lambda's type and message.
   */
  invoke(
    functionName: string,
    payload: unknown,
    options: { readonly type: InvocationType },
  ): Promise<InvokeResult>;
  /** Fires one schedule, or all enabled ones, at once. Returns the request ids. */
  tick(scheduleId?: string): Promise<readonly string[]>;
  functions(): readonly FunctionInfo[];
  /** A table's name by its logical id. */
  tableName(logicalId: string): string;
  queue(logicalId: string): MessageQueue;
  putSecret(id: string, value: string): void;
  /** Removes the secret's value, as if it had just been created. */
  clearSecret(id: string): void;
  getSecret(id: string): string;
  alarms(): readonly AlarmStatus[];
  /** Evaluates the alarms as of `atMs`, by default now. They are also evaluated every minute. */
  evaluateAlarms(atMs?: number): void;
  /** The messages that the template's topics received, oldest first. */
  notifications(): readonly Notification[];
  dashboards(): readonly Dashboard[];
  /** Every metric that has been emitted. */
  metrics(): readonly MetricId[];
  /** CloudWatch's GetMetricData. @throws ServiceError for unsupported queries */
  metricData(queries: readonly MetricQueryInput[], range: MetricRange): readonly MetricDataResult[];
  /** Runs a Logs Insights query. @throws ServiceError for unsupported queries */
  logQuery(query: LogQuery): InsightsResult;
  /** The stack's outputs. */
  outputs(): Readonly<Record<string, string>>;
  /** Resolves when no event waits and no invocation runs. */
  idle(): Promise<void>;
  /**
   * Accepts no more work and sends SIGTERM to the functions that schedules started. The others have `graceMs`
   * to finish, then get SIGTERM and one more second. Leaves no process behind.
   */
  stop(options: { readonly graceMs: number }): Promise<void>;
}
