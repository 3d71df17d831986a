import { heartbeatIntervalMs } from "../lib/attempt/lease-heartbeat.ts";
import type { Clock } from "../lib/core/clock.ts";
import { printable } from "../lib/core/text.ts";
import type { RunStore } from "../lib/runs/run-store.ts";
import type { Cancellation, Run, RunRef } from "../lib/runs/run.ts";
import { CliError } from "./errors.ts";
import { formatAge, formatDuration } from "./format.ts";

export interface CancelPorts {
  readonly runs: Pick<RunStore, "cancel" | "read">;
  readonly clock: Pick<Clock, "now">;
}

/** Who cancels, as Studio's user may read it, and why. */
export type CancelRequest = Pick<Cancellation, "by" | "why">;

export interface CancelledRun {
  readonly run: Run;
  readonly cancelled: Cancellation;
  /** False: the run was cancelled already, and who cancelled it and why are unchanged. */
  readonly changed: boolean;
}

/**
 * Marks a run as cancelled. What follows is the work of its attempt, or of recovery if that has died.
 * @throws CliError `not_found`; `refused`, when it is too late
 */
export async function cancelRun(
  { runs, clock }: CancelPorts,
  ref: RunRef,
  { by, why }: CancelRequest,
): Promise<CancelledRun> {
  const marked = await runs.cancel(ref, { by, why, atMs: clock.now() });
  const run = marked ?? (await runs.read(ref.pool, ref.runId));
  if (!run) throw new CliError("not_found", `There is no run ${printable(ref.runId)}.`);
  if (run.cancelled && run.openIn !== undefined)
    return { run, cancelled: run.cancelled, changed: marked !== undefined };
  throw new CliError("refused", whyTooLate(run));
}

function whyTooLate(run: Run): string {
  const { runId, state, reason, openIn, reporting, delivering } = run;
  if (openIn === undefined) {
    const why = reason === undefined || reason === "ok" ? "" : `, ${reason}`;
    return printable(`Run ${runId} has ended: ${state}${why}.`);
  }
  if (reporting)
    return printable(`Run ${runId} has failed (${reporting.reason}), and Studio is being told so.`);
  if (delivering) return `The result of run ${runId} is being delivered: it is too late to cancel it.`;
  return `Run ${runId} changed at this very moment. Try again.`;
}

/** "ann" for `arn:aws:sts::123456789012:assumed-role/Admin/ann`: Studio's users learn no account and no role. */
export const shortName = (caller: string): string => caller.split(/[/:]/).at(-1) || "an operator";

/** How soon the run's attempt sees the mark; `undefined`: when it starts. */
export const seenWithinMs = ({ state, leaseMs }: Run): number | undefined =>
  state === "running" ? heartbeatIntervalMs(leaseMs, () => 1) : undefined;

/** What happens next, in sentences. */
export function cancelledText({ run, cancelled, changed }: CancelledRun, nowMs: number): string {
  const { by, why, atMs } = cancelled;
  const withinMs = seenWithinMs(run);
  const next =
    withinMs === undefined
      ? "Its attempt has not started yet; as soon as it does, it fails the job without asking the model."
      : `Its attempt stops at its next heartbeat, within ${formatDuration(withinMs)}, and fails the job.`;
  const already = `was cancelled already by ${by}, ${formatAge(nowMs - atMs)}${why === undefined ? "" : `: ${why}`}`;
  return printable(`Run ${run.runId} ${changed ? "is cancelled" : already}. ${next}`);
}
