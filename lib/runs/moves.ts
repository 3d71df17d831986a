import type { Expression, Item } from "../adapters/dynamodb.ts";
import type { Fence, Run } from "./run.ts";

/** The conditions under which a run's row may be written (DESIGN.md, "Promises"). */

/**
 * A write that takes the run from the state of its own condition. It is repeated when its answer was lost, and must
 * not take its own effect for another hand's.
 */
export function moveOnce(
  movedBy: string,
  { text, values }: Expression,
): { readonly set: Item; readonly condition: Expression } {
  return {
    set: { movedBy },
    condition: { text: `(${text}) OR #movedBy = :movedBy`, values: { ...values, movedBy } },
  };
}

/** The next attempt's row as nobody has begun it yet. */
export function nextAttempt(
  attempt: number,
  atMs: number,
): { readonly set: Item; readonly remove: readonly string[] } {
  return {
    set: { state: "leased", attempt: attempt + 1, calledAtMs: atMs },
    remove: ["invocationId", "requestId", "beganAtMs", "heartbeatAtMs"],
  };
}

/** The caller's invocation works on the run. */
export const owned = "#state = :running AND #invocationId = :invocationId";

export function ownedValues(fence: Fence): Item {
  return { attempt: fence.attempt, running: "running", invocationId: fence.invocationId };
}

/** The row is open, and as it was read: the same attempt, and no heartbeat since. */
export function unmoved(run: Run): Expression {
  const { attempt, state, heartbeatAtMs } = run;
  const heartbeat =
    heartbeatAtMs === undefined ? "attribute_not_exists(#heartbeatAtMs)" : "#heartbeatAtMs = :heartbeatAtMs";
  return {
    text: `attribute_exists(#openIn) AND #attempt = :attempt AND #state = :state AND ${heartbeat}`,
    values: { attempt, state, ...(heartbeatAtMs === undefined ? {} : { heartbeatAtMs }) },
  };
}

/** The row is open, and what it says of posts on their way is what was read. */
export function openAndPostingAs({ delivering, reporting }: Run): Expression {
  const delivers = delivering
    ? "#delivering = :yes"
    : "(attribute_not_exists(#delivering) OR #delivering <> :yes)";
  const reports = `attribute_${reporting ? "exists" : "not_exists"}(#reporting)`;
  return { text: `attribute_exists(#openIn) AND ${delivers} AND ${reports}`, values: { yes: true } };
}
