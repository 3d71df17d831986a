import type { z } from "zod";
import { type MetricWidget, metricOptionsSchema } from "./body.ts";
import type { MetricStat, SeriesQuery } from "./source.ts";
import type { AxisSide } from "./view.ts";

/** One row of a metric widget: the query and its appearance. */
export interface MetricRow {
  readonly query: SeriesQuery;
  readonly color: string | undefined;
  readonly axis: AxisSide;
}

type Cell = MetricWidget["metrics"][number][number];
type Options = z.output<typeof metricOptionsSchema>;

/**
 * Expands the shorthand in the widget's `metrics`: "." repeats the value above it, "..." repeats everything
 * in the row above that its own row does not replace.
 * @throws Error that names the row that is neither a metric nor an expression
 */
export function metricRows(widget: MetricWidget, periodSecondsOf: PeriodOf): readonly MetricRow[] {
  const rows: MetricRow[] = [];
  let above: readonly string[] = [];
  for (const [index, cells] of widget.metrics.entries()) {
    const { words, options } = splitRow(cells);
    const own = writeOut(words, above);
    if (own.length > 0) above = own;
    const { id = `row${index + 1}`, label, visible, color, yAxis } = options;
    const periodSeconds = periodSecondsOf(options.period ?? widget.period);
    const what =
      options.expression === undefined
        ? { metric: metricOf(own, options.stat ?? widget.stat) }
        : { expression: options.expression };
    rows.push({ query: { id, label, periodSeconds, returnData: visible, what }, color, axis: yAxis });
  }
  return rows;
}

/** Returns the period to use for the widget's period. */
export type PeriodOf = (wantedSeconds: number) => number;

function splitRow(cells: readonly Cell[]): { readonly words: readonly string[]; readonly options: Options } {
  const words = cells.filter((cell) => typeof cell === "string");
  const options = cells.find((cell) => typeof cell !== "string");
  return { words, options: options ?? metricOptionsSchema.parse({}) };
}

function writeOut(words: readonly string[], above: readonly string[]): readonly string[] {
  if (words[0] !== "...") return words.map((word, at) => (word === "." ? (above[at] ?? word) : word));
  const replaced = words.slice(1);
  return [...above.slice(0, above.length - replaced.length), ...replaced];
}

function metricOf([namespace, name, ...pairs]: readonly string[], stat: string): MetricStat {
  if (namespace === undefined || name === undefined || pairs.length % 2 === 1) {
    const given = JSON.stringify([namespace, name, ...pairs]);
    throw new Error(
      `The row ${given} names no metric: it takes a namespace, a name and pairs of dimensions.`,
    );
  }
  const dimensions: Record<string, string> = {};
  for (let at = 0; at < pairs.length; at += 2) dimensions[pairs[at] ?? ""] = pairs[at + 1] ?? "";
  return { namespace, name, dimensions, stat };
}

const searchPeriod = /(SEARCH\(\s*'[^']*'\s*,\s*'[^']*')\s*,\s*\d+\s*\)/g;

/** Adjusts the period inside a SEARCH to the query's. */
export function withPeriod(query: SeriesQuery): SeriesQuery {
  if ("metric" in query.what) return query;
  const expression = query.what.expression.replaceAll(searchPeriod, `$1, ${query.periodSeconds})`);
  return { ...query, what: { expression } };
}
