import { postRoutes, type Records, type SentCall } from "./senders.ts";
import type { Attempt } from "./watch.ts";

export interface WrongPost {
  readonly workspaceId: string;
  readonly path: string;
  readonly status: number;
  readonly runId: string;
  readonly attempt: number;
  /** Time since the attempt had lost its run, or since its last accepted write. */
  readonly afterMs: number;
}

/** A post and the answer that reports the loss can cross on their way. If this process is held up, it sees both late. */
const raceMs = 1_000;
/**
 * A write older than half a lease proves nothing, because others consider the attempt dead by then. After 10
 * s it is always too old, however long the lease.
 */
const freshMs = (leaseMs: number): number => Math.min(leaseMs / 2, 10_000) + raceMs;

/** The writes to runs' rows, by run and by workspace. */
interface Owned {
  readonly byRun: ReadonlyMap<string, Records["writes"]>;
  readonly madeIn: ReadonlyMap<string, Records["writes"]>;
}

const ownedBy = ({ writes }: Records): Owned => ({
  byRun: Map.groupBy(writes, ({ runId }) => runId),
  madeIn: Map.groupBy(
    writes.filter(({ isNew }) => isNew),
    ({ workspaceId }) => workspaceId,
  ),
});

const ends: readonly string[] = ["completed", "failed", "lost"];

/**
 * When the run was taken over: a newer run of its workspace was created, the next attempt was invoked, or
 * another process finished it. `undefined`: never.
 */
function lostAtMs({ byRun, madeIn }: Owned, { runId, attempt, environment }: Attempt): number | undefined {
  const own = byRun.get(runId) ?? [];
  const moved = own.find(
    (write) => write.attempt > attempt || (ends.includes(write.state) && write.caller !== environment),
  );
  const { workspaceId = "" } = own[0] ?? {};
  const newer = madeIn.get(workspaceId)?.find((write) => write.runId > runId);
  const times = [moved, newer].flatMap((write) => (write ? [write.atMs] : []));
  return times.length === 0 ? undefined : Math.min(...times);
}

interface Post {
  readonly at: number;
  readonly environment: string;
}

/** A frozen process learns nothing until it continues. The age of its proof is checked separately. */
function heardAtMs({ freezes }: Records, { at, environment }: Post, lostMs: number): number {
  const thaws = freezes
    .filter((one) => one.environment === environment && one.fromMs <= at && one.toMs >= lostMs)
    .map(({ toMs }) => Math.min(toMs, at));
  return Math.max(lostMs, ...thaws);
}

const postsOf = (calls: readonly SentCall[]) =>
  calls.flatMap(({ entry, attempt }) =>
    attempt && postRoutes.includes(entry.path) ? [{ entry, attempt }] : [],
  );

/** Posts by attempts that had lost their run. */
export function postsOfSuperseded(
  records: Records,
  calls: readonly SentCall[],
  lagMs = 0,
): readonly WrongPost[] {
  const owned = ownedBy(records);
  return postsOf(calls).flatMap(({ entry, attempt }) => {
    const atMs = lostAtMs(owned, attempt);
    if (
      atMs === undefined ||
      entry.at - heardAtMs(records, { at: entry.at, environment: attempt.environment }, atMs) <=
        raceMs + lagMs
    )
      return [];
    return [wrongPost(entry, attempt, entry.at - atMs)];
  });
}

/** Posts without a recent write by the attempt that the run store had accepted. */
export function postsWithoutProof(
  records: Records,
  calls: readonly SentCall[],
  lagMs = 0,
): readonly WrongPost[] {
  const { byRun } = ownedBy(records);
  const runs = new Map(records.runs.map((run) => [run.runId, run]));
  return postsOf(calls).flatMap(({ entry, attempt }) => {
    const { runId, environment } = attempt;
    const last = byRun
      .get(runId)
      ?.findLast((write) => write.caller === environment && write.atMs <= entry.at);
    const ageMs = entry.at - (last?.atMs ?? attempt.fromMs);
    return ageMs <= freshMs(runs.get(runId)?.leaseMs ?? 0) + lagMs ? [] : [wrongPost(entry, attempt, ageMs)];
  });
}

const wrongPost = (
  { workspaceId = "", path, status }: SentCall["entry"],
  { runId, attempt }: Attempt,
  afterMs: number,
): WrongPost => ({ workspaceId, path, status, runId, attempt, afterMs });
