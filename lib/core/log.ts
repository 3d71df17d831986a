/** The names of all log events. The set is closed, so that queries and docs can rely on it. */
export type LogEvent =
  | "cycle_ended"
  | "poll_failed"
  | "reaper_failed"
  | "job_leased"
  | "lease_dropped"
  | "attempt_began"
  | "attempt_duplicate"
  | "lease_renewed"
  | "heartbeat_failed"
  | "lease_lost"
  | "prior_context"
  | "round_ended"
  | "call_retried"
  | "completion_unconfirmed"
  | "report_failed"
  | "cancel_failed"
  | "backoff_unavailable"
  | "lock_not_released"
  | "spend_not_noted"
  | "price_unknown"
  | "daily_cap_reached"
  | "attempt_superseded"
  | "attempt_continued"
  | "attempt_restarted"
  | "recovery_ended"
  | "attempt_not_invoked"
  | "job_resumed"
  | "job_taken_over"
  | "run_superseded"
  | "workspace_left_alone"
  | "job_started_over"
  | "payload_refused"
  | "pool_held_back"
  | "tier_left"
  | "row_unreadable"
  | "run_ended"
  | "rotation_step"
  | "key_minted"
  | "key_revoked"
  | "key_not_revocable"
  | "stopping";

/** All fields that a line can have. Never a prompt, a key or an answer's text; `preview` only if a setting enables it. */
export interface LogFields {
  readonly pool?: string;
  readonly workspaceId?: string;
  readonly runId?: string;
  readonly attempt?: number;
  /** Of the same workspace. */
  readonly earlierRunId?: string;
  readonly keyId?: string;
  readonly state?: string;
  /** An error code, or a cycle's reason. */
  readonly reason?: string;
  readonly explanation?: string;
  readonly error?: Error;
  readonly polls?: number;
  readonly leased?: number;
  readonly inFlight?: number;
  readonly round?: number;
  readonly rounds?: number;
  readonly calls?: number;
  readonly responseId?: string | undefined;
  readonly waitMs?: number;
  readonly losses?: number;
  readonly elapsedMs?: number;
  readonly leaseLeftMs?: number;
  readonly inputTokens?: number;
  readonly cachedInputTokens?: number;
  readonly outputTokens?: number;
  readonly cacheWriteTokens?: number;
  readonly reasoningTokens?: number;
  readonly webSearches?: number;
  readonly model?: string;
  /** The provider's service tier. */
  readonly tier?: string | undefined;
  /** Estimated. */
  readonly costUsd?: number | undefined;
  readonly spentUsd?: number;
  readonly capUsd?: number;
  readonly deliverables?: Readonly<Record<string, number>>;
  readonly what?: string;
  readonly starts?: number;
  readonly reaped?: number;
  readonly requestId?: string;
  /** The beginning of the job's newest message (setting monitoring.previewCharacters). */
  readonly preview?: string;
}

export interface Log {
  info(event: LogEvent, fields?: LogFields): void;
  warn(event: LogEvent, fields?: LogFields): void;
  error(event: LogEvent, fields?: LogFields): void;
  /** A log that adds these fields to every line. */
  with(fields: LogFields): Log;
}
