import type { EndState, Run } from "../../lib/ledger/run.ts";
import type { WorkspaceSummary } from "../../local/studio/page-api.ts";
import type { JournalEntry } from "../../local/studio/journal.ts";
import { total, type Case } from "./jobs.ts";
import { postsAfterLoss, type PostAfterLoss } from "./posts.ts";

/** What is known of one job when everything is over. */
export interface CaseEnd extends Case {
  readonly workspaceId: string;
  readonly summary: WorkspaceSummary;
  /** Assistant messages in its workspace: what Studio took. */
  readonly results: number;
  readonly asked: ReadonlyMap<string, number>;
  /** Legs of it that ended in a broken invocation. */
  readonly brokenLegs: number;
  /** Rounds of runs of it whose lease ran out: nobody could take up their chain. */
  readonly lostRounds: number;
  /** Events for it that were lost, late, or could not be sent. */
  readonly unstarted: number;
  /** Beats of it that failed, or could not be noted. */
  readonly failedBeats: number;
  /** We took its lease away. */
  readonly isTaken: boolean;
}

export interface Evidence {
  readonly cases: readonly CaseEnd[];
  /** Of a kind, without faults. */
  readonly roundsOfKind: ReadonlyMap<string, number>;
  readonly journal: readonly JournalEntry[];
  readonly runs: readonly Run[];
  readonly leaseMs: number;
  /** Faults that could be the reason of a failure; by what they hit. */
  readonly hit: Readonly<Record<"ledger" | "secrets", boolean>>;
  /** When the model answered with trouble, or not at all (epoch ms). */
  readonly modelFaultsAtMs: readonly number[];
  /** What the metrics say has become of the runs. */
  readonly counted: Readonly<Record<EndState, number>>;
  /** Closed runs whose end nobody counted, since the process that closed them was killed right then. */
  readonly killedAtClose: number;
}

export interface Verdict {
  readonly jobs: number;
  readonly completed: number;
  readonly failed: ReadonlyMap<string, number>;
  /** Times that a job went back into the queue. */
  readonly returned: number;
  readonly lost: number;
  readonly stillQueued: number;
  readonly completedTwice: number;
  readonly roundsAsked: number;
  readonly roundsNeeded: number;
  /** Asked more than once, in jobs whose lease we took away, and in all others. */
  readonly askedAgain: { readonly taken: number; readonly others: number };
  /** The jobs among them that we left alone. */
  readonly repeated: readonly {
    readonly tag: string;
    readonly workspaceId: string;
    readonly rounds: string;
  }[];
  readonly postedAfterLoss: readonly PostAfterLoss[];
  readonly openRuns: number;
  readonly closed: number;
  readonly counted: number;
  /** Bounds that do not hold, a sentence each. */
  readonly broken: readonly string[];
}

/** The bound on rounds asked, as a share of the rounds needed. */
const roundsBound = 1.02;

export function judge(evidence: Evidence): Verdict {
  const { cases } = evidence;
  const ended = (state: string): readonly CaseEnd[] => cases.filter(({ summary }) => summary.state === state);
  const lost = ended("leased").length + ended("idle").length;
  const failures = ended("failed").map((one) => ({ one, reason: reasonOf(one, evidence) }));
  const roundsAsked = sum(cases, ({ asked }) => total(asked));
  const roundsNeeded = sum(cases, (one) => neededBy(one, evidence));
  const again = (isTaken: boolean): number =>
    sum(
      cases.filter((one) => one.isTaken === isTaken),
      ({ asked }) => total(asked) - asked.size,
    );
  const found = {
    jobs: cases.length,
    completed: ended("completed").length,
    failed: countBy(failures.map(({ reason }) => reason.name)),
    returned: sum(cases, ({ summary }) => Math.max(0, summary.leases - 1)),
    lost,
    stillQueued: ended("queued").length,
    completedTwice: cases.filter((one) => one.results > 1 || completions(one, evidence) > 1).length,
    roundsAsked,
    roundsNeeded,
    askedAgain: { taken: again(true), others: again(false) },
    repeated: cases
      .filter(({ isTaken, asked }) => !isTaken && total(asked) > asked.size)
      .map(({ tag, workspaceId, asked }) => ({ tag, workspaceId, rounds: [...asked.values()].join(" ") })),
    postedAfterLoss: postsAfterLoss(evidence.journal, evidence.leaseMs),
    openRuns: evidence.runs.filter(({ openIn }) => openIn !== undefined).length,
    closed: sum(endStates, (state) => closedAs(state, evidence)),
    counted: sum(endStates, (state) => evidence.counted[state]),
  };
  const untrue = failures.filter(({ reason }) => !reason.isTrue);
  const wrong = cases.filter(({ kind, summary }) => kind.fails && summary.state === "completed");
  return {
    ...found,
    broken: [
      ...over("jobs lost", found.lost),
      ...over("jobs still queued at the end", found.stillQueued),
      ...over("runs left open in the ledger", found.openRuns),
      ...over("jobs completed twice", found.completedTwice),
      ...over("posts after the loss of the lease", found.postedAfterLoss.length),
      ...over("jobs that should have failed by themselves completed", wrong.length),
      ...untrue.map(
        ({ one }) => `${one.tag} (${one.kind.name}) failed without a true reason: ${one.summary.failure}`,
      ),
      ...roundsBroken(found, cases),
      ...countsBroken(evidence),
    ],
  };
}

const over = (what: string, count: number): readonly string[] => (count > 0 ? [`${count} ${what}`] : []);

