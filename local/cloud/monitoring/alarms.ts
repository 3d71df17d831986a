import { TemplateError } from "../errors.ts";
import type { Emit } from "../events.ts";
import type { Stack } from "../resources.ts";
import type { AlarmDefinition, Comparison, MetricAlarm } from "./alarm-definitions.ts";
import { decide, evaluationRange, type AlarmState, type Decision } from "./alarm-state.ts";
import { ruleHolds } from "./composite-rule.ts";
import { queryMetrics } from "./metric-data.ts";
import type { MetricStore } from "./metric-store.ts";
import { createNotifications, type Notification } from "./notifications.ts";

export interface AlarmStatus {
  readonly definition: AlarmDefinition;
  readonly state: AlarmState;
  readonly reason: string;
  /** When the alarm entered its state. */
  readonly sinceMs: number;
  /** The last evaluated values, oldest first; undefined for a missing one. Empty for a composite alarm. */
  readonly values: readonly (number | undefined)[];
}

export interface Alarms {
  /** Evaluates every alarm as CloudWatch would at `nowMs`, over whole minutes that have ended. */
  evaluate(nowMs: number): void;
  states(): readonly AlarmStatus[];
  notifications(): readonly Notification[];
}

const minuteMs = 60_000;

const breaches: Readonly<Record<Comparison, (value: number, threshold: number) => boolean>> = {
  GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
  GreaterThanThreshold: (value, threshold) => value > threshold,
  LessThanThreshold: (value, threshold) => value < threshold,
  LessThanOrEqualToThreshold: (value, threshold) => value <= threshold,
};

/**
 * The template's alarms. They start in INSUFFICIENT_DATA and act when their state changes.
 * @throws TemplateError for an unsupported alarm
 */
export function createAlarms(
  { alarms: definitions, topics }: Pick<Stack, "alarms" | "topics">,
  { store, emit }: { readonly store: MetricStore; readonly emit: Emit },
  { region, startedMs }: { readonly region: string; readonly startedMs: number },
): Alarms {
  const notifications = createNotifications(topics, region);
  const first = { state: "INSUFFICIENT_DATA", reason: "Unchecked: Initial alarm creation" } as const;
  const statuses = new Map<string, AlarmStatus>(
    definitions.map((definition) => [
      definition.logicalId,
      { definition, ...first, sinceMs: startedMs, values: [] },
    ]),
  );

  function enter(before: AlarmStatus, found: Found, nowMs: number): void {
    const { definition } = before;
    if (found.state === before.state) {
      statuses.set(definition.logicalId, { ...before, ...found });
      return;
    }
    const after: AlarmStatus = { definition, ...found, sinceMs: nowMs };
    statuses.set(definition.logicalId, after);
    const { logicalId: alarm, name } = definition;
    emit({ kind: "alarm", alarm, name, state: after.state, before: before.state, reason: after.reason });
    notifications.publish(before, after);
  }

  const stateOf = (id: string): AlarmState | undefined =>
    [...statuses.values()].find(({ definition: { name, arn } }) => name === id || arn === id)?.state;

  for (const { definition } of statuses.values()) check(definition, { store, nowMs: startedMs, stateOf });
  return {
    evaluate(nowMs) {
      const all = [...statuses.values()];
      for (const status of all) {
        const { definition } = status;
        if (definition.kind === "metric") {
          enter(status, findMetric(definition, { store, nowMs, present: status.state }), nowMs);
        }
      }
      // A composite alarm may watch composite alarms, and each pass propagates a change by one step.
      const composites = definitions.filter(({ kind }) => kind === "composite");
      for (const _ of composites) {
        for (const { logicalId } of composites) {
          const status = statuses.get(logicalId);
          if (status?.definition.kind !== "composite") continue;
          enter(status, findComposite(status.definition.rule, stateOf), nowMs);
        }
      }
    },
    states: () => [...statuses.values()],
    notifications: () => notifications.all(),
  };
}

interface Probe {
  readonly store: MetricStore;
  readonly nowMs: number;
  readonly stateOf: (id: string) => AlarmState | undefined;
}

/** Evaluates each alarm once at the start, so that an unsupported one is reported then and not later. */
function check(definition: AlarmDefinition, { store, nowMs, stateOf }: Probe): void {
  try {
    if (definition.kind === "metric") findMetric(definition, { store, nowMs, present: "INSUFFICIENT_DATA" });
    else findComposite(definition.rule, stateOf);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TemplateError(`${definition.logicalId}: ${reason}`, { cause: error });
  }
}

type Found = Pick<AlarmStatus, "state" | "reason" | "values">;

interface Moment {
  readonly store: MetricStore;
  readonly nowMs: number;
  readonly present: AlarmState;
}

function findMetric(alarm: MetricAlarm, { store, nowMs, present }: Moment): Found {
  const { periodMs, threshold, comparison } = alarm;
  // The window moves by one minute each time, whatever the period is.
  const endMs = Math.floor(nowMs / minuteMs) * minuteMs;
  const count = evaluationRange(alarm);
  const startMs = endMs - count * periodMs;
  const [series] = queryMetrics(store, alarm.queries, { startMs, endMs, sliding: true });
  const byTime = new Map(series?.points.map(({ atMs, value }) => [atMs, value]));
  const values = Array.from({ length: count }, (_, index) => byTime.get(startMs + index * periodMs));
  const slots = values.map((value) =>
    value === undefined ? undefined : breaches[comparison](value, threshold),
  );
  const decision = decide(rulesOf(alarm), slots, present);
  return { state: decision.state, reason: reasonOf(alarm, decision, values), values };
}

/**
 * Alarms on DynamoDB's own metrics always ignore missing data, whatever their setting (PutMetricAlarm,
 * TreatMissingData).
 */
const rulesOf = (alarm: MetricAlarm): MetricAlarm =>
  alarm.metric?.namespace === "AWS/DynamoDB" ? { ...alarm, missingData: "ignore" } : alarm;

function findComposite(rule: string, stateOf: (id: string) => AlarmState | undefined): Found {
  const state = ruleHolds(rule, stateOf) ? "ALARM" : "OK";
  return { state, reason: `${rule} is ${state === "ALARM" ? "true" : "false"}`, values: [] };
}

const words: Readonly<Record<Comparison, string>> = {
  GreaterThanOrEqualToThreshold: "greater than or equal to",
  GreaterThanThreshold: "greater than",
  LessThanThreshold: "less than",
  LessThanOrEqualToThreshold: "less than or equal to",
};

/** In CloudWatch's format: "Threshold Crossed: 1 of the last 5 values (0) was less than 1 …". */
function reasonOf(alarm: MetricAlarm, decision: Decision, values: readonly (number | undefined)[]): string {
  const { comparison, threshold, missingData, datapointsToAlarm, evaluationPeriods } = alarm;
  const rule = `${words[comparison]} the threshold (${threshold})`;
  if (decision.evaluated === 0) {
    return `No data in the last ${values.length} periods; missing data is treated as ${missingData}.`;
  }
  const shown = values.filter((value) => value !== undefined).slice(-evaluationPeriods);
  const list = shown.map((value) => Number(value.toFixed(4))).join(", ");
  return `${decision.breaching} of the last ${decision.evaluated} values [${list}] were ${rule}; ${datapointsToAlarm} out of ${evaluationPeriods} make an alarm, missing data is treated as ${missingData}.`;
}
