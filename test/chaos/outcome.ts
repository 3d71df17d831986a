import type { OutcomeState } from "../../lib/runs/run.ts";
import type { CaseEnd, Evidence } from "./evidence.ts";
import { busiestSeconds, paceBounds } from "./pace.ts";
import { postsAfterLoss } from "./posts.ts";
import { reasonOf } from "./reasons.ts";
import { hasUnexplainedRounds, roundsOf } from "./rounds.ts";
import { postsOfSuperseded, postsWithoutProof } from "./superseded.ts";

export interface ChaosOutcome {
  readonly jobs: number;
  readonly completed: number;
  /** By reason. */
  readonly failed: ReadonlyMap<string, number>;
  /** What the report prints besides. */
  readonly measures: Readonly<Record<string, string | number>>;
  /** Each bound, and what breaks it. */
  readonly bounds: Readonly<Record<string, readonly unknown[]>>;
  /** The broken bounds, each with the number of its violations. */
  readonly broken: readonly string[];
}

/** No server can make a pool wait longer. */
const longestHoldBoundMs = 900_000;
/** The maximum number of rounds requested, as a share of the rounds needed. */
const roundsBound = 1.02;
/** With fewer jobs, one failed process can exceed the bound by itself. */
const roundsBoundHoldsFrom = 250;

export function judge(evidence: Evidence): ChaosOutcome {
  const { cases, records, calls, lagMs, longestHoldMs } = evidence;
  const ended = (state: string): readonly CaseEnd[] => cases.filter((one) => one.state === state);
  const failures = ended("failed").map((one) => ({ one, reason: reasonOf(one, evidence) }));
  const rounds = roundsOf(cases, evidence.roundsOfKind);
  const { asked, needed, askedAfterTaking } = rounds;
  const isOver = cases.length >= roundsBoundHoldsFrom && asked - askedAfterTaking > needed * roundsBound;
  const busiest = busiestSeconds(evidence.paced);
  const bounds: ChaosOutcome["bounds"] = {
    "jobs lost": ended("leased").map(brief),
    "jobs still queued at the end": ended("queued").map(brief),
    "jobs completed twice": cases.filter((one) => one.results > 1 || completions(one) > 1).map(brief),
    "jobs with another job's answer, or none of their own": cases.filter(hasWrongAnswer).map(brief),
    "jobs that should have failed by themselves completed": ended("completed")
      .filter(({ kind }) => kind.fails !== undefined)
      .map(brief),
    "jobs failed without a true reason": failures
      .filter(({ reason }) => !reason.isTrue)
      .map(({ one }) => brief(one)),
    "posts after the loss of the lease": postsAfterLoss(records.journal, evidence.leaseMs, lagMs),
    "posts by attempts that had been superseded": postsOfSuperseded(records, calls, lagMs),
    "posts without a fresh write in the run store": postsWithoutProof(records, calls, lagMs),
    "runs whose outcome is not what Studio knows": evidence.disagreements,
    "runs that gave up a lease that was still theirs": evidence.givenUp,
    "runs left open in the run store": records.runs.filter(({ openIn }) => openIn !== undefined),
    "rows in the run store that cannot be read": evidence.unreadableRows,
    "invocations that a bug ended": evidence.defects,
    "jobs asked again although no attempt of theirs had broken": cases
      .filter(hasUnexplainedRounds)
      .map((one) => ({ ...brief(one), rounds: [...one.asked.values()].join(" ") })),
    [`times more than ${roundsBound} of the needed rounds were asked`]: isOver ? [rounds] : [],
    ...countsBroken(evidence),
    "processes that called a service too often within a second": busiest.filter(
      ({ service, calls: most }) => most > (paceBounds[service] ?? Infinity),
    ),
    "times the pool was to hold back too long": longestHoldMs > longestHoldBoundMs ? [{ longestHoldMs }] : [],
  };
  return {
    jobs: cases.length,
    completed: ended("completed").length,
    failed: countBy(failures.map(({ reason }) => reason.name)),
    measures: {
      "Jobs leased again, times": sum(cases, ({ leases }) => Math.max(0, leases - 1)),
      "Rounds asked of the model": `${asked} of ${needed} needed, ${askedAfterTaking} after a lease was taken away`,
      "Runs finished": sum(endStates, (state) => finishedAs(state, evidence)),
      "Runs counted in metrics": sum(endStates, (state) => evidence.counted[state]),
      "Most calls by one process in a second": busiest
        .map(({ service, calls: most }) => `${service} ${most}`)
        .join(", "),
      "Longest time that the pool was to hold back": `${Math.round(longestHoldMs / 1_000)} s`,
      "Longest time that this process was held up": `${(lagMs / 1_000).toFixed(1)} s`,
    },
    bounds,
    broken: Object.entries(bounds).flatMap(([bound, found]) =>
      found.length === 0 ? [] : [`${found.length} ${bound}`],
    ),
  };
}

const brief = ({ tag, workspaceId, kind, state, failure, markedFor }: CaseEnd) => ({
  tag,
  workspaceId,
  kind: kind.name,
  state,
  failure,
  markedFor: [...markedFor],
});

const hasWrongAnswer = ({ tag, state, markedFor }: CaseEnd): boolean =>
  [...markedFor].some((one) => one !== tag) || (state === "completed" && !markedFor.has(tag));

const completions = ({ runs }: CaseEnd): number =>
  runs.filter(({ state, reason }) => state === "completed" && reason === "ok").length;

const endStates: readonly OutcomeState[] = ["completed", "failed", "lost"];

const finishedAs = (state: OutcomeState, { records }: Evidence): number =>
  records.runs.filter((run) => run.state === state).length;

/**
 * Each finished run is counted once, with its outcome. A process that is stopped between the two may leave
 * one out.
 */
function countsBroken(evidence: Evidence): ChaosOutcome["bounds"] {
  const missing = endStates.map((state) => finishedAs(state, evidence) - evidence.counted[state]);
  const twice = sum(missing, (count) => Math.max(0, -count));
  const never = sum(missing, (count) => Math.max(0, count)) - evidence.uncountable;
  return {
    "runs counted more than once, or as another end": Array(twice).fill(evidence.counted),
    "runs finished and not counted": Array(Math.max(0, never)).fill(evidence.counted),
  };
}

const sum = <T>(rows: readonly T[], of: (row: T) => number): number =>
  rows.reduce((all, row) => all + of(row), 0);

export function countBy(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
