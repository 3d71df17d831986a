import type { Clock } from "../../lib/core/clock.ts";
import type { DashboardSource, LogRows } from "./source.ts";

/**
 * A result is kept for this many times the duration of its query, so a query takes at most a fiftieth of the
 * time.
 */
const keepFactor = 50;

/**
 * Caches results of log queries, the longer the more they cost. A query reads every line in the process that
 * also serves the stack, and the page repeats it every few seconds.
 */
export function createLogCache(clock: Clock): (source: DashboardSource) => DashboardSource {
  const kept = new Map<string, { readonly untilMs: number; readonly rows: LogRows }>();
  return (source) => ({
    ...source,
    queryLogs(query, range) {
      const key = JSON.stringify([query, range.endMs - range.startMs]);
      const known = kept.get(key);
      const startedMs = clock.now();
      if (known !== undefined && startedMs < known.untilMs) return known.rows;
      const rows = source.queryLogs(query, range);
      const endedMs = clock.now();
      kept.set(key, { untilMs: endedMs + (endedMs - startedMs) * keepFactor, rows });
      return rows;
    },
  });
}
