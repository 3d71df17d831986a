import { toRunnerError, type ErrorCode, type RunnerError } from "../core/errors.ts";
import type { OutcomeState } from "../runs/run.ts";
import type { Product } from "./work-context.ts";

/** How an attempt that did not complete ends: the user gets a reason, nothing more is posted, the next attempt continues, or the reaper takes over. */
export type FailureState = "failed" | "lost" | "superseded" | "continued" | "stopped";

/** Codes that do not fail the job. Every other code fails it, with a reason for the user. */
const quietEndings: Partial<Record<ErrorCode, FailureState>> = {
  attempt_deadline: "continued",
  lease_lost: "lost",
  key_refused: "lost",
  shutdown: "stopped",
  superseded: "superseded",
};

export function stateAfter(error: RunnerError): FailureState {
  return quietEndings[error.code] ?? "failed";
}

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

/** How an attempt ended, before it is written to the run store. */
export interface Outcome {
  readonly state: OutcomeState | "superseded" | "continued" | "stopped";
  readonly reason: string;
  readonly explanation?: string | undefined;
  /** It is unknown whether Studio accepted the post that ends the job. */
  readonly unconfirmed?: true | undefined;
  readonly product?: Product | undefined;
  /** A bug of ours. The entry point rethrows it, so that the function's error alarm fires. */
  readonly defect?: unknown;
}

/** The deliverables were posted and probably accepted. */
export const unconfirmed = { state: "completed", reason: "unconfirmed", unconfirmed: true } as const;

export interface Failure {
  readonly error: RunnerError;
  readonly state: FailureState;
  /** A sentence for the user: at most 500 characters are shown (studio-api.md, `/failWorkspaceJob`). */
  readonly explanation: string;
}

export function classifyError(thrown: unknown): Failure {
  const error = toRunnerError(thrown);
  return { error, state: stateAfter(error), explanation: plainWords[error.code] ?? error.message };
}
