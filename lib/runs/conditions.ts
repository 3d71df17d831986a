import type { Expression, Item } from "../adapters/dynamodb.ts";
import type { Fence, Run } from "./run.ts";

/** The conditions under which a run's row may be written (docs/reliability.md). */

/**
 * A write that changes the state that its own condition requires. When its answer is lost it is repeated, and must
 * not mistake its own effect for another process's write.
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

/** The row of a next attempt that no invocation has started yet. */
export function nextAttempt(
  attempt: number,
  atMs: number,
): { readonly set: Item; readonly remove: readonly string[] } {
  return {
    set: { state: "leased", attempt: attempt + 1, calledAtMs: atMs },
    remove: ["invocationId", "requestId", "beganAtMs", "heartbeatAtMs"],
  };
}

/** The caller's invocation owns the run. */
export const owned = "#state = :running AND #invocationId = :invocationId";

export function ownedValues(fence: Fence): Item {
  return { attempt: fence.attempt, running: "running", invocationId: fence.invocationId };
}

/** The run is open and unchanged since it was read: the same attempt, no heartbeat since. */
export function unchangedSinceRead(run: Run): Expression {
  const { attempt, state, heartbeatAtMs } = run;
  const heartbeat =
    heartbeatAtMs === undefined ? "attribute_not_exists(#heartbeatAtMs)" : "#heartbeatAtMs = :heartbeatAtMs";
  return {
    text: `attribute_exists(#openIn) AND #attempt = :attempt AND #state = :state AND ${heartbeat}`,
    values: { attempt, state, ...(heartbeatAtMs === undefined ? {} : { heartbeatAtMs }) },
  };
}

/** The run is open, and what it records of posts that were sent is unchanged since it was read. */
export function openAndPostsUnchanged({
  delivering,
  reporting,
}: Pick<Run, "delivering" | "reporting">): Expression {
  const delivers = delivering
    ? "#delivering = :yes"
    : "(attribute_not_exists(#delivering) OR #delivering <> :yes)";
  const reports = `attribute_${reporting ? "exists" : "not_exists"}(#reporting)`;
  return { text: `attribute_exists(#openIn) AND ${delivers} AND ${reports}`, values: { yes: true } };
}