/**
 * A leg that is killed between asking and noting the response's id asks once more (docs/reliability.md): a job that we
 * left alone asks again at most once for each leg of it that broke, and for the rounds of a run that was lost, its lease
 * having run out before anybody could take it up (a leg killed or its event lost, while Studio is down or a dead
 * dispatcher holds the lock). Beside it stands the
 * bound on all rounds, which counts the jobs whose lease was taken away too; in a run of few jobs one such job is more
 * than the bound by itself, so that below 250 jobs it is not looked at.
 */
function roundsBroken(
  { roundsAsked, roundsNeeded }: Pick<Verdict, "roundsAsked" | "roundsNeeded">,
  cases: readonly CaseEnd[],
): readonly string[] {
  const isOver = cases.length >= 250 && roundsAsked > roundsNeeded * roundsBound;
  return [
    ...over("jobs asked again although no leg of theirs had broken", cases.filter(asksForNothing).length),
    ...(isOver
      ? [
          `${roundsAsked} rounds were asked of the model, ${roundsNeeded} were needed: more than ${roundsBound} times`,
        ]
      : []),
  ];
}

const endStates: readonly EndState[] = ["completed", "failed", "lost"];

const closedAs = (state: EndState, { runs }: Evidence): number =>
  runs.filter((run) => run.state === state).length;

/** Each closed run is counted once, as what it ended. A process that is killed between the two may leave one out. */
function countsBroken(evidence: Evidence): readonly string[] {
  const missing = endStates.map((state) => closedAs(state, evidence) - evidence.counted[state]);
  const twice = sum(missing, (count) => Math.max(0, -count));
  const never = sum(missing, (count) => Math.max(0, count));
  return [
    ...over("runs counted more than once, or as another end", twice),
    ...over("runs closed and not counted", Math.max(0, never - evidence.killedAtClose)),
  ];
}

const asksForNothing = ({ isTaken, asked, brokenLegs, lostRounds }: CaseEnd): boolean =>
  !isTaken && total(asked) - asked.size > brokenLegs + lostRounds;

/** A poisoned job needs no more rounds than it got to. */
function neededBy({ kind, asked }: CaseEnd, { roundsOfKind }: Evidence): number {
  const needed = roundsOfKind.get(kind.name) ?? 0;
  return kind.isPoison ? Math.min(needed, asked.size) : needed;
}

const completions = ({ workspaceId }: CaseEnd, { runs }: Evidence): number =>
  runs.filter((run) => run.workspaceId === workspaceId && run.state === "completed" && run.reason === "ok")
    .length;

interface Reason {
  readonly name: string;
  readonly isTrue: boolean;
}

/** Ends that Lambda saw. */
const seenByLambda =
  "crashed|ran out of memory|was killed(?: \\(as happens when memory runs out\\))?|ran out of time";
const multiples: Readonly<Record<string, number>> = { " twice": 2, " three times": 3, " four times": 4 };

/** How often a failure names such an end. */
function named(failure: string | null, words: string): number {
  const found = [...(failure ?? "").matchAll(new RegExp(`(?:${words})( twice| \\w+ times)?`, "g"))];
  return sum(found, ([, times]) => multiples[times ?? ""] ?? 1);
}

/**
 * No more is named than was done: broken invocations that Lambda saw; lost, late and unsent events; and silence, which
 * is what a broken invocation leaves when the news of it is lost, or a beat that came to nothing.
 */
function isTrueOfWorker({ brokenLegs, unstarted, failedBeats, summary: { failure } }: CaseEnd): boolean {
  const seen = named(failure, seenByLambda);
  return (
    seen <= brokenLegs &&
    named(failure, "could not be started") <= unstarted &&
    named(failure, "fell silent") <= brokenLegs - seen + failedBeats
  );
}

/** Trouble of the model while one of the job's runs was at work. */
const metModelFault = ({ workspaceId }: CaseEnd, { runs, modelFaultsAtMs }: Evidence): boolean =>
  runs
    .filter((run) => run.workspaceId === workspaceId)
    .some(({ leasedAtMs, endedAtMs = Number.POSITIVE_INFINITY }) =>
      modelFaultsAtMs.some((atMs) => atMs >= leasedAtMs && atMs <= endedAtMs),
    );

/** What a user may read, and when it is true. */
const reasons: readonly {
  readonly name: string;
  readonly pattern: RegExp;
  readonly isTrue: (one: CaseEnd, evidence: Evidence) => boolean;
}[] = [
  {
    name: "its worker broke each time",
    pattern: /^The worker /,
    isTrue: isTrueOfWorker,
  },
  {
    name: "the model was not available",
    pattern: /model's provider is not available/i,
    isTrue: metModelFault,
  },
  {
    name: "the runner's records were out of reach",
    pattern: /its own records/,
    isTrue: (_, { hit }) => hit.ledger,
  },
  {
    name: "the runner's keys were out of reach",
    pattern: /could not read its keys/,
    isTrue: (_, { hit }) => hit.secrets,
  },
];

function reasonOf(one: CaseEnd, evidence: Evidence): Reason {
  const text = one.summary.failure ?? "";
  if (one.kind.fails) return { name: `${one.kind.name}, as it should be`, isTrue: one.kind.fails.test(text) };
  const row = reasons.find(({ pattern }) => pattern.test(text));
  return {
    name: row?.name ?? `unforeseen: ${text.slice(0, 120)}`,
    isTrue: row?.isTrue(one, evidence) ?? false,
  };
}

const sum = <T>(rows: readonly T[], of: (row: T) => number): number =>
  rows.reduce((all, row) => all + of(row), 0);

export function countBy(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
