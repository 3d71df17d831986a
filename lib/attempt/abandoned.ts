import type { Ending } from "../runs/run-store.ts";
import type { Run } from "../runs/run.ts";
import type { Clock } from "../core/clock.ts";
import { closeAndCount, type CountDeps } from "./count.ts";

export type End = Pick<Ending, "state" | "reason" | "explanation" | "unconfirmed">;

export interface Abandonment {
  readonly reason: string;
  /** Studio has said that the lease is gone, or has given it to another run of ours. */
  readonly isTold: boolean;
}

/**
 * The end of a run that lost its lease without a word from its attempt. A lease that went while the deliverables or the
 * report of a failure were on their way was most probably taken by their arrival. Of one that ran out in an outage nobody
 * knows.
 */
export function endOfAbandoned({ reporting, delivering }: Run, { reason, isTold }: Abandonment): End {
  if (reporting) return { state: isTold ? "failed" : "lost", ...reporting, unconfirmed: true };
  if (!delivering) return { state: "lost", reason };
  return isTold
    ? { state: "completed", reason: "unconfirmed", unconfirmed: true }
    : { state: "lost", reason, unconfirmed: true };
}

/**
 * Closes a run in its attempt's stead by `write`, and counts its end once. `false`: the run store did not accept it.
 * @throws RunnerError `run_store_unavailable`
 */
export async function closeAbandoned(
  deps: CountDeps & { readonly clock: Clock },
  { run, end }: { readonly run: Run; readonly end: End },
  write: (ending: Ending) => Promise<boolean>,
): Promise<boolean> {
  const atMs = deps.clock.now();
  const { pool, runId, attempt, workspaceId, rounds, usage, model } = run;
  const { state, reason, explanation } = end;
  const log = deps.log.with({ pool, runId, attempt, workspaceId });
  const told = { rounds, ...(explanation === undefined ? {} : { explanation }) };
  return closeAndCount(
    { ...deps, log },
    { run, end: { state, reason, atMs, usage, model }, told },
    (costUsd) => write({ ...end, atMs, costUsd }),
  );
}
