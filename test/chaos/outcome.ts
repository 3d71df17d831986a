import type { OutcomeState } from "../../lib/runs/run.ts";
import type { Disagreement } from "./agreement.ts";
import type { CaseEnd, Evidence } from "./evidence.ts";
import { busiestSeconds, paceBounds, type BusiestSecond } from "./pace.ts";
import { postsAfterLoss, type PostAfterLoss } from "./posts.ts";
import { reasonOf } from "./reasons.ts";
import { roundsBroken, roundsOf, type Rounds } from "./rounds.ts";
import { postsOfSuperseded, postsWithoutProof, type WrongPost } from "./superseded.ts";

/** A job that got the answer to another one, or an answer that does not name its job. */
export interface WrongAnswer {
  readonly tag: string;
  readonly workspaceId: string;
  readonly state: string;
  readonly got: string;
}

export interface ChaosOutcome {
  readonly jobs: number;
  readonly completed: number;
  readonly failed: ReadonlyMap<string, number>;
  /** How often a job returned to the queue or was leased again. */
  readonly leasedAgain: number;
  readonly mostLeases: number;
  readonly lost: number;
  readonly stillQueued: number;
  readonly completedTwice: number;
  readonly wrongAnswers: readonly WrongAnswer[];
  readonly rounds: Rounds;
  readonly postedAfterLoss: readonly PostAfterLoss[];
  readonly postedSuperseded: readonly WrongPost[];
  readonly postedWithoutProof: readonly WrongPost[];
  readonly disagreements: readonly Disagreement[];
  readonly givenUp: readonly Disagreement[];
  readonly busiest: readonly BusiestSecond[];
  readonly longestHoldMs: number;
  readonly lagMs: number;
  readonly openRuns: number;
  readonly unreadableRows: number;
  readonly defects: readonly string[];
  readonly closed: number;
  readonly counted: number;
  /** Broken bounds, one sentence each. */
  readonly broken: readonly string[];
}

/** No server can make a pool wait longer. */
const longestHoldBoundMs = 900_000;

export function judge(evidence: Evidence): ChaosOutcome {
  const { cases, records, calls, counted, lagMs } = evidence;
  const ended = (state: string): readonly CaseEnd[] => cases.filter((one) => one.state === state);
  const failures = ended("failed").map((one) => ({ one, reason: reasonOf(one, evidence) }));
  const found = {
    jobs: cases.length,
    completed: ended("completed").length,
    failed: countBy(failures.map(({ reason }) => reason.name)),
    leasedAgain: sum(cases, ({ leases }) => Math.max(0, leases - 1)),
    mostLeases: Math.max(0, ...cases.map(({ leases }) => leases)),
    lost: ended("leased").length,
    stillQueued: ended("queued").length,
    completedTwice: cases.filter((one) => one.results > 1 || completions(one) > 1).length,
    wrongAnswers: cases.flatMap(wrongAnswerOf),
    rounds: roundsOf(cases, evidence.roundsOfKind),
    postedAfterLoss: postsAfterLoss(records.journal, evidence.leaseMs, lagMs),
    postedSuperseded: postsOfSuperseded(records, calls, lagMs),
    postedWithoutProof: postsWithoutProof(records, calls, lagMs),
    disagreements: evidence.disagreements,
    givenUp: evidence.givenUp,
    busiest: busiestSeconds(evidence.paced),
    longestHoldMs: evidence.longestHoldMs,
    lagMs,
    openRuns: records.runs.filter(({ openIn }) => openIn !== undefined).length,
    unreadableRows: evidence.unreadableRows,
    defects: evidence.defects,
    closed: sum(endStates, (state) => closedAs(state, evidence)),
    counted: sum(endStates, (state) => counted[state]),
  };
  const untrue = failures.filter(({ reason }) => !reason.isTrue);
  const wrong = cases.filter(({ kind, state }) => kind.fails && state === "completed");
  return {
    ...found,
    broken: [
      ...over("jobs lost", found.lost),
      ...over("jobs still queued at the end", found.stillQueued),
      ...over("jobs completed twice", found.completedTwice),
      ...over("jobs with another job's answer, or none of their own", found.wrongAnswers.length),
      ...over("jobs that should have failed by themselves completed", wrong.length),
      ...untrue.map(
        ({ one }) => `${one.tag} (${one.kind.name}) failed without a true reason: ${one.failure}`,
      ),
      ...over("posts after the loss of the lease", found.postedAfterLoss.length),
      ...over("posts by attempts that had been superseded", found.postedSuperseded.length),
      ...over("posts without a fresh write in the run store", found.postedWithoutProof.length),
      ...over("runs whose outcome is not what Studio knows", found.disagreements.length),
      ...over("runs that gave up a lease that was still theirs", found.givenUp.length),
      ...over("runs left open in the run store", found.openRuns),
      ...over("rows in the run store that cannot be read", found.unreadableRows),
      ...over("invocations that a bug ended", found.defects.length),
      ...roundsBroken(found.rounds, cases.length),
      ...countsBroken(evidence),
      ...found.busiest
        .filter(({ service, calls: most }) => most > (paceBounds[service] ?? Infinity))
        .map(
          ({ service, caller, calls: most }) => `${caller} called ${service} ${most} times within a second`,
        ),
      ...(found.longestHoldMs > longestHoldBoundMs
        ? [`the pool was to hold back for ${Math.round(found.longestHoldMs / 60_000)} minutes`]
        : []),
    ],
  };
}

const over = (what: string, count: number): readonly string[] => (count > 0 ? [`${count} ${what}`] : []);

function wrongAnswerOf({ tag, workspaceId, state, markedFor }: CaseEnd): readonly WrongAnswer[] {
  const others = [...markedFor].filter((one) => one !== tag);
  if (others.length > 0) return [{ tag, workspaceId, state, got: `the answer for ${others.join(", ")}` }];
  if (state !== "completed" || markedFor.has(tag)) return [];
  return [{ tag, workspaceId, state, got: "an answer that is for nobody" }];
}

const completions = ({ runs }: CaseEnd): number =>
  runs.filter(({ state, reason }) => state === "completed" && reason === "ok").length;

const endStates: readonly OutcomeState[] = ["completed", "failed", "lost"];

const closedAs = (state: OutcomeState, { records }: Evidence): number =>
  records.runs.filter((run) => run.state === state).length;

/**
 * Each finished run is counted once, with its outcome. A process that is stopped between the two may leave
 * one out.
 */
function countsBroken(evidence: Evidence): readonly string[] {
  const missing = endStates.map((state) => closedAs(state, evidence) - evidence.counted[state]);
  const twice = sum(missing, (count) => Math.max(0, -count));
  const never = sum(missing, (count) => Math.max(0, count));
  return [
    ...over("runs counted more than once, or as another end", twice),
    ...over("runs closed and not counted", Math.max(0, never - evidence.uncountable)),
  ];
}

const sum = <T>(rows: readonly T[], of: (row: T) => number): number =>
  rows.reduce((all, row) => all + of(row), 0);

export function countBy(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
