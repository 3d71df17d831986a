import type { LeaseEnd, LeaseRecord } from "../../local/studio/lease-log.ts";
import type { JobRow } from "../../local/studio/store.ts";
import type { OutcomeState } from "../../lib/runs/run.ts";
import { givenUp, disagreements, type Disagreement } from "./agreement.ts";
import type { Disturbance } from "./disturb.ts";
import { markedFor, textOf, type Asked } from "./jobs.ts";
import type { PacedCall } from "./pace.ts";
import type { PlannedCase } from "./plan.ts";
import type { CaseQueue } from "./queue.ts";
import { crossedRounds } from "./rounds.ts";
import type { Interval } from "./context.ts";
import { leasesOfRuns, sentCalls, type OwnLease, type Records } from "./senders.ts";
import type { RowWrite } from "./row-history.ts";
import { startLimitMs, type RunRow, type Stage } from "./stage.ts";
import type { Attempt, TimedInvocation } from "./watch.ts";

/** What is known about one job at the end. */
export interface CaseEnd extends PlannedCase {
  readonly workspaceId: string;
  readonly state: JobRow["state"];
  readonly failure: string | null;
  readonly leases: number;
  /** Assistant messages that Studio accepted for the job. */
  readonly results: number;
  /** The jobs that its answer, or the reason of its failure, names as its own. */
  readonly markedFor: ReadonlySet<string>;
  readonly asked: ReturnType<Asked["of"]>;
  readonly runs: readonly RunRow[];
  /** Its attempts whose invocation failed. */
  readonly brokenAttempts: number;
  /** Its attempts whose invocation failed, or that were frozen or cut off from the run store. */
  readonly disturbedAttempts: number;
  /**
   * Rounds of its runs whose lease was really taken away, including the one in progress. No other run could
   * continue them.
   */
  readonly takenRounds: number;
  /** Rounds requested directly before their run was taken over, so that their ids could not be recorded. */
  readonly crossedRounds: number;
  readonly isTaken: boolean;
  /** Its events that were lost, late, or could not be sent. */
  readonly unstarted: number;
  /** Its heartbeats that failed or could not be recorded. */
  readonly failedHeartbeats: number;
  /** Failed or missing answers of the model to one of its runs: the highest number for any run. */
  readonly modelFaults: number;
  /** Contexts of its workspace with an invalid structure. */
  readonly misshapenContexts: number;
}

export interface Evidence {
  readonly cases: readonly CaseEnd[];
  /** Rounds that a job of each kind needs without faults. */
  readonly roundsOfKind: ReadonlyMap<string, number>;
  readonly records: Records;
  readonly calls: ReturnType<typeof sentCalls>;
  readonly disagreements: readonly Disagreement[];
  readonly givenUp: readonly Disagreement[];
  /** Their ids. */
  readonly unreadableRows: readonly string[];
  /** Invocations that ended because of a bug. */
  readonly defects: readonly string[];
  readonly leaseMs: number;
  /** Whether faults hit the run store or the secrets, which could explain a failure. */
  readonly hit: Readonly<Record<"runStore" | "secrets", boolean>>;
  readonly paced: Readonly<Record<string, readonly PacedCall[]>>;
  readonly longestHoldMs: number;
  /** The longest time that the machine held this process up. */
  readonly lagMs: number;
  /** The ends of runs according to the metrics. */
  readonly counted: Readonly<Record<OutcomeState, number>>;
  /**
   * Finished runs that nobody counted, because the process that finished them was stopped, or did not learn
   * that it had.
   */
  readonly uncountable: number;
}

interface Played {
  readonly cases: readonly PlannedCase[];
  readonly queue: CaseQueue;
  readonly disturbance: Disturbance;
  /** The state before the first job. */
  readonly before: { readonly journal: number; readonly runs: number; readonly atMs: number };
}

type Gathered = Omit<Evidence, "roundsOfKind" | "leaseMs" | "counted">;

