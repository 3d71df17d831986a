import type { JournalEntry } from "../../local/studio/journal.ts";
import type { RowWrite } from "./row-history.ts";
import type { Interval } from "./context.ts";
import type { RunRow } from "./stage.ts";
import type { Attempt, Role } from "./watch.ts";

export const leaseRoute = "/leaseWorkspaceJob";
export const completeRoute = "/completeWorkspaceJob";
export const failRoute = "/failWorkspaceJob";
export const postRoutes: readonly string[] = [completeRoute, failRoute];

export const isAnswered = ({ status }: JournalEntry): boolean => status >= 200 && status < 300;
/** Whether the call took effect at Studio, whatever its caller was told. */
export const isAccepted = ({ jobId }: JournalEntry): boolean => jobId !== undefined;

/** Records of everybody who called, all by one clock. */
export interface Records {
  readonly journal: readonly JournalEntry[];
  readonly runs: readonly RunRow[];
  readonly writes: readonly RowWrite[];
  readonly attempts: readonly Attempt[];
  /** When processes were frozen. */
  readonly freezes: readonly Omit<Interval, "isFrozen">[];
  readonly roleOf: (environment: string) => Role;
}

/** A call about a job, and the run for which it was made. */
export interface SentCall {
  readonly entry: JournalEntry;
  readonly runId: string | undefined;
  /** The processor's attempt. Absent: a dispatcher or recovery calls for runs whose attempt has ended. */
  readonly attempt: Attempt | undefined;
}

/**
 * Assigns each call to a run. A processor works for one run at a time; another process calls for the run of
 * that workspace whose row it wrote last.
 */
export function sentCalls({ journal, attempts, writes, roleOf }: Records): readonly SentCall[] {
  const attemptsOf = Map.groupBy(attempts, ({ environment }) => environment);
  const writesOf = Map.groupBy(writes, ({ caller }) => caller);
  return journal
    .filter(({ path, workspaceId }) => path !== leaseRoute && workspaceId !== undefined)
    .map((entry): SentCall => {
      const { caller = "", at, workspaceId } = entry;
      const attempt =
        roleOf(caller) === "processor"
          ? attemptsOf.get(caller)?.findLast(({ fromMs }) => fromMs <= at)
          : undefined;
      const write = writesOf
        .get(caller)
        ?.findLast((one) => one.atMs <= at && one.workspaceId === workspaceId);
      return { entry, attempt, runId: attempt?.runId ?? write?.runId };
    });
}

/** The lease that a run was created for: its job and the lease's number. */
export interface OwnLease {
  readonly jobId: number;
  readonly lease: number;
}

/**
 * Joins the runs with Studio's journal. A run belongs to the newest lease that its process had received
 * before creating it.
 */
export function leasesOfRuns({ journal, runs, writes }: Records): ReadonlyMap<string, OwnLease> {
  const made = new Map(writes.filter(({ isNew }) => isNew).map((write) => [write.runId, write]));
  const given = Map.groupBy(
    journal.filter((entry) => entry.path === leaseRoute && isAccepted(entry) && isAnswered(entry)),
    ({ workspaceId, credentialId }) => `${workspaceId} ${credentialId}`,
  );
  const taken = new Set<JournalEntry>();
  return new Map(
    runs
      .toSorted((left, right) => (left.runId < right.runId ? -1 : 1))
      .flatMap(({ runId, workspaceId, keyId, leasedAtMs }) => {
        const { caller, atMs = leasedAtMs + 1_000 } = made.get(runId) ?? {};
        const lease = given
          .get(`${workspaceId} ${keyId}`)
          ?.findLast(
            (one) =>
              !taken.has(one) &&
              (caller === undefined || one.caller === caller) &&
              (one.answeredAt ?? one.at) <= atMs,
          );
        if (lease?.jobId === undefined || lease.lease === undefined) return [];
        taken.add(lease);
        return [[runId, { jobId: lease.jobId, lease: lease.lease }] as const];
      }),
  );
}
