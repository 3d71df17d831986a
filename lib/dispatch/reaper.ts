import { heartbeatIntervalMs } from "../attempt/lease-heartbeat.ts";
import { recover, type RecoverDeps } from "../attempt/recover.ts";
import type { Trouble } from "../attempt/trouble.ts";
import type { Run } from "../runs/run.ts";
import { timing } from "../core/timing.ts";

export interface ReaperSettings {
  readonly pool: string;
  /** After this Lambda drops an attempt's event. */
  readonly maxEventAgeMs: number;
}

/** As many at once as a mass crash may leave without holding up the cycle. */
const batchSize = 16;

/** Why a run should have moved by now; `undefined`: it is well, or somebody may still be at it. */
export function overdue(run: Run, settings: ReaperSettings, nowMs: number): Trouble | undefined {
  if (run.state === "leased") {
    return nowMs - run.calledAtMs > settings.maxEventAgeMs * 1.2 ? "event_lost" : undefined;
  }
  const silentMs = nowMs - (run.heartbeatAtMs ?? run.beganAtMs ?? run.calledAtMs);
  return silentMs > timing.silentHeartbeats * heartbeatIntervalMs(run.leaseMs, () => 1)
    ? "silent"
    : undefined;
}

/**
 * Looks at every open run of the pool, as just read, and recovers those that should have moved. Gives how many it touched.
 * @throws RunnerError `run_store_unavailable`
 */
export async function reap(
  deps: RecoverDeps,
  settings: ReaperSettings,
  openRuns: readonly Run[],
): Promise<number> {
  const nowMs = deps.clock.now();
  const due = openRuns.flatMap((run) => {
    const trouble = overdue(run, settings, nowMs);
    return trouble === undefined ? [] : [{ run, trouble }];
  });
  const failures: unknown[] = [];
  for (let first = 0; first < due.length; first += batchSize) {
    const batch = due.slice(first, first + batchSize);
    const ends = await Promise.allSettled(batch.map(({ run, trouble }) => recover(deps, run, trouble)));
    failures.push(...ends.flatMap((end) => (end.status === "rejected" ? [end.reason] : [])));
  }
  // One run's trouble is told when all have been looked after.
  if (failures.length > 0) throw failures[0];
  return due.length;
}
