import type { LeaseRecord } from "../../local/studio/lease-log.ts";
import {
  completeRoute,
  failRoute,
  isAccepted,
  isAnswered,
  leaseRoute,
  postRoutes,
  type OwnLease,
  type Records,
  type SentCall,
} from "./senders.ts";
import type { RunRow } from "./stage.ts";

export interface Disagreement {
  readonly runId: string;
  readonly workspaceId: string;
  /** The outcome in the run's row. */
  readonly claims: string;
  /** What Studio's records say instead. */
  readonly but: string;
}

export interface RunsAtStudio {
  readonly calls: readonly SentCall[];
  readonly ownLeases: ReadonlyMap<string, OwnLease>;
}

/** Runs whose outcome in the run store differs from Studio's records. */
export function disagreements(
  { runs, freezes }: Pick<Records, "runs" | "freezes">,
  { calls, ownLeases }: RunsAtStudio,
): readonly Disagreement[] {
  const posts = Map.groupBy(
    calls.filter(({ entry }) => postRoutes.includes(entry.path)),
    ({ runId }) => runId,
  );
  const newest = new Map(
    runs
      .toSorted((left, right) => (left.runId < right.runId ? -1 : 1))
      .map((run) => [run.workspaceId, run.runId]),
  );
  return runs.flatMap((run) => {
    const isSuperseded = newest.get(run.workspaceId) !== run.runId;
    const sent = posts.get(run.runId) ?? [];
    const jobId = ownLeases.get(run.runId)?.jobId;
    const but = problemOf(run, { sent, jobId, isSuperseded, freezes });
    const { runId, workspaceId, state, reason, unconfirmed } = run;
    const claims = `${state}, ${reason}${unconfirmed ? ", unconfirmed" : ""}`;
    return but === undefined ? [] : [{ runId, workspaceId, claims, but }];
  });
}

interface Sent {
  readonly sent: readonly SentCall[];
  /** The run's own job, if it is known. */
  readonly jobId: number | undefined;
  readonly isSuperseded: boolean;
  readonly freezes: Records["freezes"];
}

function problemOf(run: RunRow, { sent: calls, jobId, isSuperseded, freezes }: Sent): string | undefined {
  const sent = calls.map(({ entry }) => entry);
  const accepted = sent.filter(isAccepted);
  const foreign = accepted.find((entry) => jobId !== undefined && entry.jobId !== jobId);
  if (foreign) return `its ${foreign.path} was taken for job ${foreign.jobId}, and its own is ${jobId}`;
  const of = (route: string) => ({
    accepted: accepted.some(({ path }) => path === route),
    confirmed: accepted.some((entry) => entry.path === route && isAnswered(entry)),
    unanswered: sent.some(
      (entry) => entry.path === route && !(isAccepted(entry) && entry.status === 200) && mayBeLost(entry),
    ),
  });
  const complete = of(completeRoute);
  const fail = of(failRoute);
  if (complete.accepted && fail.accepted) return "Studio took both a completion and a failure";
  switch (run.state) {
    case "completed":
      if (fail.accepted) return "Studio took a failure";
      if (run.reason === "ok") return complete.confirmed ? undefined : "Studio confirmed no completion";
      return complete.accepted || complete.unanswered || (run.delivering && isSuperseded)
        ? undefined
        : "no completion was sent";
    case "failed":
      if (complete.accepted) return "Studio took a completion";
      // The process stopped after recording the report and before sending it. The next lease then showed that
      // this one was over.
      if (run.unconfirmed && run.reporting && isSuperseded) return undefined;
      return fail.accepted || fail.unanswered ? undefined : "Studio was told of no failure";
    case "lost":
      // The row itself says that the outcome is unknown, and no process that could have recorded the answer
      // received it.
      if (run.unconfirmed && !calls.some((call) => isHeard(call, run, freezes))) return undefined;
      return accepted.length > 0 ? `Studio took its ${accepted[0]?.path}` : undefined;
    default:
      return undefined; // open runs are checked separately
  }
}

/** Whether the post was confirmed to a process that was neither killed nor frozen before the run ended. */
const isHeard = (
  { entry, attempt }: SentCall,
  { endedAtMs = Infinity }: RunRow,
  freezes: Records["freezes"],
): boolean =>
  isAccepted(entry) &&
  isAnswered(entry) &&
  attempt?.isBroken !== true &&
  !freezes.some((one) => one.environment === entry.caller && one.fromMs <= endedAtMs && one.toMs >= entry.at);

/** A caller without a valid answer cannot know whether the call took effect. */
const mayBeLost = ({ status }: SentCall["entry"]): boolean => status === 0 || status >= 500 || status < 300;

const lossStatuses = [401, 403, 404, 409, 410, 412];
const heartbeatRoute = "/heartbeatWorkspaceJob";
/**
 * The runner knows Studio's time only to half a second (from the Date header), and Studio's clock is off by
 * up to a second.
 */
const doubtMs = 3_000;
/** An answer sent this shortly before the end may not have been read. */
const unreadMs = 1_000;

/**
 * Runs that an attempt gave up as lost, although the lease was live according to all of Studio's answers, and
 * Studio still held it for them.
 */
export function givenUp(
  { runs, writes, journal, roleOf }: Records,
  { calls, ownLeases }: RunsAtStudio,
  leases: readonly LeaseRecord[],
): readonly Disagreement[] {
  const callsOf = Map.groupBy(calls, ({ runId }) => runId);
  return runs.flatMap((run) => {
    const { runId, workspaceId, state, reason, endedAtMs = 0 } = run;
    const own = ownLeases.get(runId);
    const closer = writes.findLast((write) => write.runId === runId && write.state === "lost")?.caller ?? "";
    if (state !== "lost" || reason !== "lease_lost" || !own || roleOf(closer) !== "processor") return [];
    const entries = (callsOf.get(runId) ?? []).map(({ entry }) => entry);
    if (entries.some(({ status }) => lossStatuses.includes(status))) return [];
    const granted =
      entries.findLast(
        (entry) =>
          entry.path === heartbeatRoute &&
          entry.jobId === own.jobId &&
          entry.caller === closer &&
          isAnswered(entry) &&
          (entry.answeredAt ?? entry.at) <= endedAtMs - unreadMs,
      ) ??
      journal.find(
        ({ path, jobId, lease }) => path === leaseRoute && jobId === own.jobId && lease === own.lease,
      );
    const liveUntilMs = (granted?.doneAt ?? 0) + (granted?.leaseMs ?? 0);
    const record = leases.find(({ jobId, lease }) => jobId === own.jobId && lease === own.lease);
    const isHeld = record !== undefined && (record.untilMs ?? Infinity) > endedAtMs;
    if (!isHeld || endedAtMs > liveUntilMs - doubtMs) return [];
    const but = `Studio held the lease for ${Math.round((liveUntilMs - endedAtMs) / 1_000)} s more`;
    return [{ runId, workspaceId, claims: `${state}, ${reason}`, but }];
  });
}
