import {
  constantSeries,
  mapSeries,
  readSeries,
  refuse,
  timesOf,
  type MathScope,
  type MathValue,
  type Series,
} from "./math-values.ts";
import { labelOf, searchMetrics } from "./search-expression.ts";

type MathFunction = (args: readonly MathValue[], scope: MathScope) => MathValue;

const add = (left: number, right: number): number => left + right;
const round =
  (change: (value: number) => number): MathFunction =>
  ([value]) =>
    each(value, (series) => mapSeries(series, change));

/**
 * The supported functions of metric math, by name.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html#metric-math-syntax-functions-list
 */
export const mathFunctions: Readonly<Record<string, MathFunction>> = {
  ABS: round(Math.abs),
  CEIL: round(Math.ceil),
  FLOOR: round(Math.floor),
  SUM: reduce((values) => values.reduce(add, 0)),
  AVG: reduce((values) => values.reduce(add, 0) / values.length),
  MAX: reduce((values) => Math.max(...values)),
  MIN: reduce((values) => Math.min(...values)),
  METRIC_COUNT: ([value]) => ({ kind: "scalar", value: listOf(value).length }),
  METRICS: ([filter], { metrics }) => {
    const part = filter === undefined ? "" : textOf(filter);
    const found = [...metrics()].filter(([id]) => id.includes(part));
    return { kind: "array", series: found.map(([, series]) => series) };
  },
  REMOVE_EMPTY: ([value]) => ({
    kind: "array",
    series: listOf(value).filter(({ points }) => points.size > 0),
  }),
  TIME_SERIES: ([value], scope) => ({ kind: "series", series: constantSeries(scalarOf(value), scope) }),
  RUNNING_SUM: ([value]) =>
    each(value, (series) => {
      let total = 0;
      return mapSeries(inOrder(series), (one) => (total += one));
    }),
  DIFF: ([value]) => each(value, (series) => differences(series, (by) => by)),
  RATE: ([value]) => each(value, (series) => differences(series, (by, ms) => by / (ms / 1_000))),
  PERIOD: ([value]) => ({ kind: "scalar", value: seriesOf(value).periodMs / 1_000 }),
  FILL: ([value, filler], { range }) => {
    const repeat = filler?.kind === "text" && filler.text === "REPEAT";
    const constant = repeat ? undefined : scalarOf(filler);
    return each(value, (series) => fill(series, timesOf(range, series.periodMs), constant));
  },
  IF: ([condition, whenTrue, whenFalse]) => {
    const chosen = (holds: boolean): MathValue | undefined => (holds ? whenTrue : whenFalse);
    if (condition?.kind === "scalar") return chosen(condition.value !== 0) ?? { kind: "array", series: [] };
    return each(condition, (series) =>
      mapSeries(series, (value, atMs) => valueAt(chosen(value !== 0), atMs)),
    );
  },
  SEARCH: ([query, statistic, period], scope) => {
    const periodMs = period === undefined ? scope.periodMs : scalarOf(period) * 1_000;
    const found = searchMetrics(textOf(query), scope.store.metrics());
    const read = { statistic: textOf(statistic), periodMs };
    const series = found.map((metric) =>
      readSeries(scope.store, scope.range, { ...read, metric, label: labelOf(metric, found) }),
    );
    // A metric without data in the range is not found.
    return { kind: "array", series: series.filter(({ points }) => points.size > 0) };
  },
};

/** Reduces several series to one value per period, or a single series to one value. */
function reduce(over: (values: readonly number[]) => number): MathFunction {
  return ([value]) => {
    if (value?.kind === "series") {
      const values = [...value.series.points.values()];
      return { kind: "scalar", value: values.length === 0 ? 0 : over(values) };
    }
    const all = listOf(value);
    const times = [...new Set(all.flatMap(({ points }) => [...points.keys()]))].toSorted((a, b) => a - b);
    const points = times.map((atMs) => {
      const values = all.flatMap(({ points: of }) => of.get(atMs) ?? []);
      return [atMs, over(values)] as const;
    });
    const periodMs = all[0]?.periodMs ?? 60_000;
    return { kind: "series", series: { label: "", periodMs, points: new Map(points) } };
  };
}

function each(value: MathValue | undefined, change: (series: Series) => Series): MathValue {
  if (value?.kind === "array") return { kind: "array", series: value.series.map(change) };
  return { kind: "series", series: change(seriesOf(value)) };
}

const inOrder = (series: Series): Series => ({
  ...series,
  points: new Map([...series.points].toSorted(([left], [right]) => left - right)),
});

/** Fills gaps with `constant`, or with the last value if it is undefined. */
function fill(series: Series, times: readonly number[], constant: number | undefined): Series {
  let last: number | undefined;
  const points = times.flatMap((atMs) => {
    last = series.points.get(atMs) ?? constant ?? last;
    return last === undefined ? [] : [[atMs, last] as const];
  });
  return { ...series, points: new Map(points) };
}

function differences(series: Series, of: (by: number, ms: number) => number): Series {
  let before: readonly [number, number] | undefined;
  return mapSeries(inOrder(series), (value, atMs) => {
    const [beforeMs, former] = before ?? [];
    before = [atMs, value];
    return beforeMs === undefined || former === undefined ? undefined : of(value - former, atMs - beforeMs);
  });
}

function valueAt(value: MathValue | undefined, atMs: number): number | undefined {
  if (value?.kind === "series") return value.series.points.get(atMs);
  return scalarOf(value);
}

function scalarOf(value: MathValue | undefined): number {
  if (value?.kind === "scalar") return value.value;
  throw refuse(`a number was expected, not ${value?.kind ?? "nothing"}`);
}

function textOf(value: MathValue | undefined): string {
  if (value?.kind === "text") return value.text;
  throw refuse(`a text was expected, not ${value?.kind ?? "nothing"}`);
}

function seriesOf(value: MathValue | undefined): Series {
  if (value?.kind === "series") return value.series;
  throw refuse(`a time series was expected, not ${value?.kind ?? "nothing"}`);
}

function listOf(value: MathValue | undefined): readonly Series[] {
  return value?.kind === "array" ? value.series : [seriesOf(value)];
}
