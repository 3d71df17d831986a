import type { JournalEntry } from "../../local/studio/journal.ts";
import type { RowWrite } from "./row-history.ts";
import type { Interval } from "./scene.ts";
import type { RunRow } from "./stage.ts";
import type { Attempt, Role } from "./watch.ts";

export const leaseRoute = "/leaseWorkspaceJob";
export const completeRoute = "/completeWorkspaceJob";
export const failRoute = "/failWorkspaceJob";
export const postRoutes: readonly string[] = [completeRoute, failRoute];

export const isAnswered = ({ status }: JournalEntry): boolean => status >= 200 && status < 300;
/** Studio has done what was asked, whatever its caller was told. */
export const isAccepted = ({ jobId }: JournalEntry): boolean => jobId !== undefined;

/** What is known of everybody who called, all by one clock. */
export interface Records {
  readonly journal: readonly JournalEntry[];
  readonly runs: readonly RunRow[];
  readonly writes: readonly RowWrite[];
  readonly attempts: readonly Attempt[];
  /** When processes stood still. */
  readonly freezes: readonly Omit<Interval, "isFrozen">[];
  readonly roleOf: (environment: string) => Role;
}

/** A call about a job, and the run in whose name it was made. */
export interface SentCall {
  readonly entry: JournalEntry;
  readonly runId: string | undefined;
  /** Of a processor; a dispatcher or recovery calls for runs whose attempt has ended. */
  readonly attempt: Attempt | undefined;
}

/**
 * Which run each call was made for. A processor works for one run at a time; another process, for the run of that
 * workspace whose row it wrote last.
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

/** The lease that a run was made for: of which job, and which of its leases. */
export interface OwnLease {
  readonly jobId: number;
  readonly lease: number;
}

/** Joins the runs with Studio's journal: the newest lease that the process which made the run had been given right before. */
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
