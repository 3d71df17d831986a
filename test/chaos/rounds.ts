import { total } from "./jobs.ts";
import type { CaseEnd } from "./evidence.ts";
import type { PacedCall } from "./pace.ts";
import type { RowWrite } from "./row-history.ts";
import type { Attempt } from "./watch.ts";

/** The bound on rounds asked, as a share of the rounds needed. */
export const roundsBound = 1.02;
/** In a run of fewer jobs one broken process can be more than the bound by itself. */
const boundHoldsFrom = 250;

export interface Rounds {
  readonly asked: number;
  readonly needed: number;
  /** Asked more than once: in jobs whose lease was really taken away, and in all others. */
  readonly again: { readonly taken: number; readonly others: number };
  /** The jobs that asked more often than what befell them allows. */
  readonly repeated: readonly {
    readonly tag: string;
    readonly workspaceId: string;
    readonly rounds: string;
  }[];
}

const repeats = ({ asked }: CaseEnd): number => total(asked) - asked.size;
const sum = (cases: readonly CaseEnd[], of: (one: CaseEnd) => number): number =>
  cases.reduce((all, one) => all + of(one), 0);

/** A poisoned job needs no more rounds than it got to. */
function neededBy({ kind, asked }: CaseEnd, roundsOfKind: ReadonlyMap<string, number>): number {
  const needed = roundsOfKind.get(kind.name) ?? 0;
  return kind.isPoison ? Math.min(needed, asked.size) : needed;
}

/**
 * An attempt that is killed, frozen or cut off between asking and noting the response's id asks once more
 * (docs/reliability.md): a job asks again at most once for each attempt of it to which that was done, and for the rounds of a
 * run whose lease was really taken away, and once for an attempt whose run passed into another hand between the two. A lease
 * that Studio gave twice to one key was not taken away.
 */
const asksForNothing = (one: CaseEnd): boolean =>
  repeats(one) > one.disturbedAttempts + one.takenRounds + one.crossedRounds;

export function roundsOf(cases: readonly CaseEnd[], roundsOfKind: ReadonlyMap<string, number>): Rounds {
  return {
    asked: sum(cases, ({ asked }) => total(asked)),
    needed: sum(cases, (one) => neededBy(one, roundsOfKind)),
    again: {
      taken: sum(
        cases.filter(({ isTaken }) => isTaken),
        repeats,
      ),
      others: sum(
        cases.filter(({ isTaken }) => !isTaken),
        repeats,
      ),
    },
    repeated: cases
      .filter(asksForNothing)
      .map(({ tag, workspaceId, asked }) => ({ tag, workspaceId, rounds: [...asked.values()].join(" ") })),
  };
}

export function roundsBroken(rounds: Rounds, jobs: number): readonly string[] {
  const { asked, needed, again, repeated } = rounds;
  const own = asked - again.taken;
  const isOver = jobs >= boundHoldsFrom && own > needed * roundsBound;
  return [
    ...(repeated.length === 0
      ? []
      : [`${repeated.length} jobs asked again although no attempt of theirs had broken`]),
    ...(isOver
      ? [`${own} rounds were asked of the model, ${needed} were needed: more than ${roundsBound} times`]
      : []),
  ];
}

interface Seen {
  readonly requests: readonly (PacedCall & { readonly method: string; readonly path: string })[];
  readonly writes: readonly Pick<RowWrite, "runId" | "attempt" | "state" | "caller" | "atMs">[];
}

/** Rounds that an attempt asked for right before another hand closed its run or began the next attempt, so that it could not note their ids. */
export function crossedRounds({ requests, writes }: Seen, attempts: readonly Attempt[]): number {
  return attempts.filter(({ runId, environment, attempt, fromMs }) => {
    const ofRun = writes.filter((write) => write.runId === runId);
    const taken = ofRun.find(
      (write) =>
        write.caller !== environment &&
        (write.attempt > attempt || (write.attempt === attempt && isClosed(write))),
    );
    if (taken === undefined) return false;
    const asked = requests.findLast(
      ({ caller, method, path, at }) =>
        caller === environment && at <= taken.atMs && method === "POST" && path === "/v1/responses",
    );
    return (
      asked !== undefined &&
      asked.at >= fromMs &&
      !ofRun.some(({ caller, atMs }) => caller === environment && atMs >= asked.at)
    );
  }).length;
}

const isClosed = ({ state }: Pick<RowWrite, "state">): boolean => state !== "leased" && state !== "running";
