import { heartbeatIntervalMs } from "../attempt/lease-heartbeat.ts";
import { recover, type RecoveryPorts } from "../attempt/recover.ts";
import type { AttemptFailure } from "../attempt/attempt-failure.ts";
import type { Run } from "../runs/run.ts";
import { timing } from "../core/timing.ts";

export interface ReaperSettings {
  readonly pool: string;
  /** Lambda drops an attempt's event after this time. */
  readonly maxEventAgeMs: number;
}

/** Runs that are recovered at once, so that a mass crash does not delay the cycle. */
const batchSize = 16;

/** Why a run counts as dead; `undefined`: its attempt may still be alive. */
export function overdue(run: Run, settings: ReaperSettings, nowMs: number): AttemptFailure | undefined {
  if (run.state === "leased") {
    return nowMs - run.calledAtMs > settings.maxEventAgeMs * 1.2 ? "event_lost" : undefined;
  }
  const silentMs = nowMs - (run.heartbeatAtMs ?? run.beganAtMs ?? run.calledAtMs);
  return silentMs > timing.missedHeartbeats * heartbeatIntervalMs(run.leaseMs, () => 1)
    ? "silent"
    : undefined;
}

/**
 * Recovers those of the pool's unfinished runs whose attempt is dead. Returns their number.
 * @throws RunnerError `run_store_unavailable`
 */
export async function reap(
  ports: RecoveryPorts,
  settings: ReaperSettings,
  openRuns: readonly Run[],
): Promise<number> {
  const nowMs = ports.clock.now();
  const due = openRuns.flatMap((run) => {
    const failure = overdue(run, settings, nowMs);
    return failure === undefined ? [] : [{ run, failure }];
  });
  const failures: unknown[] = [];
  for (let first = 0; first < due.length; first += batchSize) {
    const batch = due.slice(first, first + batchSize);
    const ends = await Promise.allSettled(batch.map(({ run, failure }) => recover(ports, run, failure)));
    failures.push(...ends.flatMap((end) => (end.status === "rejected" ? [end.reason] : [])));
  }
  // Report a failure only after all runs were handled.
  if (failures.length > 0) throw failures[0];
  return due.length;
}
