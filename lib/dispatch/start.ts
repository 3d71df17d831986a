import type { Clock } from "../clock.ts";
import { toRunnerError } from "../errors.ts";
import type { Invoker } from "../invoker.ts";
import { invokeOrLeave } from "../job/recover.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type { Lease } from "../studio/schemas.ts";

export interface StartDeps {
  readonly clock: Clock;
  readonly newId: () => string;
  readonly ledger: Ledger;
  readonly invoker: Invoker;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface TakenLease {
  readonly pool: string;
  readonly lease: Lease;
  readonly keyId: string;
  /** When the window last saw that the pool need not hold back. */
  readonly poolFreeAtMs: number;
}

/**
 * Turns a lease into a run: its row first, then its event. A lease that cannot be recorded is let go: its job returns to
 * Studio's queue when the lease ends. An event that cannot be sent is left to the sweep. Never throws; `undefined` means
 * let go.
 */
export async function startRun(deps: StartDeps, taken: TakenLease): Promise<string | undefined> {
  const { pool, lease, keyId, poolFreeAtMs } = taken;
  const leg = { pool, runId: deps.newId(), leg: 1 };
  const log = deps.log.with({ ...leg, workspaceId: lease.workspaceId, keyId });
  const leasedAtMs = deps.clock.now();
  const drop = (thrown: unknown): undefined => {
    const error = toRunnerError(thrown);
    log.error("lease_dropped", { reason: error.code, error });
    deps.metrics.emit("LeasesDropped", { pool }, 1);
    return undefined;
  };

  try {
    const { workspaceId, leaseExpiresAtMs } = lease;
    const times = { leasedAtMs, leaseExpiresAtMs, poolFreeAtMs };
    await deps.ledger.open({ pool, runId: leg.runId, workspaceId, keyId, ...times });
  } catch (error) {
    return drop(error);
  }
  await invokeOrLeave({ invoker: deps.invoker, log }, leg);
  log.info("job_leased", { leaseLeftMs: lease.leaseExpiresAtMs - leasedAtMs });
  deps.metrics.emit("JobsLeased", { pool }, 1);
  return leg.runId;
}
