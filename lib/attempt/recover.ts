import { withTimeLimit, type Clock } from "../core/clock.ts";
import { hasCode, RunnerError, toRunnerError } from "../core/errors.ts";
import type { Invoker } from "../core/invoker.ts";
import type { BackoffRow } from "../runs/backoff.ts";
import type { RunStore, Restart } from "../runs/run-store.ts";
import type { Reporting, Run } from "../runs/run.ts";
import type { WorkspaceRows } from "../runs/workspaces.ts";
import { retry, type RetryPolicy } from "../core/retry.ts";
import { timing } from "../core/timing.ts";
import { closeAbandoned, endOfAbandoned, type End } from "./abandoned.ts";
import type { CountDeps } from "./count.ts";
import { digestForReport, isStillLeased, reportFailure, type DeliveryDeps } from "./delivery.ts";
import { pressed } from "./hold-back.ts";
import { bindJob, type StudioJob, type StudioJobDeps } from "./studio-job.ts";
import { explainFailures, type AttemptFailure } from "./attempt-failure.ts";

export interface RecoverDeps extends StudioJobDeps, CountDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly runStore: RunStore;
  readonly workspaces: WorkspaceRows;
  readonly backoff: BackoffRow;
  readonly invoker: Invoker;
  /** A run that lasts longer fails with a reason that says so. */
  readonly runLimitMs: number;
}

/** `left`: another process changed the run, or Studio is out of reach; the next reaper looks again. */
export type Recovery = "restarted" | "failed" | "lost" | "completed" | "left";

/**
 * Recovers a run whose attempt ended without finishing it. Restarts it with the next attempt while starts remain and the lease is held;
 * otherwise fails it with a reason for the user, or marks it as lost with its lease.
 * @throws RunnerError `run_store_unavailable`
 */
export async function recover(deps: RecoverDeps, run: Run, failure: AttemptFailure): Promise<Recovery> {
  const log = deps.log.with({
    pool: run.pool,
    runId: run.runId,
    attempt: run.attempt,
    workspaceId: run.workspaceId,
  });
  const job = pressed(bindJob(deps, run), { ...deps, log }, run.pool);
  const lease = await askForLease(deps, run, job);
  if (lease === "unknown") return "left";
  if (typeof lease === "string") {
    const end = endOfAbandoned(run, { reason: failure, isTold: lease === "told" });
    return (await closeAs(deps, run, end)) ? end.state : "left";
  }

  // Only one process can move the run to the next attempt; it alone continues.
  const next = nextOf(deps, run, failure);
  const jobDigest = await digestOf(deps, { run, job }, next);
  const restart = { ...next, jobDigest, atMs: deps.clock.now(), leaseExpiresAtMs: lease };
  const taken = await deps.runStore.restart(run, restart);
  if (!taken) return "left";
  if (restart.reporting) {
    const mayHavePosted = run.delivering || run.reporting !== undefined;
    return fail({ ...deps, log }, { run: taken, job, mayHavePosted }, restart.reporting);
  }

  log.warn("attempt_restarted", { reason: failure, starts: taken.starts });
  deps.metrics.emit("Restarts", { pool: run.pool, reason: failure }, 1);
  await invokeOrLeave({ ...deps, log }, taken);
  return "restarted";
}

/** If the event cannot be sent, the reaper finds the attempt that never started. */
export async function invokeOrLeave(
  deps: Pick<RecoverDeps, "invoker" | "log">,
  run: Pick<Run, "pool" | "runId" | "attempt">,
): Promise<void> {
  const { pool, runId, attempt } = run;
  try {
    await deps.invoker.invoke({ pool, runId, attempt });
  } catch (thrown) {
    const error = toRunnerError(thrown);
    deps.log.error("attempt_not_invoked", { reason: error.code, error });
  }
}

/** Retries short faults, so that the run need not wait for the next cycle. Does not wait for an outage. */
const heartbeatPolicy: RetryPolicy = { attempts: 3, baseMs: 250, maxMs: 1_000, maxRetryAfterMs: 2_000 };

/**
 * The lease's new expiry, by a heartbeat. `told`: Studio says that the lease is gone or belongs to another job; `over`: it expired,
 * and nothing can be posted under it.
 */
