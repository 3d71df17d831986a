import type { Logger } from "@aws-lambda-powertools/logger";

/** The names of all log events. The set is closed, so that queries and docs can rely on it. */
export type LogEvent =
  | "cycle_ended"
  | "poll_failed"
  | "reaper_failed"
  | "job_leased"
  | "lease_dropped"
  | "attempt_started"
  | "attempt_duplicate"
  | "lease_renewed"
  | "heartbeat_accepted"
  | "heartbeat_failed"
  | "lease_lost"
  | "prior_context"
  | "round_started"
  | "tool_called"
  | "round_ended"
  | "call_retried"
  | "key_refetched"
  | "background_stream_refused"
  | "background_refused"
  | "completion_unconfirmed"
  | "report_failed"
  | "cancel_failed"
  | "backoff_unavailable"
  | "lock_not_released"
  | "good_poll_not_recorded"
  | "spend_not_recorded"
  | "price_unknown"
  | "daily_cap_reached"
  | "attempt_superseded"
  | "attempt_continued"
  | "attempt_restarted"
  | "recovery_ended"
  | "attempt_not_invoked"
  | "job_resumed"
  | "run_superseded"
  | "workspace_left_alone"
  | "job_started_over"
  | "payload_refused"
  | "pool_held_back"
  | "tier_fallback"
  | "row_unreadable"
  | "run_ended"
  | "rotation_step"
  | "key_minted"
  | "key_revoked"
  | "key_not_revocable"
  | "stopping";

/** All fields that a line can have. Never a prompt, a key or an answer's text; `preview` only if a setting enables it. */
export interface LogFields {
  readonly pool?: string | undefined;
  readonly workspaceId?: string | undefined;
  readonly runId?: string | undefined;
  readonly attempt?: number | undefined;
  /** Of the same workspace. */
  readonly earlierRunId?: string | undefined;
  readonly keyId?: string | undefined;
  readonly state?: string | undefined;
  /** An error code, or a cycle's reason. */
  readonly reason?: string | undefined;
  readonly explanation?: string | undefined;
  readonly error?: Error | undefined;
  readonly polls?: number | undefined;
  readonly leased?: number | undefined;
  readonly inFlight?: number | undefined;
  readonly round?: number | undefined;
  readonly rounds?: number | undefined;
  readonly calls?: number | undefined;
  /** The model failed, refused, or its answer was cut off. */
  readonly unusable?: boolean | undefined;
  /** One of our tools' names. */
  readonly tool?: string | undefined;
  readonly tools?: readonly string[] | undefined;
  readonly responseId?: string | undefined;
  readonly waitMs?: number | undefined;
  readonly losses?: number | undefined;
  readonly elapsedMs?: number | undefined;
  readonly leaseLeftMs?: number | undefined;
  readonly inputTokens?: number | undefined;
  readonly cachedInputTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
  readonly cacheWriteTokens?: number | undefined;
  readonly reasoningTokens?: number | undefined;
  readonly webSearches?: number | undefined;
  readonly model?: string | undefined;
  /** The provider's service tier. */
  readonly tier?: string | undefined;
  /** Estimated. */
  readonly costUsd?: number | undefined;
  readonly spentUsd?: number | undefined;
  readonly capUsd?: number | undefined;
  readonly deliverables?: Readonly<Record<string, number>> | undefined;
  readonly what?: string | undefined;
  readonly starts?: number | undefined;
  readonly reaped?: number | undefined;
  readonly requestId?: string | undefined;
  /** The beginning of the job's newest message (setting monitoring.previewCharacters). */
  readonly preview?: string | undefined;
}

export interface Log {
  info(event: LogEvent, fields?: LogFields): void;
  warn(event: LogEvent, fields?: LogFields): void;
  error(event: LogEvent, fields?: LogFields): void;
  /** A log that adds these fields to every line. */
  with(fields: LogFields): Log;
}

/** One JSON line per event through Powertools; the level comes from Lambda's own logging settings. */
export function createJsonLog(logger: Logger): Log {
  return wrap(logger, {});
}

function wrap(logger: Logger, context: LogFields): Log {
  const write =
    (level: "info" | "warn" | "error") =>
    (event: LogEvent, fields: LogFields = {}): void =>
      logger[level](event, { ...context, ...fields });
  return {
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    with: (fields) => wrap(logger, { ...context, ...fields }),
  };
}
