import { withTimeLimit, type Clock } from "../core/clock.ts";
import { hasCode, toRunnerError } from "../core/errors.ts";
import type { Restart } from "../runs/run-store.ts";
import type { FailureReport, Outcome, OutcomeState, Run } from "../runs/run.ts";
import type { Log } from "../core/log.ts";
import { retry, type RetryPolicy } from "../core/retry.ts";
import { timing } from "../core/timing.ts";
import { explainFailures, type AttemptFailure } from "./attempt-failure.ts";
import { overRunLimit } from "./deadline.ts";
import { abandonedOutcome, finishRun } from "./finish.ts";
import { invokeAttempt } from "./invoke.ts";
import { isLeaseForJob, readJobDigest } from "./job-digest.ts";
import { cancelledReport, superseded } from "./outcome.ts";
import { withPoolBackoff } from "./pool-backoff.ts";
import type { Ports } from "./ports.ts";
import { postUntilAnswered } from "./post.ts";
import { bindJob, type StudioJob } from "./studio-job.ts";

export interface RecoveryPorts extends Ports {
  /** A run that lasts longer fails with a reason that says so. */
  readonly runLimitMs: number;
}

/** `left`: another process changed the run, or Studio is out of reach; the next dispatch cycle's reaper tries again. */
export type Recovery = "restarted" | OutcomeState | "left";

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
  const lease = await renewLease(ports, run, job);
  if (lease === "unknown") return "left";
  if (typeof lease === "string") return finish(ports, run, abandonedOutcome(run, failure, lease === "gone"));

  // Only one process can move the run to the next attempt; it alone continues.
  const next = planNextAttempt(ports, run, failure);
  const jobDigest = await digestToReport(clock, { run, job }, next);
  const restart = { ...next, jobDigest, atMs: clock.now(), leaseExpiresAtMs: lease };
  const restarted = await runStore.restart(run, restart);
  if (!restarted) return "left";
  if (restart.reporting) {
    const mayHavePosted = run.delivering || run.reporting !== undefined;
    return reportAndFinish(ports, { run: restarted, job, log, mayHavePosted }, restart.reporting);
  }

  log.warn("attempt_restarted", { reason: failure, starts: restarted.starts });
  metrics.emit("Restarts", { pool, reason: failure }, 1);
  await invokeAttempt({ invoker, log }, restarted);
  return "restarted";
}

/** Retries short faults, so that the run need not wait for the next cycle. Does not wait for an outage. */
const heartbeatPolicy: RetryPolicy = { attempts: 3, baseMs: 250, maxMs: 1_000, maxRetryAfterMs: 2_000 };

/**
 * The lease's new expiry, by a heartbeat. `gone`: Studio says that the lease is gone or belongs to another job; `expired`: it ended earlier,
 * and nothing can be posted under it.
 */
async function renewLease(
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
        const digest = run.jobDigest;
        if (mayHavePosted && !(await isLeaseForJob({ job, digest }, signal))) return "gone";
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
function planNextAttempt(
  ports: Pick<RecoveryPorts, "clock" | "runLimitMs">,
  run: Run,
  failure: AttemptFailure,
): Pick<Restart, "failure" | "reporting"> {
  if (run.reporting) return { failure: undefined, reporting: run.reporting };
  if (run.cancelled) return { failure, reporting: cancelledReport(run.cancelled) };
  const next = { ...run, starts: run.starts + 1, failures: [...run.failures, failure] };
  return { failure, reporting: failureToReport(ports, next, failure) };
}

/** The digest of the run's job. Reads the job's context if a failure is to be reported and no attempt recorded the digest. */
async function digestToReport(
  clock: Clock,
  { run, job }: Pick<Report, "run" | "job">,
  { reporting }: Pick<Restart, "reporting">,
): Promise<string | undefined> {
  if (!reporting || run.jobDigest !== undefined) return run.jobDigest;
  const limit = { clock, limitMs: timing.recoverHeartbeatLimitMs, what: "the context" };
  try {
    return await withTimeLimit(limit, (signal) => readJobDigest(job, signal));
  } catch (error) {
    if (hasCode(error, "time_limit")) return undefined;
    throw error;
  }
}

/** The failure to report if the run has no starts or no time left; otherwise undefined. */
function failureToReport(
  { clock, runLimitMs }: Pick<RecoveryPorts, "clock" | "runLimitMs">,
  run: Run,
  failure: AttemptFailure,
): FailureReport | undefined {
  if (run.starts > timing.maxStarts) return { reason: failure, explanation: explainFailures(run.failures) };
  if (clock.now() - run.leasedAtMs < runLimitMs) return undefined;
  return { reason: "run_limit", explanation: `${overRunLimit(runLimitMs)} ${explainFailures(run.failures)}` };
}

interface Report {
  readonly run: Run;
  readonly job: StudioJob;
  readonly log: Log;
  /** Whether an attempt may have posted already. */
  readonly mayHavePosted: boolean;
}

async function reportAndFinish(
  ports: Ports,
  { run, job, log, mayHavePosted }: Report,
  reporting: FailureReport,
): Promise<Recovery> {
  const { clock, random } = ports;
  const { jobDigest } = run;
  const prove = (signal: AbortSignal): Promise<void> => proveOwnership(ports, { run, job }, signal);
  const post = { clock, random, log, job, prove, jobDigest, mayHavePosted };
  let outcome: Outcome = { state: "failed", ...reporting };
  try {
    const limit = { clock, limitMs: timing.recoverReportLimitMs, what: "the report of the failure" };
    const answer = await withTimeLimit(limit, (signal) =>
      postUntilAnswered(post, signal, () => job.fail(reporting.explanation, signal)),
    );
    if (answer === "unconfirmed") outcome = { ...outcome, unconfirmed: true };
  } catch (thrown) {
    const error = toRunnerError(thrown);
    log.warn("report_failed", { reason: error.code, error });
    if (error.code !== "lease_lost") return "left";
    outcome = { ...outcome, state: "lost" };
  }
  return finish(ports, run, outcome);
}

/** Before each post, as an attempt does: proves the lease at Studio, and that the run is unchanged in the run store. */
async function proveOwnership(
  { clock, runStore }: Pick<Ports, "clock" | "runStore">,
  { run, job }: Pick<Report, "run" | "job">,
  signal: AbortSignal,
): Promise<void> {
  await job.heartbeat(signal);
  if (await runStore.touch(run, clock.now())) return;
  throw superseded();
}

async function finish(ports: Ports, run: Run, outcome: Outcome): Promise<Recovery> {
  const isFinished = await finishRun(ports, { run, outcome }, (finished) =>
    ports.runStore.finishAbandoned(run, finished),
  );
  return isFinished ? outcome.state : "left";
}
