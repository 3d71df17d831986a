import { ServiceError } from "../errors.ts";
import type { Sample } from "./metric-store.ts";

/** A statistic over the values of one period, of which there is at least one. */
export type Statistic = (values: readonly number[]) => number;

const sum: Statistic = (values) => values.reduce((total, value) => total + value, 0);

const statistics: Readonly<Record<string, Statistic>> = {
  SampleCount: (values) => values.length,
  Sum: sum,
  Average: (values) => sum(values) / values.length,
  Minimum: (values) => values.reduce((least, value) => Math.min(least, value)),
  Maximum: (values) => values.reduce((most, value) => Math.max(most, value)),
};

/**
 * @param name "Sum", "Average", "Minimum", "Maximum", "SampleCount" or a percentile: "p90", "p99.9"
 * @throws ServiceError `ValidationError`
 */
export function statisticOf(name: string): Statistic {
  const known = Object.entries(statistics).find(([key]) => key.toLowerCase() === name.toLowerCase());
  if (known !== undefined) return known[1];
  const percent = Number(/^p(\d{1,2}(?:\.\d+)?|100)$/i.exec(name)?.[1] ?? Number.NaN);
  if (!Number.isNaN(percent)) return (values) => percentile(values, percent);
  throw new ServiceError("ValidationError", `The statistic ${name} is not known locally.`);
}

/** By nearest rank, so the result is always one of the values. CloudWatch approximates the same. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

export interface Periods {
  readonly startMs: number;
  readonly endMs: number;
  readonly periodMs: number;
}

/** Values by the start of each period. A period without samples has none. */
export function aggregate(
  samples: readonly Sample[],
  { startMs, periodMs }: Periods,
  statistic: Statistic,
): ReadonlyMap<number, number> {
  const periods = new Map<number, number[]>();
  for (const { atMs, value } of samples) {
    const beginMs = startMs + Math.floor((atMs - startMs) / periodMs) * periodMs;
    const values = periods.get(beginMs);
    if (values === undefined) periods.set(beginMs, [value]);
    else values.push(value);
  }
  return new Map([...periods].map(([beginMs, values]) => [beginMs, statistic(values)]));
}
