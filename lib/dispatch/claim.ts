import { RunnerError } from "../core/errors.ts";
import { addUsage } from "../model/model.ts";
import { abandonedOutcome, finishRun } from "../attempt/finish.ts";
import type { Ports } from "../attempt/ports.ts";
import type { Inherited, Run } from "../runs/run.ts";
import type { Workspace } from "../runs/workspaces.ts";
import { timing } from "../core/timing.ts";

export type ClaimPorts = Pick<Ports, "clock" | "log" | "metrics" | "runStore" | "workspaces" | "spend">;

export interface NewLease {
  readonly pool: string;
  readonly workspaceId: string;
  /** The id of the run to be created. */
  readonly runId: string;
}

export type Claim =
  | { readonly kind: "claimed"; readonly inherited: Inherited | undefined }
  /** Several runs of this workspace in a row paid for rounds and lost their lease: none is created for a while. */
  | { readonly kind: "left_alone"; readonly losses: number; readonly untilMs: number };

/** Another process can change the same rows, but not many times in a row. */
const tries = 3;

/**
 * Gives a leased workspace to a new run. The lease proves that an earlier run's lease is over: such a run is superseded
 * first, so that a workspace never has two runs that may post.
 * @throws RunnerError `run_store_unavailable`
 */
export async function claimWorkspace(ports: ClaimPorts, lease: NewLease): Promise<Claim> {
  const { clock, runStore, workspaces } = ports;
  const { pool, workspaceId, runId } = lease;
  for (let tried = 1; tried <= tries; tried++) {
    const known = await workspaces.read(pool, workspaceId);
    const earlier = known && (await superseded(ports, await earlierRun(ports, pool, known)));
    const losses = lossesAfter(known, earlier);
    const nowMs = clock.now();
    const untilMs = leftAloneUntil(losses, earlier);
    const previousRunId = known?.runId;
    if (known && untilMs > nowMs) {
      await workspaces.claim(pool, { ...known, leftAloneUntilMs: untilMs, previousRunId, atMs: nowMs });
      return { kind: "left_alone", losses, untilMs };
    }
    const claim = { workspaceId, runId, earlierRunId: earlier?.runId, losses, previousRunId, atMs: nowMs };
    if (!(await workspaces.claim(pool, claim))) continue;
    // Its dispatcher may have created it since we looked. If it starts later, it finds that the workspace belongs to another run.
    const late = known && earlier?.runId !== known.runId ? await runStore.read(pool, known.runId) : undefined;
    const last = (await superseded(ports, late)) ?? earlier;
    return { kind: "claimed", inherited: inheritedFrom(last) };
  }
  throw new RunnerError(
    "run_store_unavailable",
    `the row of workspace ${workspaceId} changed ${tries} times`,
  );
}

/** If a dispatcher dies between claiming a workspace and creating the run, the named run does not exist. */
async function earlierRun(
  { runStore }: Pick<Ports, "runStore">,
  pool: string,
  { runId, earlierRunId }: Workspace,
): Promise<Run | undefined> {
  const newest = await runStore.read(pool, runId);
  return newest ?? (earlierRunId === undefined ? undefined : runStore.read(pool, earlierRunId));
}

/** The run as it was finished. */
async function superseded(ports: ClaimPorts, run: Run | undefined): Promise<Run | undefined> {
  let present = run;
  for (let tried = 1; tried <= tries; tried++) {
    if (present?.openIn === undefined) return present;
    const earlier = present;
    const outcome = abandonedOutcome(earlier, "superseded", true);
    let finishedRun: Run | undefined;
    await finishRun(ports, { run: earlier, outcome }, async (finished) => {
      // Uses the run as it was finished: a round may have started since it was read.
      finishedRun = await ports.runStore.supersede(earlier, finished);
      return finishedRun !== undefined;
    });
    if (finishedRun) {
      const { pool, runId, attempt, workspaceId } = earlier;
      ports.log.warn("run_superseded", { pool, runId, attempt, workspaceId, state: outcome.state });
      return finishedRun;
    }
    present = await ports.runStore.read(earlier.pool, earlier.runId);
  }
  throw new RunnerError(
    "run_store_unavailable",
    `run ${run?.runId} could not be superseded: it changed ${tries} times`,
  );
}

/** Counts only runs that paid for rounds; a run that ended its job resets the count. */
function lossesAfter(known: Workspace | undefined, earlier: Run | undefined): number {
  if (earlier?.state !== "lost") return 0;
  return (known?.losses ?? 0) + (earlier.rounds > 0 ? 1 : 0);
}

function leftAloneUntil(losses: number, earlier: Run | undefined): number {
  const further = losses - timing.maxLosses;
  if (further < 0 || earlier?.endedAtMs === undefined) return 0;
  return earlier.endedAtMs + Math.min(timing.maxLeftAloneMs, earlier.leaseMs * 2 ** further);
}

/** Progress that can be reused if the lease is for the same job. A job that Studio has ended is not leased again. */
function inheritedFrom(earlier: Run | undefined): Inherited | undefined {
  if (!earlier || (earlier.state !== "lost" && !earlier.unconfirmed)) return undefined;
  const { runId, jobDigest, responseIds, usage, usageBeside, usageBefore, repaired, inherited } = earlier;
  if (jobDigest === undefined || responseIds.length === 0) return inherited;
  return { runId, jobDigest, responseIds, usage: addUsage(usage, usageBefore), usageBeside, repaired };
}
