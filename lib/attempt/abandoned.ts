import type { Ending } from "../runs/run-store.ts";
import type { Run } from "../runs/run.ts";
import { closeAndCount } from "./count.ts";
import type { Ports } from "./ports.ts";

export type End = Pick<Ending, "state" | "reason" | "explanation" | "unconfirmed">;

export interface Abandonment {
  readonly reason: string;
  /** Studio said that the lease is gone, or gave it to another run of ours. */
  readonly isGone: boolean;
}

/**
 * The outcome of a run that lost its lease while its attempt was silent. If the deliverables or a failure report had been sent, their
 * arrival most probably ended the lease. If the lease expired in an outage, the outcome is unknown.
 */
export function endOfAbandoned({ reporting, delivering }: Run, { reason, isGone }: Abandonment): End {
  if (reporting) return { state: isGone ? "failed" : "lost", ...reporting, unconfirmed: true };
  if (!delivering) return { state: "lost", reason };
  return isGone
    ? { state: "completed", reason: "unconfirmed", unconfirmed: true }
    : { state: "lost", reason, unconfirmed: true };
}

/**
 * Finishes a run for its attempt with `write` and, if the write is accepted, records metrics and spend. `false`: not accepted.
 * @throws RunnerError `run_store_unavailable`
 */
export async function closeAbandoned(
  { clock, metrics, spend, log: poolLog }: Pick<Ports, "clock" | "metrics" | "spend" | "log">,
  { run, end }: { readonly run: Run; readonly end: End },
  write: (ending: Ending) => Promise<boolean>,
): Promise<boolean> {
  const atMs = clock.now();
  const { pool, runId, attempt, workspaceId, rounds, usage, model } = run;
  const { state, reason, explanation } = end;
  const log = poolLog.with({ pool, runId, attempt, workspaceId });
  return closeAndCount(
    { metrics, spend, log },
    { run, end: { state, reason, atMs, usage, model }, logFields: { rounds, explanation } },
    (costUsd) => write({ ...end, atMs, costUsd }),
  );
}
