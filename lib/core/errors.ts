/**
 * The one error family. Every failure that the runner reports carries a stable `code`; the same codes are the
 * reasons in the run store, in logs and in metrics. Anything that is not a `RunnerError` is a bug in the runner.
 */
export type ErrorCode =
  // Studio (lib/studio)
  | "lease_lost" // 403, 404, 409, 410, 412 on a job route, or no successful heartbeat for a whole lease
  | "key_refused" // 401: the runner key is not accepted
  | "studio_contract" // an answer that breaks the API's schema, or HTML with status 200
  | "studio_unavailable" // 408, 429, 5xx, network fault or time-out: try again
  | "studio_rejected" // any other 4xx: our request was wrong
  // Studio, and inference
  | "answer_too_long" // more bytes than the runner reads
  // Model (lib/model)
  | "model_key_refused"
  | "model_access_refused" // Amazon Bedrock: the role, the account or the signature is denied access
  | "model_quota_exhausted"
  | "model_no_capacity" // 429: the requested tier has no capacity
  | "model_unavailable" // 408, 409, 429, 5xx, connection, silence: try again
  | "model_rejected" // any other 4xx
  | "model_contract" // an answer that breaks the Responses schema
  | "model_refused" // the model declined
  | "model_incomplete" // stopped at its output limit
  | "model_content_filtered"
  | "model_empty" // neither text nor a tool call, or neither message nor deliverable at the end
  | "model_failed" // the provider reports the response as failed or cancelled
  | "model_previous_response_missing" // the stored responses that a run resumes from cannot be read
  | "tool_rounds_exceeded"
  | "deliverable_placeholder_mismatch"
  | "assistant_message_too_long"
  // Attempt (lib/attempt)
  | "empty_context"
  | "attempt_deadline" // the attempt's share of the function's time-out is used up: the next attempt continues the run
  | "cancelled" // by an operator
  | "run_limit" // the run lasted longer than it may
  | "too_many_continuations"
  // Crashes and losses of an attempt (lib/attempt/attempt-failure.ts)
  | "crashed"
  | "out_of_memory"
  | "killed"
  | "timed_out"
  | "event_lost" // the attempt's event never arrived, or too late
  | "silent" // the attempt sent no heartbeat
  | "superseded" // a newer attempt owns the run, or it is finished
  // Root
  | "run_store_unavailable"
  | "secret_missing"
  | "secret_malformed"
  | "secrets_unavailable"
  | "sign_in_refused" // the account's refresh token is not accepted (lib/rotation)
  | "sign_in_unavailable"
  | "rotation_superseded" // another value was stored during a rotation (lib/rotation)
  | "invoke_failed"
  | "config_invalid"
  | "event_invalid"
  | "time_limit" // one call's own time limit
  | "shutdown"
  | "internal"; // a bug

export interface RunnerErrorOptions {
  readonly retryable?: boolean | undefined;
  readonly cause?: unknown;
  /** HTTP status of the answer, if there was one. */
  readonly status?: number | undefined;
  /** How long the other side asked us to wait (Retry-After), in milliseconds. */
  readonly retryAfterMs?: number | undefined;
}

/** Has a code and a sentence for people. Never put a key, a header or a request body into either. */
export class RunnerError extends Error {
  override readonly name = "RunnerError";
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: RunnerErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
  }
}

export function hasCode<C extends ErrorCode>(
  error: unknown,
  ...codes: readonly C[]
): error is RunnerError & { readonly code: C } {
  return error instanceof RunnerError && codes.some((code) => code === error.code);
}

/** Converts anything thrown: a RunnerError stays as it is, everything else becomes `internal` with the original as cause. */
export function toRunnerError(thrown: unknown): RunnerError {
  if (thrown instanceof RunnerError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new RunnerError("internal", message, { cause: thrown });
}
