import { ServiceError } from "../errors.ts";
import {
  constantSeries,
  readSeries,
  timesOf,
  type MathScope,
  type MathValue,
  type MetricRange,
  type Series,
} from "./math-values.ts";
import { evaluateMath } from "./metric-math.ts";
import type { MetricQuery } from "./metric-query.ts";
import type { MetricStore } from "./metric-store.ts";

export interface Point {
  /** The start of the period. */
  readonly atMs: number;
  readonly value: number;
}

/** One time series of the result. A SEARCH returns several with the same id. */
export interface MetricDataResult {
  readonly id: string;
  readonly label: string;
  readonly periodMs: number;
  /** Oldest first. A period without data has no point. */
  readonly points: readonly Point[];
}

const defaultPeriodMs = 60_000;

/**
 * CloudWatch's GetMetricData over the local metrics. Returns the series of every query that returns data.
 * @throws ServiceError `ValidationError` for a query that is invalid or unsupported
 */
export function queryMetrics(
  store: MetricStore,
  queries: readonly MetricQuery[],
  range: MetricRange,
): readonly MetricDataResult[] {
  const evaluation = createEvaluation(store, queries, range);
  return queries
    .filter(({ ReturnData }) => ReturnData)
    .flatMap((query) => {
      const scope = evaluation.scopeOf(query);
      const all = seriesOf(evaluation.valueOf(query.Id), scope);
      return all.map((series) => resultOf(query, series, { scope, alone: all.length === 1 }));
    });
}

function createEvaluation(store: MetricStore, queries: readonly MetricQuery[], range: MetricRange) {
  const known = new Map<string, MathValue>();
  const open = new Set<string>();
  const scopeOf = (query: MetricQuery): MathScope => ({
    range,
    store,
    periodMs: periodMsOf(query, queries),
    valueOf,
    metrics: () =>
      new Map(
        queries.filter(isMetric).flatMap(({ Id }) => {
          const value = valueOf(Id);
          return value.kind === "series" ? [[Id, value.series] as const] : [];
        }),
      ),
  });
  function valueOf(id: string): MathValue {
    const query = queries.find(({ Id }) => Id === id);
    if (query === undefined) throw new ServiceError("ValidationError", `No query has the id ${id}.`);
    if (open.has(id)) throw new ServiceError("ValidationError", `The query ${id} refers to itself.`);
    open.add(id);
    const value = known.get(id) ?? compute(query, scopeOf(query));
    open.delete(id);
    known.set(id, value);
    return value;
  }
  return { valueOf, scopeOf };
}

const isMetric = ({ MetricStat }: MetricQuery): boolean => MetricStat !== undefined;

/** An expression's own period, or that of the metrics in the same request. */
function periodMsOf(query: MetricQuery, queries: readonly MetricQuery[]): number {
  const seconds = query.MetricStat?.Period ?? query.Period ?? queries.find(isMetric)?.MetricStat?.Period;
  return seconds === undefined ? defaultPeriodMs : seconds * 1_000;
}

function compute({ Id, MetricStat, Expression, Label }: MetricQuery, scope: MathScope): MathValue {
  if (Expression !== undefined && MetricStat === undefined) return evaluateMath(Expression, scope);
  if (MetricStat === undefined || Expression !== undefined) {
    throw new ServiceError(
      "ValidationError",
      `The query ${Id} needs a MetricStat or an Expression, and not both.`,
    );
  }
  const { Metric, Period, Stat } = MetricStat;
  const dimensions = Object.fromEntries(Metric.Dimensions.map(({ Name, Value }) => [Name, Value]));
  const metric = { namespace: Metric.Namespace, name: Metric.MetricName, dimensions };
  const wanted = { metric, statistic: Stat, periodMs: Period * 1_000, label: Label ?? Metric.MetricName };
  return { kind: "series", series: readSeries(scope.store, scope.range, wanted) };
}

function seriesOf(value: MathValue, scope: MathScope): readonly Series[] {
  if (value.kind === "scalar") return [constantSeries(value.value, scope)];
  if (value.kind === "series") return [value.series];
  if (value.kind === "array") return value.series;
  throw new ServiceError("ValidationError", "The expression is a text, not data.");
}

function resultOf(
  { Id, Label }: MetricQuery,
  series: Series,
  { scope, alone }: { readonly scope: MathScope; readonly alone: boolean },
): MetricDataResult {
  const { periodMs, points } = series;
  const inRange = timesOf(scope.range, periodMs).flatMap((atMs) => {
    const value = points.get(atMs);
    return value === undefined ? [] : [{ atMs, value }];
  });
  const own = series.label === "" ? Id : series.label;
  const isDynamic = Label?.includes("${") === true;
  const label = isDynamic ? dynamicLabel(Label, series) : alone ? (Label ?? own) : own;
  return { id: Id, label, periodMs, points: inRange };
}

/** Replaces `${PROP('Dim.reason')}`, `${PROP('MetricName')}` and `${LABEL}`; leaves others as they are. */
function dynamicLabel(label: string, { metric, label: own }: Series): string {
  return label
    .replaceAll("${LABEL}", own)
    .replaceAll("${PROP('MetricName')}", metric?.name ?? own)
    .replaceAll(/\$\{PROP\('Dim\.([^']+)'\)\}/g, (whole, name: string) => metric?.dimensions[name] ?? whole);
}