async function askForLease(
  deps: RecoverDeps,
  run: Run,
  job: StudioJob,
): Promise<number | "told" | "over" | "unknown"> {
  const { clock } = deps;
  if (!(await deps.workspaces.isOf(run))) return "told";
  // After its expiry, a heartbeat proves nothing: Studio may have leased the job to the same key again, for another run of ours.
  if (clock.now() >= run.leaseExpiresAtMs) return "over";
  try {
    const limit = { clock, limitMs: timing.recoverHeartbeatLimitMs, what: "the heartbeat" };
    return await withTimeLimit(limit, (signal) =>
      retry({ deps, policy: heartbeatPolicy, signal }, async () => {
        const { leaseExpiresAtMs } = await job.heartbeat(signal);
        // If the post arrived, the job is over and the lease belongs to the workspace's next job.
        const mayHavePosted = run.delivering || run.reporting !== undefined;
        if (mayHavePosted && !(await isStillLeased({ job, jobDigest: run.jobDigest }, signal))) return "told";
        return leaseExpiresAtMs ?? clock.now() + run.leaseMs;
      }),
    );
  } catch (error) {
    if (hasCode(error, "lease_lost")) return "told";
    // Studio may accept a refused key again before the lease ends.
    if (hasCode(error, "key_refused")) deps.metrics.emit("KeysRefused", { pool: run.pool }, 1);
    const { pool, runId, attempt } = run;
    deps.log.warn("heartbeat_failed", {
      pool,
      runId,
      attempt,
      reason: toRunnerError(error).code,
      error: toRunnerError(error),
    });
    return "unknown";
  }
}

/** If only the report to Studio is missing, no attempt was started, and its absence is not the job's fault. */
function nextOf(
  deps: RecoverDeps,
  run: Run,
  failure: AttemptFailure,
): Pick<Restart, "failure" | "reporting"> {
  if (run.reporting) return { failure: undefined, reporting: run.reporting };
  const next = { ...run, starts: run.starts + 1, failures: [...run.failures, failure] };
  return { failure, reporting: endingOf(deps, next, failure) };
}

/** The ending of a run that is taken only to report its failure, if no attempt reported it. */
async function digestOf(
  { clock }: RecoverDeps,
  { run, job }: Pick<Report, "run" | "job">,
  { reporting }: Pick<Restart, "reporting">,
): Promise<string | undefined> {
  if (!reporting || run.jobDigest !== undefined) return run.jobDigest;
  const limit = { clock, limitMs: timing.recoverHeartbeatLimitMs, what: "the context" };
  try {
    return await withTimeLimit(limit, (signal) => digestForReport(job, signal));
  } catch (error) {
    if (hasCode(error, "time_limit")) return undefined;
    throw error;
  }
}

function endingOf(
  { clock, runLimitMs }: RecoverDeps,
  run: Run,
  failure: AttemptFailure,
): Reporting | undefined {
  if (run.starts > timing.maxStarts) return { reason: failure, explanation: explainFailures(run.failures) };
  if (clock.now() - run.leasedAtMs < runLimitMs) return undefined;
  const minutes = Math.round(runLimitMs / 60_000);
  return {
    reason: "run_limit",
    explanation: `The job did not end within ${minutes} minutes. ${explainFailures(run.failures)}`,
  };
}

interface Report extends Pick<DeliveryDeps, "job" | "mayHavePosted"> {
  readonly run: Run;
}

async function fail(
  deps: RecoverDeps,
  { run, job, mayHavePosted }: Report,
  verdict: Reporting,
): Promise<Recovery> {
  const { jobDigest } = run;
  const prove = (signal: AbortSignal): Promise<void> => proveOwnership(deps, { run, job }, signal);
  let end: End = { state: "failed", ...verdict };
  try {
    const limit = {
      clock: deps.clock,
      limitMs: timing.recoverReportLimitMs,
      what: "the report of the failure",
    };
    const answer = await withTimeLimit(limit, (signal) =>
      reportFailure({ ...deps, job, prove, jobDigest, mayHavePosted }, verdict.explanation, signal),
    );
    if (answer === "unconfirmed") end = { ...end, unconfirmed: true };
  } catch (thrown) {
    const error = toRunnerError(thrown);
    deps.log.warn("report_failed", { reason: error.code, error });
    if (error.code !== "lease_lost") return "left";
    end = { ...end, state: "lost" };
  }
  return (await closeAs(deps, run, end)) ? end.state : "left";
}

/** Before each post, as an attempt does: proves the lease at Studio, and that the run is unchanged in the run store. */
async function proveOwnership(
  { clock, runStore }: RecoverDeps,
  { run, job }: Pick<Report, "run" | "job">,
  signal: AbortSignal,
): Promise<void> {
  await job.heartbeat(signal);
  if (await runStore.touch(run, clock.now())) return;
  throw new RunnerError("superseded", "a newer attempt, a newer run or a close owns the run");
}

const closeAs = (deps: RecoverDeps, run: Run, end: End): Promise<boolean> =>
  closeAbandoned(deps, { run, end }, (ending) => deps.runStore.finishAbandoned(run, ending));
