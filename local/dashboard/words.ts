import { metricTable, type MetricRow as MetricDefinition } from "../../lib/core/metrics.ts";
import type { SeriesQuery } from "./source.ts";

/** Texts of the dashboard about metrics: units, and what a widget without data will show. */

const units: Readonly<Record<MetricDefinition["unit"], string>> = {
  Count: "",
  Seconds: "s",
  Percent: "%",
  None: "",
};

/** Metrics of AWS services that are not plain counts. */
const serviceUnits: Readonly<Record<string, string>> = { Duration: "ms" };

/** The unit of a query's values. A count of samples has none. */
export function unitOf(query: SeriesQuery): string {
  const isCount = "metric" in query.what && query.what.metric.stat === "SampleCount";
  const [name] = namesIn(query);
  if (name === undefined || isCount) return "";
  if (name.endsWith("Usd")) return "$";
  const own = definitionOf(name);
  return own === undefined ? (serviceUnits[name] ?? "") : units[own.unit];
}

const serviceMeanings: Readonly<Record<string, string>> = {
  Invocations: "Invocations of the functions.",
  Errors: "Invocations that ended in an error.",
  Throttles: "Invocations that Lambda refused because no concurrency was left.",
  Duration: "How long the invocations took.",
  ConcurrentExecutions: "Simultaneous invocations.",
  ApproximateNumberOfMessagesVisible: "Messages that wait in the queue.",
};

const moments: Readonly<Record<MetricDefinition["emitter"][number], string>> = {
  dispatcher: "at the end of a dispatch cycle",
  processor: "while jobs are worked on",
  recovery: "when an attempt failed",
};

const mostMeanings = 3;

/** "Nothing in the last 15 minutes. Counted while jobs are worked on: heartbeats that Studio accepted." */
export function emptySentence(queries: readonly SeriesQuery[], rangeText: string): string {
  const names = [...new Set(queries.flatMap(namesIn))];
  const known = names.flatMap((name) => meaningOf(name) ?? []);
  if (known.length === 0) return `Nothing in the last ${rangeText}.`;
  const moment = momentOf(names);
  const what = known.slice(0, mostMeanings).join(" ");
  return `Nothing in the last ${rangeText}. ${moment === undefined ? "Shows" : `Counted ${moment}`}: ${what}`;
}

/** When the metric is emitted; of several emitters, the usual one. */
function momentOf(names: readonly string[]): string | undefined {
  const emitters = new Set(names.flatMap((name) => definitionOf(name)?.emitter ?? []));
  const usual = (["processor", "recovery", "dispatcher"] as const).find((emitter) => emitters.has(emitter));
  return usual === undefined ? undefined : moments[usual];
}

const meaningOf = (name: string): string | undefined => definitionOf(name)?.meaning ?? serviceMeanings[name];

const definitions: ReadonlyMap<string, MetricDefinition> = new Map(Object.entries(metricTable));
const definitionOf = (name: string): MetricDefinition | undefined => definitions.get(name);

/** The metrics that a query reads by name. An expression over other rows names none. */
function namesIn({ what }: SeriesQuery): readonly string[] {
  if ("metric" in what) return [what.metric.name];
  return [...what.expression.matchAll(/MetricName\s*=\s*\\?"?'?(\w+)/g)].flatMap(([, name]) => name ?? []);
}
