import { randomUUID } from "node:crypto";
import type { Expression, Item, Table, Update } from "../adapters/dynamodb.ts";
import { moveOnce } from "./conditions.ts";
import { expiryOf, runKey, type AttemptRef, type FinishedRun, type Run } from "./run.ts";

interface ConditionalFinish extends FinishedRun {
  readonly condition: Expression;
}

/** Finishes a run in place of its attempt, which loses its ownership: otherwise its own last write would be accepted too. */
export function finishForAttempt(
  table: Table,
  run: Run,
  finished: ConditionalFinish,
): Promise<Item | undefined> {
  const { set, condition } = moveOnce(randomUUID(), finished.condition);
  return finish(table, run, { ...finished, condition, set, remove: ["invocationId"] });
}

export async function finish(
  table: Table,
  attempt: AttemptRef,
  { progress, atMs, condition, ...finished }: ConditionalFinish & Pick<Update, "set" | "remove">,
): Promise<Item | undefined> {
  const { state, reason, explanation, unconfirmed, costUsd, remove = [] } = finished;
  const outcome = { state, reason, explanation, unconfirmed, costUsd, endedAtMs: atMs };
  const set = { ...progress, ...outcome, expiresAtSeconds: expiryOf(atMs), ...finished.set };
  return table.update(runKey(attempt), { set, remove: ["openIn", ...remove], condition });
}
