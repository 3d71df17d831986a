import { hasCode, type RunnerError } from "../core/errors.ts";
import type { Run } from "../runs/run.ts";
import type { Metrics } from "../core/metrics.ts";

/** Metrics of a running attempt. finish.ts has those of a finished run. */
export interface AttemptMetrics {
  started(leaseLeftMs: number): void;
  /** Records how long the job waited; on the first attempt only. */
  jobRead(createdAtMs: number): void;
  readonly heartbeat: () => void;
  readonly heartbeatFailed: (error: RunnerError) => void;
  /** Counts the error if it is a refused key, Studio's or the model's. The caller has already re-read the secret. */
  refused(error: unknown): void;
  continued(): void;
}

export function createAttemptMetrics(metrics: Metrics, run: Run): AttemptMetrics {
  const { pool, attempt, leaseMs, beganAtMs } = run;
  const refused = (error: unknown): void => {
    if (hasCode(error, "key_refused", "model_key_refused", "model_access_refused"))
      metrics.emit("KeysRefused", { pool }, 1);
  };
  return {
    started: (leaseLeftMs) => {
      const percent = Math.min(100, Math.max(0, (100 * leaseLeftMs) / leaseMs));
      metrics.emit("LeaseLeftPercent", { pool }, percent);
    },
    jobRead: (createdAtMs) => {
      if (attempt > 1 || beganAtMs === undefined) return;
      metrics.emit("TimeInQueueSeconds", { pool }, Math.max(0, beganAtMs - createdAtMs) / 1000);
    },
    heartbeat: () => metrics.emit("Heartbeats", { pool }, 1),
    heartbeatFailed: (error) => {
      metrics.emit("HeartbeatsFailed", { pool }, 1);
      refused(error);
    },
    refused,
    continued: () => metrics.emit("Continuations", { pool }, 1),
  };
}
