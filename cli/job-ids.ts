import type { Run } from "../lib/runs/run.ts";
import { printable } from "../lib/core/text.ts";
import type { RunStore } from "../lib/runs/run-store.ts";
import type { StackContext } from "./context.ts";
import { CliError } from "./errors.ts";
import { formatAge } from "./format.ts";
import { shortIds } from "./short-ids.ts";
import type { StackPool } from "./stack.ts";

/** A ULID, which is the format of run ids. Workspace ids have other formats. */
const runIdPattern = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/i;
const runIdBeginning = /^[0-7][0-9A-HJKMNP-TV-Z]{0,24}$/i;

export const isRunId = (id: string): boolean => runIdPattern.test(id);

/** A beginning of an id needs this many characters. */
const shortestBeginning = 4;
/** For the help of commands that take an id. */
export const jobMeaning = `the id of a workspace or a run, or at least ${shortestBeginning} characters of its beginning`;
/** The most runs that are read to list what a beginning can mean. */
const mostRead = 1_000;
const mostListed = 5;

export interface FoundRuns {
  readonly pool: StackPool;
  /** Oldest first; at least one. */
  readonly runs: readonly [Run, ...Run[]];
}

/**
 * Finds the runs of a workspace, or one run, in the pools that the command is about. `id` is the whole id, or a
 * beginning that only one id has; upper and lower case of a run's id are the same.
 * @throws CliError `usage`, `not_found`, `ambiguous`
 */
export async function findRunsOf(context: StackContext, id: string): Promise<FoundRuns> {
  const exact = await findExactly(context, id);
  if (exact) return exact;
  if (id.length < shortestBeginning) {
    const remedy = `List the recent ones: ${context.commandLine("jobs")}`;
    throw new CliError("usage", `${id} is too short: give ${jobMeaning}.`, { remedy });
  }
  const candidates = await findBeginningWith(context, id);
  const [one, ...others] = candidates;
  if (one && others.length > 0) throw ambiguous(context, id, candidates);
  const found = one && (await findExactly(context, one.id));
  if (found) return found;
  const remedy = `The run store keeps runs for 30 days. List the recent ones with their ids: ${context.commandLine("jobs")}`;
  throw new CliError("not_found", `No run is known for ${id}.`, { remedy });
}

async function findExactly(context: StackContext, id: string): Promise<FoundRuns | undefined> {
  const found = await inEachPool(context, async (runStore, pool) => {
    const run = isRunId(id) ? await runStore.read(pool.name, id.toUpperCase()) : undefined;
    const [first, ...rest] = run ? [run] : (await runStore.runsOf(pool.name, id)).toReversed();
    return first ? { pool, runs: [first, ...rest] as const } : undefined;
  });
  const [one] = found.filter((each) => each !== undefined);
  return one && { pool: one.pool, runs: [one.runs[0], ...one.runs.slice(1)] };
}

/** What a beginning can mean. */
interface Candidate {
  /** A run's, or a workspace's. */
  readonly id: string;
  /** The run, or the workspace's newest one. */
  readonly run: Run;
}

async function findBeginningWith(context: StackContext, id: string): Promise<readonly Candidate[]> {
  const perPool = await inEachPool(context, async (runStore, { name }): Promise<readonly Candidate[]> => {
    const [runs, ofWorkspaces] = await Promise.all([
      runIdBeginning.test(id) ? runStore.runsBeginningWith(name, id.toUpperCase(), mostRead) : [],
      runStore.runsOfWorkspaces(name, id, mostRead),
    ]);
    const newest = new Map(ofWorkspaces.toReversed().map((run) => [run.workspaceId, run]));
    return [
      ...runs.map((run) => ({ id: run.runId, run })),
      ...[...newest].map(([workspaceId, run]) => ({ id: workspaceId, run })),
    ];
  });
  return perPool.flat().toSorted((a, b) => b.run.leasedAtMs - a.run.leasedAtMs);
}

async function inEachPool<T>(
  context: StackContext,
  work: (runStore: RunStore, pool: StackPool) => Promise<T>,
): Promise<readonly T[]> {
  const [pools, { runs }] = await Promise.all([context.pools(), context.runStore()]);
  return Promise.all(pools.map((pool) => work(runs, pool)));
}

function ambiguous({ clock }: StackContext, beginning: string, candidates: readonly Candidate[]): CliError {
  const short = shortIds(candidates.map(({ id }) => id));
  const listed = candidates.slice(0, mostListed).map(({ id, run }) => ({
    id: short(id),
    state: run.state,
    age: formatAge(clock.now() - run.leasedAtMs),
    title: run.title ?? "",
  }));
  const widest = (of: (row: (typeof listed)[number]) => string): number =>
    Math.max(...listed.map((row) => of(row).length));
  const [idWidth, stateWidth, ageWidth] = [
    widest(({ id }) => id),
    widest((row) => row.state),
    widest((row) => row.age),
  ];
  const lines = listed.map(({ id, state, age, title }) =>
    printable(
      `  ${id.padEnd(idWidth)}  ${state.padEnd(stateWidth)}  ${age.padStart(ageWidth)}  ${title}`,
    ).trimEnd(),
  );
  const more = candidates.length - lines.length;
  const all = candidates.length < mostRead ? String(candidates.length) : `at least ${mostRead}`;
  const remedy = [
    "Give more characters of one of them:",
    ...lines,
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
  return new CliError("ambiguous", `${beginning} is the beginning of ${all} ids.`, {
    remedy: remedy.join("\n"),
  });
}
