import { ServiceError } from "../errors.ts";
import { aggregate, statisticOf } from "./statistics.ts";
import type { MetricId, MetricStore } from "./metric-store.ts";

/** A time series: values by the start of each period. */
export interface Series {
  readonly label: string;
  /** The metric whose values these are, unless they were computed. */
  readonly metric?: MetricId;
  readonly periodMs: number;
  readonly points: ReadonlyMap<number, number>;
}

/** The value of a metric math expression: a number, a time series, a list of series, or a text. */
export type MathValue =
  | { readonly kind: "scalar"; readonly value: number }
  | { readonly kind: "series"; readonly series: Series }
  | { readonly kind: "array"; readonly series: readonly Series[] }
  | { readonly kind: "text"; readonly text: string };

export interface MetricRange {
  readonly startMs: number;
  readonly endMs: number;
  /** Periods start at `startMs` itself, as those of alarms do, instead of at multiples of the period. */
  readonly sliding?: boolean;
}

/** What an expression can refer to. */
export interface MathScope {
  readonly range: MetricRange;
  readonly store: MetricStore;
  /** The expression's period, if nothing in it has one. */
  readonly periodMs: number;
  /** Returns another query's value by id. */
  readonly valueOf: (id: string) => MathValue;
  /** The values of the queries for metrics, by id. */
  readonly metrics: () => ReadonlyMap<string, Series>;
}

export const refuse = (problem: string): ServiceError =>
  new ServiceError("ValidationError", `Metric math is not understood locally: ${problem}`);

export interface Wanted {
  readonly metric: MetricId;
  readonly statistic: string;
  readonly periodMs: number;
  readonly label: string;
}

/** One metric's values in the range. */
export function readSeries(store: MetricStore, range: MetricRange, wanted: Wanted): Series {
  const { metric, statistic, periodMs, label } = wanted;
  const periods = { ...alignedTo(range, periodMs), periodMs };
  const points = aggregate(store.samples(metric, periods), periods, statisticOf(statistic));
  return { label, metric, periodMs, points };
}

/** The range, extended to the start of its first period. */
export function alignedTo({ startMs, endMs, sliding = false }: MetricRange, periodMs: number): MetricRange {
  return { startMs: sliding ? startMs : Math.floor(startMs / periodMs) * periodMs, endMs };
}

/** The starts of the range's periods. */
export function timesOf(range: MetricRange, periodMs: number): readonly number[] {
  const { startMs, endMs } = alignedTo(range, periodMs);
  const count = Math.max(0, Math.ceil((endMs - startMs) / periodMs));
  return Array.from({ length: count }, (_, index) => startMs + index * periodMs);
}

/** Changes every value of the series. Drops results that are not finite, such as a division by zero. */
export function mapSeries(
  series: Series,
  change: (value: number, atMs: number) => number | undefined,
): Series {
  const points = [...series.points].flatMap(([atMs, value]) => {
    const changed = change(value, atMs);
    return changed === undefined || !Number.isFinite(changed) ? [] : [[atMs, changed] as const];
  });
  return { ...series, points: new Map(points) };
}

/** A series with the same value in every period. */
export function constantSeries(value: number, { range, periodMs }: MathScope): Series {
  return {
    label: String(value),
    periodMs,
    points: new Map(timesOf(range, periodMs).map((atMs) => [atMs, value])),
  };
}
