import { total } from "./jobs.ts";
import type { CaseEnd } from "./evidence.ts";
import type { PacedCall } from "./pace.ts";
import type { RowWrite } from "./row-history.ts";
import type { Attempt } from "./watch.ts";

/** The maximum number of rounds requested, as a share of the rounds needed. */
export const roundsBound = 1.02;
/** With fewer jobs, one failed process can exceed the bound by itself. */
const boundHoldsFrom = 250;

export interface Rounds {
  readonly asked: number;
  readonly needed: number;
  /** Rounds requested more than once: in jobs whose lease was really taken away, and in all others. */
  readonly again: { readonly taken: number; readonly others: number };
  /** The jobs that asked more often than their faults explain. */
  readonly repeated: readonly {
    readonly tag: string;
    readonly workspaceId: string;
    readonly rounds: string;
  }[];
}

const repeats = ({ asked }: CaseEnd): number => total(asked) - asked.size;
const sum = (cases: readonly CaseEnd[], of: (one: CaseEnd) => number): number =>
  cases.reduce((all, one) => all + of(one), 0);

/** A poison job needs no more rounds than it reached. */
function neededBy({ kind, asked }: CaseEnd, roundsOfKind: ReadonlyMap<string, number>): number {
  const needed = roundsOfKind.get(kind.name) ?? 0;
  return kind.isPoison ? Math.min(needed, asked.size) : needed;
}

/**
 * An attempt that is killed, frozen or cut off between requesting a round and recording the response's id
 * requests it again (docs/reliability.md). So a job may repeat a round once for each such attempt, once for
 * an attempt whose run was taken over between the two, and for the rounds of a run whose lease was really
 * taken away. A lease that Studio gave to the same key twice was not taken away.
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

/**
 * Rounds that an attempt requested directly before another process finished its run or started the next
 * attempt, so that it could not record their ids.
 */
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
