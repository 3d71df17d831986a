import { withTimeLimit, type Clock } from "../core/clock.ts";
import { hasCode, RunnerError, toRunnerError } from "../core/errors.ts";
import type { Restart } from "../runs/run-store.ts";
import type { FailureReport, Run } from "../runs/run.ts";
import type { Log } from "../core/log.ts";
import { retry, type RetryPolicy } from "../core/retry.ts";
import { timing } from "../core/timing.ts";
import { closeAbandoned, endOfAbandoned, type End } from "./abandoned.ts";
import { digestForReport, isStillLeased, reportFailure } from "./delivery.ts";
import { withPoolBackoff } from "./pool-backoff.ts";
import type { Ports } from "./ports.ts";
import { bindJob, type StudioJob } from "./studio-job.ts";
import { explainFailures, type AttemptFailure } from "./attempt-failure.ts";

export interface RecoveryPorts extends Ports {
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
export async function recover(ports: RecoveryPorts, run: Run, failure: AttemptFailure): Promise<Recovery> {
  const { clock, random, backoff, runStore, invoker, metrics } = ports;
  const { pool, runId, attempt, workspaceId } = run;
  const log = ports.log.with({ pool, runId, attempt, workspaceId });
  const job = withPoolBackoff(bindJob(ports, run), { clock, random, backoff, log }, pool);
  const lease = await askForLease(ports, run, job);
  if (lease === "unknown") return "left";
  if (typeof lease === "string") {
    const end = endOfAbandoned(run, { reason: failure, isGone: lease === "gone" });
    return (await closeAs(ports, run, end)) ? end.state : "left";
  }

  // Only one process can move the run to the next attempt; it alone continues.
  const next = nextOf(ports, run, failure);
  const jobDigest = await digestOf(clock, { run, job }, next);
  const restart = { ...next, jobDigest, atMs: clock.now(), leaseExpiresAtMs: lease };
  const taken = await runStore.restart(run, restart);
  if (!taken) return "left";
  if (restart.reporting) {
    const mayHavePosted = run.delivering || run.reporting !== undefined;
    return fail(ports, { run: taken, job, log, mayHavePosted }, restart.reporting);
  }

  log.warn("attempt_restarted", { reason: failure, starts: taken.starts });
  metrics.emit("Restarts", { pool, reason: failure }, 1);
  await invokeAttempt({ invoker, log }, taken);
  return "restarted";
}

/** If the event cannot be sent, the reaper finds the attempt that never started. */
export async function invokeAttempt(
  { invoker, log }: Pick<Ports, "invoker" | "log">,
  run: Pick<Run, "pool" | "runId" | "attempt">,
): Promise<void> {
  const { pool, runId, attempt } = run;
  try {
    await invoker.invoke({ pool, runId, attempt });
  } catch (thrown) {
    const error = toRunnerError(thrown);
    log.error("attempt_not_invoked", { reason: error.code, error });
  }
}

/** Retries short faults, so that the run need not wait for the next cycle. Does not wait for an outage. */
const heartbeatPolicy: RetryPolicy = { attempts: 3, baseMs: 250, maxMs: 1_000, maxRetryAfterMs: 2_000 };

/**
 * The lease's new expiry, by a heartbeat. `gone`: Studio says that the lease is gone or belongs to another job; `expired`: it ended before we looked,
 * and nothing can be posted under it.
 */
async function askForLease(
  { clock, random, workspaces, metrics, log }: Ports,
  run: Run,
  job: StudioJob,
): Promise<number | "gone" | "expired" | "unknown"> {
  if (!(await workspaces.isOf(run))) return "gone";
  // After its expiry, a heartbeat proves nothing: Studio may have leased the job to the same key again, for another run of ours.
  if (clock.now() >= run.leaseExpiresAtMs) return "expired";
  try {
    const limit = { clock, limitMs: timing.recoverHeartbeatLimitMs, what: "the heartbeat" };
    return await withTimeLimit(limit, (signal) =>
      retry({ clock, random, policy: heartbeatPolicy, signal }, async () => {
        const { leaseExpiresAtMs } = await job.heartbeat(signal);
        // If the post arrived, the job is over and the lease belongs to the workspace's next job.
        const mayHavePosted = run.delivering || run.reporting !== undefined;
        if (mayHavePosted && !(await isStillLeased({ job, jobDigest: run.jobDigest }, signal))) return "gone";
        return leaseExpiresAtMs ?? clock.now() + run.leaseMs;
      }),
    );
  } catch (error) {
    if (hasCode(error, "lease_lost")) return "gone";
    // Studio may accept a refused key again before the lease ends.
    if (hasCode(error, "key_refused")) metrics.emit("KeysRefused", { pool: run.pool }, 1);
    const { pool, runId, attempt } = run;
    const cause = toRunnerError(error);
    log.warn("heartbeat_failed", { pool, runId, attempt, reason: cause.code, error: cause });
    return "unknown";
  }
}

/** If only the report to Studio is missing, no attempt was started, and its absence is not the job's fault. */
function nextOf(
  ports: Pick<RecoveryPorts, "clock" | "runLimitMs">,
  run: Run,
  failure: AttemptFailure,
): Pick<Restart, "failure" | "reporting"> {
  if (run.reporting) return { failure: undefined, reporting: run.reporting };
  const next = { ...run, starts: run.starts + 1, failures: [...run.failures, failure] };
  return { failure, reporting: endingOf(ports, next, failure) };
}

/** The digest of the run's job. Reads the job's context if a failure is to be reported and no attempt recorded the digest. */
async function digestOf(
  clock: Clock,
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

/** The failure to report if the run has no starts or no time left; otherwise undefined. */
function endingOf(
  { clock, runLimitMs }: Pick<RecoveryPorts, "clock" | "runLimitMs">,
  run: Run,
  failure: AttemptFailure,
): FailureReport | undefined {
  if (run.starts > timing.maxStarts) return { reason: failure, explanation: explainFailures(run.failures) };
  if (clock.now() - run.leasedAtMs < runLimitMs) return undefined;
  const minutes = Math.round(runLimitMs / 60_000);
  return {
    reason: "run_limit",
    explanation: `The job did not end within ${minutes} minutes. ${explainFailures(run.failures)}`,
  };
}

interface Report {
  readonly run: Run;
  readonly job: StudioJob;
  readonly log: Log;
  /** Whether an attempt may have posted the job's end already. */
  readonly mayHavePosted: boolean;
}

async function fail(
  ports: Ports,
  { run, job, log, mayHavePosted }: Report,
  reporting: FailureReport,
): Promise<Recovery> {
  const { clock, random } = ports;
  const { jobDigest } = run;
  const prove = (signal: AbortSignal): Promise<void> => proveOwnership(ports, { run, job }, signal);
  const delivery = { clock, random, log, job, prove, jobDigest, mayHavePosted };
  let end: End = { state: "failed", ...reporting };
  try {
    const limit = { clock, limitMs: timing.recoverReportLimitMs, what: "the report of the failure" };
    const answer = await withTimeLimit(limit, (signal) =>
      reportFailure(delivery, reporting.explanation, signal),
    );
    if (answer === "unconfirmed") end = { ...end, unconfirmed: true };
  } catch (thrown) {
    const error = toRunnerError(thrown);
    log.warn("report_failed", { reason: error.code, error });
    if (error.code !== "lease_lost") return "left";
    end = { ...end, state: "lost" };
  }
  return (await closeAs(ports, run, end)) ? end.state : "left";
}

/** Before each post, as an attempt does: proves the lease at Studio, and that the run is unchanged in the run store. */
async function proveOwnership(
  { clock, runStore }: Pick<Ports, "clock" | "runStore">,
  { run, job }: Pick<Report, "run" | "job">,
  signal: AbortSignal,
): Promise<void> {
  await job.heartbeat(signal);
  if (await runStore.touch(run, clock.now())) return;
  throw new RunnerError("superseded", "another attempt or run has taken over, or the run is finished");
}

const closeAs = (ports: Ports, run: Run, end: End): Promise<boolean> =>
  closeAbandoned(ports, { run, end }, (ending) => ports.runStore.finishAbandoned(run, ending));
