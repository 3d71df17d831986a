import { total } from "./jobs.ts";
import type { CaseEnd } from "./evidence.ts";
import type { PacedCall } from "./pace.ts";
import type { RowWrite } from "./row-history.ts";
import type { Attempt } from "./watch.ts";

export interface Rounds {
  readonly asked: number;
  readonly needed: number;
  /** Rounds requested more than once in jobs whose lease was really taken away. */
  readonly askedAfterTaking: number;
}

const repeats = ({ asked }: CaseEnd): number => total(asked) - asked.size;
const sum = (cases: readonly CaseEnd[], of: (one: CaseEnd) => number): number =>
  cases.reduce((all, one) => all + of(one), 0);

/** A poison job needs no more rounds than it reached. */
function neededBy({ kind, asked }: CaseEnd, roundsOfKind: ReadonlyMap<string, number>): number {
  const needed = roundsOfKind.get(kind.name) ?? 0;
  return kind.isPoison ? Math.min(needed, asked.size) : needed;
}

export const roundsOf = (cases: readonly CaseEnd[], roundsOfKind: ReadonlyMap<string, number>): Rounds => ({
  asked: sum(cases, ({ asked }) => total(asked)),
  needed: sum(cases, (one) => neededBy(one, roundsOfKind)),
  askedAfterTaking: sum(cases, (one) => (one.isTaken ? repeats(one) : 0)),
});

/**
 * An attempt that is killed, frozen or cut off between requesting a round and recording the response's id
 * requests it again (docs/reliability.md). So a job may repeat a round once for each such attempt, once for
 * an attempt whose run was taken over between the two, and for the rounds of a run whose lease was really
 * taken away. A lease that Studio gave to the same key twice was not taken away.
 */
export const hasUnexplainedRounds = (one: CaseEnd): boolean =>
  repeats(one) > one.disturbedAttempts + one.takenRounds + one.crossedRounds;

interface Seen {
  readonly requests: readonly (PacedCall & { readonly method: string; readonly path: string })[];
  readonly writes: readonly Pick<
    RowWrite,
    "runId" | "attempt" | "state" | "caller" | "atMs" | "responseId"
  >[];
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
    if (asked === undefined || asked.at < fromMs) return false;
    const before = ofRun.findLast(({ atMs }) => atMs < asked.at)?.responseId;
    // A heartbeat writes the row too, and does not know the new id yet.
    return !ofRun.some(
      ({ caller, atMs, responseId }) => caller === environment && atMs >= asked.at && responseId !== before,
    );
  }).length;
}

const isClosed = ({ state }: Pick<RowWrite, "state">): boolean => state !== "leased" && state !== "running";
