import { asSentence } from "../core/text.ts";
import { timing } from "../core/timing.ts";
import { RunnerError, toRunnerError, type ErrorCode } from "../core/errors.ts";
import type { Cancellation, FailureReport, Outcome, OutcomeState } from "../runs/run.ts";
import type { Product } from "./work-context.ts";

/**
 * The outcome of an attempt: the run's own, or one that leaves the run unfinished. `superseded`: another attempt or run has taken over;
 * `continued`: the next attempt goes on; `stopped`: the process is asked to end, and the reaper restarts the run.
 */
export interface AttemptOutcome extends Omit<Outcome, "state"> {
  readonly state: OutcomeState | "superseded" | "continued" | "stopped";
  readonly product?: Product | undefined;
  /** A bug of ours. The entry point rethrows it, so that the function's error alarm fires. */
  readonly defect?: unknown;
}

/** What an invocation returns. `duplicate`: another invocation runs the attempt. */
export interface AttemptResult extends Pick<AttemptOutcome, "reason" | "defect"> {
  readonly state: AttemptOutcome["state"] | "duplicate";
}

export const superseded = (): RunnerError =>
  new RunnerError("superseded", "another attempt or run has taken over, or the run is finished");

/** What the job's user reads when an operator cancelled the run. */
export function cancelledReport({ by, why }: Cancellation): FailureReport {
  const explanation = `This job was cancelled by ${by}${why === undefined ? "" : `: ${why}`}`;
  return { reason: "cancelled", explanation: asSentence(explanation) };
}

export const cancelled = (cancellation: Cancellation): RunnerError =>
  new RunnerError("cancelled", cancelledReport(cancellation).explanation);

/** The deliverables were posted and probably accepted. */
export const completedUnconfirmed = { state: "completed", reason: "unconfirmed", unconfirmed: true } as const;

type StateAfterError = Exclude<AttemptOutcome["state"], "completed">;

/** Codes that do not fail the job. Every other code fails it, with a reason for the user. */
const statesWithoutReport: Partial<Record<ErrorCode, StateAfterError>> = {
  attempt_deadline: "continued",
  lease_lost: "lost",
  key_refused: "lost",
  shutdown: "stopped",
  superseded: "superseded",
};

/** What Studio's user reads in place of an error message that is meant for operators. */
const plainWords: Partial<Record<ErrorCode, string>> = {
  internal: "The runner failed because of a defect of its own. Its operator finds the details in the log.",
  run_store_unavailable: "The runner could not reach its own records. Please send the message again.",
  model_key_refused:
    "The model provider refused the runner's key. The operator of this runner has to set a valid key.",
  secret_missing: "The runner has no key for the model yet. The operator of this runner has to set it.",
  secret_malformed:
    "The runner's key for the model is malformed. The operator of this runner has to set a valid key.",
  secrets_unavailable: "The runner could not read its keys. Please send the message again.",
};

export interface ClassifiedError {
  readonly error: RunnerError;
  /** The outcome that the error leads to. */
  readonly state: StateAfterError;
  /** A sentence for the user: at most 500 characters are shown (Studio API, "Fail job"). */
  readonly explanation: string;
}

export function classifyError(thrown: unknown): ClassifiedError {
  const error = toRunnerError(thrown);
  const state = statesWithoutReport[error.code] ?? "failed";
  return { error, state, explanation: plainWords[error.code] ?? asSentence(error.message) };
}

/** The failure of a run whose attempts are used up. */
export const tooManyContinuations = {
  reason: "too_many_continuations",
  explanation: `The job did not end within ${timing.maxContinuations + 1} invocations of the runner.`,
} as const;