export async function gather(stage: Stage, played: Played): Promise<Gathered> {
  const { before, disturbance } = played;
  const { studio, model, watch, proxies } = stage;
  const rows = await stage.rows();
  const runs = rows.runs.slice(before.runs);
  const journal = studio.requests().slice(before.journal);
  const records: Records = {
    journal,
    runs,
    writes: stage.rowHistory.writes(),
    attempts: watch.attempts(),
    freezes: disturbance.intervals.filter(({ isFrozen }) => isFrozen),
    roleOf: watch.roleOf,
  };
  const calls = sentCalls(records);
  const ownLeases = leasesOfRuns(records);
  const leases = studio.leases();
  const isHindered = hinderedAt(stage, disturbance.intervals);
  const recent = <T extends PacedCall>(all: readonly T[]): readonly T[] =>
    all.filter(({ at }) => at >= before.atMs);
  return {
    cases: casesOf(stage, { ...played, runs, ownLeases, leases, isHindered }),
    records,
    calls,
    disagreements: disagreements(records, { calls, ownLeases }),
    givenUp: givenUp(records, { calls, ownLeases }, leases),
    unreadableRows: rows.unreadable,
    defects: watch.defects(),
    paced: {
      Studio: journal,
      model: recent(model.requests()),
      DynamoDB: recent(proxies.dynamodb.calls()),
    },
    hit: { runStore: proxies.dynamodb.fired().size > 0, secrets: proxies.secretsManager.fired().size > 0 },
    uncountable: runs.filter((run) => isUncountable(stage, run, isHindered)).length,
    longestHoldMs: disturbance.longestHoldMs(),
    lagMs: stage.lagMs(),
  };
}

interface Joined extends Played {
  readonly runs: readonly RunRow[];
  readonly ownLeases: ReadonlyMap<string, OwnLease>;
  readonly leases: readonly LeaseRecord[];
  readonly isHindered: IsHindered;
}

function casesOf(
  stage: Stage,
  { cases, queue, runs, ownLeases, leases, disturbance, isHindered }: Joined,
): readonly CaseEnd[] {
  const { studio, watch, asked } = stage;
  const jobs = new Map(studio.jobs().map((job) => [job.jobId, job]));
  const attempts = Map.groupBy(watch.attempts(), ({ runId }) => runId);
  const faulty = stage.model
    .requests()
    .filter(({ status, aborted }) => status === null || status >= 300 || aborted);
  const faultsOf = (runId: string): number =>
    (attempts.get(runId) ?? []).reduce((sum, attempt) => sum + during(attempt, faulty), 0);
  const unsent = unsentEvents(stage, isHindered);
  const isStalled = (attempt: Attempt): boolean =>
    (attempt.isBroken || isHalted(attempt, disturbance.intervals)) && !beganInStore(stage, attempt);
  const runsOf = Map.groupBy(runs, ({ runId }) => ownLeases.get(runId)?.jobId);
  return cases.map((one) => {
    const workspaceId = queue.workspaceOf(one);
    const thread = studio.messages(workspaceId);
    const jobId = thread.find(({ role, text }) => role === "user" && text === textOf(one))?.jobId;
    const job = jobs.get(jobId ?? -1);
    const answers = thread.filter((row) => row.jobId === jobId && row.role !== "user");
    const own = jobId === undefined ? [] : (runsOf.get(jobId) ?? []);
    const taken = own.filter(({ runId }) => isReallyTaken(leases, { own: ownLeases, runId }));
    const ofRuns = (count: (runId: string) => number): number =>
      own.reduce((sum, { runId }) => sum + count(runId), 0);
    return {
      ...one,
      workspaceId,
      state: job?.state ?? "queued",
      failure: job?.failure ?? null,
      leases: job?.leases ?? 0,
      results: answers.filter(({ role }) => role === "assistant").length,
      markedFor: markedFor(
        answers.map(({ text, deliverables }) => `${text}\n${deliverables ?? ""}`).join("\n"),
      ),
      asked: asked.of(one.tag),
      runs: own,
      brokenAttempts: ofRuns(watch.brokenAttempts),
      disturbedAttempts: ofRuns((runId) => {
        const halted = (attempts.get(runId) ?? []).filter((attempt) =>
          isHalted(attempt, disturbance.intervals),
        );
        return watch.brokenAttempts(runId) + halted.filter(({ isBroken }) => !isBroken).length;
      }),
      takenRounds: taken.reduce((sum, { rounds }) => sum + rounds + 1, 0),
      crossedRounds: ofRuns((runId) =>
        crossedRounds(
          { requests: stage.model.requests(), writes: stage.rowHistory.writes() },
          attempts.get(runId) ?? [],
        ),
      ),
      isTaken: taken.length > 0,
      unstarted: ofRuns(
        (runId) =>
          watch.unstarted(runId, startLimitMs) +
          unsent.filter((id) => id === runId).length +
          (attempts.get(runId) ?? []).filter(isStalled).length,
      ),
      failedHeartbeats: ofRuns((runId) => watch.linesOf(runId, "heartbeat_failed")),
      modelFaults: Math.max(0, ...own.map(({ runId }) => faultsOf(runId))),
      misshapenContexts: studio.faults
        .log()
        .filter(
          ({ workspaceId: where, path, name = "" }) =>
            where === workspaceId &&
            path === "/getWorkspaceRunnerContext" &&
            /^context: |^200 with /.test(name),
        ).length,
    };
  });
}

