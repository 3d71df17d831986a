import type { Expression, Item, Table } from "../adapters/dynamodb.ts";
import type { RunnerError } from "../core/errors.ts";
import { readable, runItemId, type Run } from "./run.ts";

/** The table's sparse index over unfinished runs: `openIn`, `leaseExpiresAtMs`. */
export const openRunsIndex = "open";

/** Reads of runs. @throws RunnerError `run_store_unavailable` */
export interface RunQueries {
  read(pool: string, runId: string): Promise<Run | undefined>;
  /** Every unfinished run, oldest lease first. Eventually consistent. */
  openRuns(pool: string): Promise<readonly Run[]>;
  /** Newest first, starting after `beforeRunId` for the next page. */
  recentRuns(pool: string, page: RunPage): Promise<readonly Run[]>;
  /** Every run of one workspace, newest first. Reads all runs of the pool: for operators only. */
  runsOf(pool: string, workspaceId: string): Promise<readonly Run[]>;
  /** Runs whose id begins with these characters, newest first. */
  runsBeginningWith(pool: string, beginning: string, limit: number): Promise<readonly Run[]>;
  /** Runs of the workspaces whose id begins with these characters, newest first. Reads all runs of the pool: for operators only. */
  runsOfWorkspaces(pool: string, beginning: string, limit: number): Promise<readonly Run[]>;
}

export interface RunPage {
  readonly limit: number;
  readonly beforeRunId?: string | undefined;
}

export function createRunQueries(table: Table, onUnreadable: (problem: RunnerError) => void): RunQueries {
  const runsAmong = (items: readonly Item[]): readonly Run[] =>
    items.flatMap((item) => readable(item, onUnreadable));
  return {
    read: async (pool, runId) => {
      const item = await table.get({ pool, id: runItemId(runId) });
      return item && runsAmong([item])[0];
    },

    openRuns: async (pool) => {
      const where = { text: "#openIn = :pool", values: { pool } };
      const runs = runsAmong(await table.query({ index: openRunsIndex, where }));
      // Another pool's role can write this pool's name into its own rows.
      return runs.filter((run) => run.pool === pool);
    },

    recentRuns: async (pool, { limit, beforeRunId }) => {
      const after = beforeRunId === undefined ? {} : { after: { pool, id: runItemId(beforeRunId) } };
      const query = { where: allRuns(pool), newestFirst: true, limit, ...after };
      return runsAmong(await table.query(query));
    },

    runsOf: async (pool, workspaceId) => {
      const filter = { text: "#workspaceId = :workspaceId", values: { workspaceId } };
      return runsAmong(await table.query({ where: allRuns(pool), filter, newestFirst: true }));
    },

    runsBeginningWith: async (pool, beginning, limit) =>
      runsAmong(await table.query({ where: runsFrom(pool, beginning), newestFirst: true, limit })),

    runsOfWorkspaces: async (pool, beginning, limit) => {
      const filter = { text: "begins_with(#workspaceId, :beginning)", values: { beginning } };
      return runsAmong(await table.query({ where: allRuns(pool), filter, newestFirst: true, limit }));
    },
  };
}

const allRuns = (pool: string): Expression => runsFrom(pool, "");

const runsFrom = (pool: string, beginning: string): Expression => ({
  text: "#pool = :pool AND begins_with(#id, :runs)",
  values: { pool, runs: runItemId(beginning) },
});
