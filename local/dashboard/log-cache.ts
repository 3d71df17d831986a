import type { Clock } from "../../lib/core/clock.ts";
import type { DashboardSource, LogRows } from "./source.ts";

/** An answer is kept for this many times as long as it took: no query takes more than a fiftieth of the time. */
const keepFactor = 50;

/**
 * Log queries read every line that is kept, in the process that also serves the stack, and the page asks every few
 * seconds. So what was expensive is asked less often.
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
