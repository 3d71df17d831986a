import type { Run } from "../lib/runs/run.ts";
import type { StackContext } from "./context.ts";
import { CliError } from "./errors.ts";
import type { StackPool } from "./stack.ts";

/** A ULID, which is the format of run ids. Workspace ids have other formats. */
const runIdPattern = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

export const isRunId = (id: string): boolean => runIdPattern.test(id);

export interface FoundRuns {
  readonly pool: StackPool;
  /** Oldest first; at least one. */
  readonly runs: readonly [Run, ...Run[]];
}

/**
 * Finds the runs of a workspace, or one run, by id, in the pools that the command is about.
 * @throws CliError `not_found`
 */
export async function findRunsOf(context: StackContext, id: string): Promise<FoundRuns> {
  const pools = await context.pools();
  const { runs: runStore } = await context.runStore();
  const found = await Promise.all(
    pools.map(async (pool) => {
      const run = isRunId(id) ? await runStore.read(pool.name, id) : undefined;
      const [first, ...rest] = run ? [run] : (await runStore.runsOf(pool.name, id)).toReversed();
      return first ? { pool, runs: [first, ...rest] as const } : undefined;
    }),
  );
  const [one] = found.filter((each) => each !== undefined);
  if (one) return { pool: one.pool, runs: [one.runs[0], ...one.runs.slice(1)] };
  const remedy = `The run store keeps runs for 30 days. ${context.commandLine("jobs")} lists the recent ones.`;
  throw new CliError("not_found", `No run is known for ${id}.`, { remedy });
}
