import { randomUUID } from "node:crypto";
import { ServiceError } from "../errors.ts";
import { runInsights, type InsightsResult } from "./insights.ts";
import type { LogLine, LogStore } from "./log-store.ts";

export interface LogQuery {
  /** A Logs Insights query. */
  readonly query: string;
  readonly groups: readonly string[];
  readonly startMs: number;
  readonly endMs: number;
  /** Maximum number of rows. Default: 10,000. */
  readonly limit?: number | undefined;
}

/** @throws ServiceError `ResourceNotFoundException`, `MalformedQueryException` */
export function queryLogs(store: LogStore, { query, groups, limit, ...range }: LogQuery): InsightsResult {
  const lines = groups.flatMap((group) => linesOf(store, group, range));
  return runInsights(
    query,
    lines.toSorted((left, right) => left.atMs - right.atMs || left.id - right.id),
    limit,
  );
}

/** @throws ServiceError `ResourceNotFoundException` */
export function linesOf(
  store: LogStore,
  group: string,
  range: { readonly startMs: number; readonly endMs: number },
): readonly LogLine[] {
  const lines = store.lines(group, range);
  if (lines !== undefined) return lines;
  throw new ServiceError("ResourceNotFoundException", "The specified log group does not exist.");
}

export interface StartedQueries {
  /** Runs the query at once and returns its id. */
  start(query: LogQuery): string;
  /** @throws ServiceError `ResourceNotFoundException` */
  result(id: string): InsightsResult;
}

const kept = 50;

/** StartQuery and GetQueryResults. Keeps the newest results until they are fetched. */
export function createStartedQueries(store: LogStore): StartedQueries {
  const results = new Map<string, InsightsResult>();
  return {
    start(query) {
      const id = randomUUID();
      results.set(id, queryLogs(store, query));
      const [oldest] = results.keys();
      if (results.size > kept && oldest !== undefined) results.delete(oldest);
      return id;
    },
    result(id) {
      const result = results.get(id);
      if (result !== undefined) return result;
      throw new ServiceError("ResourceNotFoundException", `There is no query ${id}.`);
    },
  };
}
