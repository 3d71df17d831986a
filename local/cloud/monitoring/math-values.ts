import { ServiceError } from "../errors.ts";
import { aggregate, statisticOf } from "./statistics.ts";
import type { MetricId, MetricStore } from "./metric-store.ts";

/** A time series: its values by the time at which each period begins. */
export interface Series {
  readonly label: string;
  /** Whose values they are, where they are of one metric as it is. */
  readonly metric?: MetricId;
  readonly periodMs: number;
  readonly points: ReadonlyMap<number, number>;
}

/** What an expression of metric math is: a number, a time series, a list of them, or a text. */
export type MathValue =
  | { readonly kind: "scalar"; readonly value: number }
  | { readonly kind: "series"; readonly series: Series }
  | { readonly kind: "array"; readonly series: readonly Series[] }
  | { readonly kind: "text"; readonly text: string };

export interface MetricRange {
  readonly startMs: number;
  readonly endMs: number;
  /** Periods begin at `startMs` itself, as an alarm's do, and not at whole multiples of the period. */
  readonly sliding?: boolean;
}

/** What an expression may refer to. */
export interface MathScope {
  readonly range: MetricRange;
  readonly store: MetricStore;
  /** Of the expression, where nothing in it has one. */
  readonly periodMs: number;
  /** Another query's value by its id. */
  readonly valueOf: (id: string) => MathValue;
  /** The values of the queries that ask for a metric, by id. */
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

/** The range from its first period's begin. */
export function alignedTo({ startMs, endMs, sliding = false }: MetricRange, periodMs: number): MetricRange {
  return { startMs: sliding ? startMs : Math.floor(startMs / periodMs) * periodMs, endMs };
}

/** The times at which the range's periods begin. */
export function timesOf(range: MetricRange, periodMs: number): readonly number[] {
  const { startMs, endMs } = alignedTo(range, periodMs);
  const count = Math.max(0, Math.ceil((endMs - startMs) / periodMs));
  return Array.from({ length: count }, (_, index) => startMs + index * periodMs);
}

/** The series with each value changed; a value that is no number any more (a division by zero) is dropped. */
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

/** The same value in every period. */
export function constantSeries(value: number, { range, periodMs }: MathScope): Series {
  return {
    label: String(value),
    periodMs,
    points: new Map(timesOf(range, periodMs).map((atMs) => [atMs, value])),
  };
}