/**
 * Run ids of events that were never sent, because the process that wrote the attempt's row failed or was
 * halted before.
 */
function unsentEvents({ watch, rowHistory }: Stage, isHindered: IsHindered): readonly string[] {
  const seen = new Set<string>();
  return rowHistory.writes().flatMap((write) => {
    const { runId, attempt } = write;
    if (seen.has(`${runId} ${attempt}`)) return [];
    seen.add(`${runId} ${attempt}`);
    return isHindered(write) && !watch.isCalled({ runId, attempt }) ? [runId] : [];
  });
}

/** Whether the invocation that wrote a row failed or was halted. */
type IsHindered = (write: RowWrite) => boolean;

function hinderedAt({ watch }: Stage, intervals: readonly Interval[]): IsHindered {
  const invocations = Map.groupBy(watch.invocations(), ({ environment }) => environment);
  return ({ caller = "", atMs }) => {
    const writer = invocations.get(caller)?.findLast(({ fromMs }) => fromMs <= atMs);
    return writer !== undefined && (writer.isBroken || isHalted(writer, intervals));
  };
}

/** For finished runs only. */
function isUncountable({ watch, rowHistory }: Stage, run: RunRow, isHindered: IsHindered): boolean {
  const { runId, state, openIn } = run;
  if (openIn !== undefined || watch.linesOf(runId, "run_ended") > 0) return false;
  const finishes = rowHistory.writes().filter((write) => write.runId === runId && write.state === state);
  return finishes.length > 0 && finishes.every((write) => !write.isAnswered || isHindered(write));
}

/** Whether an invoked attempt recorded its start before it would be considered lost. */
const beganInStore = ({ rowHistory }: Stage, { runId, attempt, fromMs }: Attempt): boolean =>
  rowHistory
    .writes()
    .some(
      (write) =>
        write.runId === runId &&
        write.attempt === attempt &&
        write.state === "running" &&
        write.atMs - fromMs <= startLimitMs,
    );

const during = ({ environment, fromMs, toMs = Infinity }: Attempt, calls: readonly PacedCall[]): number =>
  calls.filter(({ caller, at }) => caller === environment && at >= fromMs && at <= toMs).length;

const isHalted = (
  { environment, fromMs, toMs = Infinity }: TimedInvocation,
  intervals: readonly Interval[],
): boolean =>
  intervals.some((one) => one.environment === environment && one.fromMs <= toMs && one.toMs >= fromMs);

const takings: readonly (LeaseEnd | undefined)[] = ["stolen", "moved", "expired"];

interface OfRun {
  readonly own: ReadonlyMap<string, OwnLease>;
  readonly runId: string;
}

/**
 * A lease that was given to the same key twice continues under the next number, unless that one has a run of
 * its own.
 */
function isReallyTaken(leases: readonly LeaseRecord[], { own, runId }: OfRun): boolean {
  const first = own.get(runId);
  if (first === undefined) return false;
  const others = [...own].filter(([id]) => id !== runId).map(([, one]) => one);
  for (let lease = first.lease; ; lease++) {
    const record = leases.find((one) => one.jobId === first.jobId && one.lease === lease);
    if (record?.end !== "doubled") return takings.includes(record?.end);
    if (others.some((one) => one.jobId === first.jobId && one.lease === lease + 1)) return false;
  }
}
