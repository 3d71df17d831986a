import type { Case, JobKind } from "./jobs.ts";
import type { FaultKind } from "./kinds.ts";
import type { ChaosOptions } from "./options.ts";
import { pick, shuffled, type Random } from "./random.ts";
import { oddBodies } from "./studio-faults.ts";

/** A job, and what is done to it besides the faults that strike anybody. */
export interface PlannedCase extends Case {
  /** The tag of the job in whose workspace it comes as a second message. */
  readonly follows?: string;
  /** It comes at once, or when the first job runs. */
  readonly comes?: "at once" | "later";
  /** The answer to the first job's end is lost. */
  readonly isEndLost?: true;
  readonly again?: "same" | "other";
  /** Of each lease; or, where it is 50 ms, of the first ones. */
  readonly leaseMs?: 50 | 5_000;
  /** What every answer to a heartbeat of it holds. */
  readonly oddHeartbeats?: string;
  /** Its first attempt stands still, or cannot reach the run store, for longer than the others wait for it. */
  readonly halt?: "at work" | "before the post" | "cut off";
}

/** Of all jobs. */
const shares = {
  second: 0.15,
  again: 0.12,
  fiveSeconds: 0.06,
  fiftyMs: 0.015,
  oddHeartbeats: 0.02,
  halted: 0.02,
};

interface PlanOptions extends Pick<ChaosOptions, "jobs" | "kinds" | "only"> {
  /** Of the first one's tag. */
  readonly from?: number;
}

/** `jobs` cases, second messages among them: one of each kind first, then by their weights. */
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

/** A few more: as many of them as there may be get a treatment, or fail by themselves. */
export function furtherCases(options: PlanOptions, random: Random): readonly PlannedCase[] {
  const kinds = options.kinds.filter(({ pace, fails }) => pace !== undefined || fails !== undefined);
  return planCases({ ...options, kinds, jobs: furtherJobs }, random);
}

interface Seconds {
  readonly count: number;
  readonly kinds: readonly JobKind[];
  readonly random: Random;
}

/** Not for poison: which job of the workspace kills its process could not be told. */
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
  /** For the first, second … of them. */
  readonly what: (at: number) => Partial<PlannedCase>;
}

function treatmentsFor(kinds: readonly JobKind[]): readonly Treatment[] {
  const kindOf = (pace: JobKind["pace"]): Partial<PlannedCase> => {
    const kind = kinds.find((one) => one.pace === pace);
    return kind === undefined ? {} : { kind };
  };
  // Others take it for dead within seconds, and it still has work to do then.
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
      // Still at work when its key, or another one, asks for the next lease.
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

/** Each job gets one treatment at most. */
function treat(cases: readonly PlannedCase[], { options, countOf, random }: Treatments) {
  const { only, kinds } = options;
  // The first ones are one of each kind, and stay so.
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
