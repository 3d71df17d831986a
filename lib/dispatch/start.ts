import { RunnerError, toRunnerError } from "../core/errors.ts";
import type { Ports } from "../attempt/ports.ts";
import { invokeAttempt } from "../attempt/invoke.ts";
import type { Lease } from "../studio/schemas.ts";
import { claimWorkspace } from "./claim.ts";

export interface StartPorts extends Ports {
  readonly newId: () => string;
}

export interface TakenLease {
  readonly pool: string;
  readonly lease: Lease;
  readonly keyId: string;
}

/**
 * Turns a lease into a run: claims the workspace, creates the run's row, then sends the attempt's event. If the lease
 * cannot be recorded, it is dropped: its job returns to Studio's queue when the lease expires. If the event cannot be sent,
 * the reaper restarts the run. Never throws; `undefined` means dropped.
 */
export async function startRun(ports: StartPorts, taken: TakenLease): Promise<string | undefined> {
  const { pool, lease, keyId } = taken;
  const { workspaceId, leaseExpiresAtMs } = lease;
  const attempt = { pool, runId: ports.newId(), attempt: 1 };
  const log = ports.log.with({ ...attempt, workspaceId, keyId });
  const leasedAtMs = ports.clock.now();
  try {
    const claim = await claimWorkspace(ports, { pool, workspaceId, runId: attempt.runId });
    if (claim.kind === "left_alone") {
      log.warn("workspace_left_alone", { losses: claim.losses, waitMs: claim.untilMs - leasedAtMs });
      ports.metrics.emit("WorkspacesLeftAlone", { pool }, 1);
      return undefined;
    }
    const overMs = ports.clock.now() - leaseExpiresAtMs;
    if (overMs >= 0)
      throw new RunnerError(
        "lease_lost",
        `the lease had been over for ${overMs} ms when it was to be recorded`,
      );
    const times = { leasedAtMs, leaseExpiresAtMs };
    const { runId } = attempt;
    await ports.runStore.create({ pool, runId, workspaceId, keyId, ...times, inherited: claim.inherited });
  } catch (thrown) {
    const error = toRunnerError(thrown);
    log.error("lease_dropped", { reason: error.code, error });
    ports.metrics.emit("LeasesDropped", { pool }, 1);
    return undefined;
  }
  await invokeAttempt({ invoker: ports.invoker, log }, attempt);
  log.info("job_leased", { leaseLeftMs: leaseExpiresAtMs - leasedAtMs });
  ports.metrics.emit("JobsLeased", { pool }, 1);
  return attempt.runId;
}
