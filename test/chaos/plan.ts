import type { Case, JobKind } from "./jobs.ts";
import type { FaultKind } from "./kinds.ts";
import type { ChaosOptions } from "./options.ts";
import { pick, shuffled, type Random } from "./random.ts";
import { oddBodies } from "./studio-faults.ts";

/** A job, and what is done to it apart from the random faults. */
export interface PlannedCase extends Case {
  /** The tag of the job in whose workspace this one is a second message. */
  readonly follows?: string;
  /** The second message is sent at once, or when the first job runs. */
  readonly comes?: "at once" | "later";
  /** Whether the answer to the call that ends the first job is lost. */
  readonly isEndLost?: true;
  readonly again?: "same" | "other";
  /** The duration of each lease; with 50 ms, of the first ones only. */
  readonly leaseMs?: 50 | 5_000;
  /** An unusual value in every answer to its heartbeats. */
  readonly oddHeartbeats?: string;
  /** Its first attempt is frozen, or cannot reach the run store, until the others consider it dead. */
  readonly halt?: "at work" | "before the post" | "cut off";
}

/** Shares of all jobs. */
const shares = {
  second: 0.15,
  again: 0.12,
  fiveSeconds: 0.06,
  fiftyMs: 0.015,
  oddHeartbeats: 0.02,
  halted: 0.02,
};

interface PlanOptions extends Pick<ChaosOptions, "jobs" | "kinds" | "only"> {
  /** Where the number in the first job's tag starts. */
  readonly from?: number;
}

/** Plans `jobs` cases, including second messages: first one of each kind, then by weight. */
export function planCases(options: PlanOptions, random: Random): readonly PlannedCase[] {
  const { only, jobs, from = 1 } = options;
  const kinds = options.kinds.filter(({ isPoison }) => !isPoison || only.has("kills"));
  const countOf = (share: number): number => Math.max(2, Math.round(share * jobs));
  const seconds = only.has("second-message") ? Math.min(countOf(shares.second), Math.floor(jobs / 2)) : 0;
  const firsts = Array.from({ length: jobs - seconds }, (_, at): PlannedCase => {
    return { tag: `case-${from + at}`, kind: kinds[at] ?? pick(random, kinds) };
  });
  const treated = treat(firsts, { options: { ...options, kinds }, countOf, random });
  return [...treated, ...secondsOf(treated, { count: seconds, kinds, random })];
}

const furtherJobs = 24;

/** Plans a few more cases. As many as allowed get a treatment or fail by themselves. */
export function furtherCases(options: PlanOptions, random: Random): readonly PlannedCase[] {
  const kinds = options.kinds.filter(({ pace, fails }) => pace !== undefined || fails !== undefined);
  return planCases({ ...options, kinds, jobs: furtherJobs }, random);
}

interface Seconds {
  readonly count: number;
  readonly kinds: readonly JobKind[];
  readonly random: Random;
}

/** Not for poison jobs, because nobody could tell which job of the workspace kills its process. */
function secondsOf(firsts: readonly PlannedCase[], { count, kinds, random }: Seconds) {
  const harmless = kinds.filter(({ isPoison }) => !isPoison);
  const leaders = shuffled(
    random,
    firsts.filter(({ kind }) => !kind.isPoison),
  ).slice(0, count);
  return leaders.map(({ tag }, at): PlannedCase => ({
    tag: `${tag}b`,
    kind: pick(random, harmless),
    follows: tag,
    comes: at % 2 === 0 ? "at once" : "later",
    ...(at % 4 < 3 ? { isEndLost: true } : {}),
  }));
}

interface Treatments {
  readonly options: PlanOptions;
  readonly countOf: (share: number) => number;
  readonly random: Random;
}

interface Treatment {
  readonly of: FaultKind;
  readonly share: number;
  /** What is done to the first, second and further of these jobs. */
  readonly what: (at: number) => Partial<PlannedCase>;
}

function treatmentsFor(kinds: readonly JobKind[]): readonly Treatment[] {
  const kindOf = (pace: JobKind["pace"]): Partial<PlannedCase> => {
    const kind = kinds.find((one) => one.pace === pace);
    return kind === undefined ? {} : { kind };
  };
  // Others consider it dead within seconds, and it still has work to do then.
  const halted = { leaseMs: 5_000, ...kindOf("slow") } as const;
  const bodies = Object.keys(oddBodies);
  return [
    {
      of: "odd-body",
      share: shares.oddHeartbeats,
      what: (at) => ({ oddHeartbeats: bodies[at % bodies.length]!, leaseMs: 5_000, ...kindOf("long") }),
    },
    {
      of: "doubled-lease",
      share: shares.again,
      // Slow, so that it is still working when its key, or another one, asks for the next lease.
      what: (at) => ({ again: at % 4 === 1 ? "other" : "same", ...kindOf("slow") }),
    },
    { of: "cut-off", share: shares.halted, what: () => ({ ...halted, halt: "cut off" }) },
    {
      of: "frozen",
      share: shares.halted,
      what: (at) => ({ ...halted, halt: at % 2 === 0 ? "at work" : "before the post" }),
    },
    { of: "short-lease", share: shares.fiveSeconds, what: () => ({ leaseMs: 5_000 }) },
    { of: "short-lease", share: shares.fiftyMs, what: () => ({ leaseMs: 50 }) },
  ];
}

/** Gives each job at most one treatment. */
function treat(cases: readonly PlannedCase[], { options, countOf, random }: Treatments) {
  const { only, kinds } = options;
  // The first ones stay one of each kind, without a treatment.
  const others = [...cases.keys()].slice(kinds.length).filter((at) => !cases[at]!.kind.isPoison);
  const free = shuffled(random, others);
  const treated = [...cases];
  for (const { of, share, what } of treatmentsFor(kinds)) {
    if (!only.has(of)) continue;
    free.splice(0, countOf(share)).forEach((at, count) => {
      treated[at] = { ...treated[at]!, ...what(count) };
    });
  }
  return treated;
}
