import { abortAfter, type Timeout, type Clock } from "../core/clock.ts";
import { RunnerError } from "../core/errors.ts";
import { timing } from "../core/timing.ts";

/** Epoch ms: when no new round may start, when work must stop, and when reporting must stop. */
export interface Deadlines {
  readonly askMs: number;
  readonly workMs: number;
  readonly reportMs: number;
}

/** Functions with a short timeout get shorter reserves. */
export function deadlinesOf(nowMs: number, remainingMs: number): Deadlines {
  const workMs = nowMs + remainingMs - Math.min(timing.attemptReserveMs, remainingMs / 4);
  return {
    askMs: workMs - Math.min(timing.askMarginMs, remainingMs / 8),
    workMs,
    reportMs: nowMs + remainingMs - Math.min(timing.hardReserveMs, remainingMs / 20),
  };
}

export interface WorkLimits {
  readonly workMs: number;
  /** When the run's own time limit ends, independent of the attempt's. */
  readonly runEndsAtMs: number;
  readonly runLimitMs: number;
  readonly outer: AbortSignal;
}

/** Aborts with `attempt_deadline` or `run_limit`, whichever comes first; or as `outer` does. */
export function workTimeout(clock: Clock, { workMs, runEndsAtMs, runLimitMs, outer }: WorkLimits): Timeout {
  const reason = runEndsAtMs <= workMs ? () => runLimit(runLimitMs) : attemptDeadline;
  return abortAfter(clock, { afterMs: Math.min(runEndsAtMs, workMs) - clock.now(), reason, outer });
}

/** The time limit for reporting a failure: until work would have had to stop, or what is left after that. */
export function reportTimeout(clock: Clock, { workMs, reportMs }: Deadlines, outer: AbortSignal): Timeout {
  const untilMs = clock.now() < workMs ? workMs : reportMs;
  return abortAfter(clock, { afterMs: untilMs - clock.now(), reason: attemptDeadline, outer });
}

/** @throws RunnerError `attempt_deadline` if a response's id might arrive too late to be recorded */
export function requireTimeToAsk(clock: Clock, { askMs }: Deadlines): void {
  if (clock.now() >= askMs) throw attemptDeadline();
}

const attemptDeadline = (): RunnerError =>
  new RunnerError("attempt_deadline", "the time of one invocation is over");

const runLimit = (limitMs: number): RunnerError => new RunnerError("run_limit", overRunLimit(limitMs));

/** What the job's user reads when the run limit is reached. */
export const overRunLimit = (limitMs: number): string =>
  `The job did not end within ${Math.round(limitMs / 6_000) / 10} minutes.`;
