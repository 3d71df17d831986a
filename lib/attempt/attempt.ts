import type { Fence, FailureReport, Run } from "../runs/run.ts";
import { timing } from "../core/timing.ts";
import { closeAbandoned, endOfAbandoned } from "./abandoned.ts";
import { deadlinesOf, reportAlarm, requireTimeToAsk, workAlarm, type Deadlines } from "./deadline.ts";
import { isConfirmedLoss, LostTrack } from "./delivery.ts";
import { classifyError, unconfirmed, type Failure, type Outcome } from "./outcome.ts";
import { withPoolBackoff } from "./pool-backoff.ts";
import { continueRun, finishRun, type AttemptResult, type StartedAttempt } from "./finish.ts";
import { LeaseHeartbeat } from "./lease-heartbeat.ts";
import type { AttemptEvent } from "../core/invoker.ts";
import { createAttemptMetrics } from "./attempt-metrics.ts";
import type { Ports } from "./ports.ts";
import { Posting } from "./posting.ts";
import { Progress } from "./progress.ts";
import { bindJob, type StudioJob } from "./studio-job.ts";
import type { Product, WorkContext } from "./work-context.ts";

export interface AttemptPorts extends Ports {
  readonly newId: () => string;
  readonly modelName: string;
  readonly runLimitMs: number;
  readonly work: (context: WorkContext) => Promise<Product>;
  /** Cancels a generation whose result is not needed. */
  readonly cancelResponse: (responseId: string) => Promise<void>;
  /** Aborts with `shutdown` when the process is asked to end. */
  readonly stop: AbortSignal;
}

export interface Invocation {
  /** How long the platform lets this invocation run. */
  readonly remainingMs: number;
  /** The platform's request id. */
  readonly requestId: string;
}

/**
 * Runs one attempt: starts it in the run store, keeps the lease, works, delivers or reports a failure, and finishes the run; or
 * starts a continuation before the platform's timeout. If the process is asked to stop, the run stays open for the reaper.
 * @throws RunnerError `run_store_unavailable` when the run can be neither started nor finished
 */
export async function runAttempt(
  ports: AttemptPorts,
  event: AttemptEvent,
  invocation: Invocation,
): Promise<AttemptResult> {
  const { clock, random, backoff, metrics, runStore } = ports;
  const { requestId, remainingMs } = invocation;
  const fence: Fence = { ...event, invocationId: ports.newId() };
  const nowMs = clock.now();
  const run = await runStore.start(fence, { atMs: nowMs, requestId });
  if (!run) {
    ports.log.info("attempt_duplicate", event);
    metrics.emit("Duplicates", { pool: event.pool }, 1);
    return { state: "duplicate", reason: "duplicate" };
  }
  const log = ports.log.with({ ...event, workspaceId: run.workspaceId });
  const leaseLeftMs = run.leaseExpiresAtMs - nowMs;
  log.info("attempt_began", { leaseLeftMs, keyId: run.keyId });
  const attemptMetrics = createAttemptMetrics(metrics, run);
  attemptMetrics.began(leaseLeftMs);
  if (!(await ports.workspaces.isOf(run))) return leaveToNewer(ports, fence, run);
  const job = withPoolBackoff(bindJob(ports, run), { clock, random, backoff, log }, run.pool);
  const deadlines = deadlinesOf(nowMs, remainingMs);
  return new Attempt(ports, { fence, run, job, log, attemptMetrics, deadlines }).run();
}

/** The dispatcher was delayed between claiming the workspace and creating this run, and a newer run has the workspace. */
async function leaveToNewer(ports: AttemptPorts, fence: Fence, run: Run): Promise<AttemptResult> {
  const end = endOfAbandoned(run, { reason: "superseded", isGone: true });
  await closeAbandoned(ports, { run, end }, (ending) => ports.runStore.finish(fence, ending));
  return { state: "superseded", reason: "superseded" };
}

interface Started extends StartedAttempt {
  readonly job: StudioJob;
  readonly deadlines: Deadlines;
}

class Attempt {
  readonly #ports: AttemptPorts;
  readonly #started: Started;
  readonly #heartbeat: LeaseHeartbeat;
  /** Aborts when the lease is lost or the process is asked to stop. */
  readonly #over: AbortSignal;
  readonly #progress: Progress;
  readonly #posting: Posting;

  constructor(ports: AttemptPorts, started: Started) {
    const { clock, random, runStore, modelName, cancelResponse } = ports;
    const { fence, run, job, log, attemptMetrics } = started;
    const { heartbeat: onHeartbeat, heartbeatFailed: onHeartbeatFailed } = attemptMetrics;
    this.#ports = ports;
    this.#started = started;
    const progressPorts = { clock, random, log, runStore, modelName, attemptMetrics, cancelResponse };
    this.#progress = new Progress(progressPorts, fence, run);
    const heartbeatPorts = { clock, random, log, runStore, job, onHeartbeat, onHeartbeatFailed };
    this.#heartbeat = new LeaseHeartbeat(heartbeatPorts, { ...run, fence });
    const sides = { run, job, heartbeat: this.#heartbeat, progress: this.#progress };
    this.#posting = new Posting({ clock, random, log }, sides);
    this.#over = AbortSignal.any([this.#heartbeat.signal, ports.stop]);
  }

  async run(): Promise<AttemptResult> {
    try {
      const outcome = await this.#attempt();
      // Heartbeats continue until Studio has the answer; the writes that follow must not race with one.
      await this.#heartbeat.stop();
      const { state, reason } = outcome;
      const progress = this.#progress.known;
      if (state === "continued") {
        const leaseLeftMs = this.#heartbeat.leaseLeftMs();
        return await continueRun(this.#ports, this.#started, { reason, progress, leaseLeftMs });
      }
      if (state === "stopped") return this.#leave(reason);
      return await finishRun(this.#ports, this.#started, { ...outcome, state, progress });
    } finally {
      await this.#heartbeat.stop();
    }
  }

  async #attempt(): Promise<Outcome> {
    const { clock, runLimitMs } = this.#ports;
    const { run, deadlines } = this.#started;
    if (run.reporting) return this.#report(run.reporting);
    const runEndsAtMs = run.leasedAtMs + runLimitMs;
    const limits = { workMs: deadlines.workMs, runEndsAtMs, runLimitMs, outer: this.#over };
    const deadline = workAlarm(clock, limits);
    try {
      return await this.#complete(deadline.signal);
    } catch (thrown) {
      return await this.#end(classifyError(thrown));
    } finally {
      deadline.cancel();
    }
  }

  async #complete(signal: AbortSignal): Promise<Outcome> {
    const { clock, random, work } = this.#ports;
    const { run, log, deadlines } = this.#started;
    signal.throwIfAborted();
    if (this.#heartbeat.isLate()) {
      await this.#heartbeat.confirm(signal);
      log.info("lease_renewed", { leaseLeftMs: this.#heartbeat.leaseLeftMs() });
    }
    const product = await work({
      clock,
      random,
      log,
      job: this.#jobUnder(signal),
      run,
      signal,
      saveProgress: (progress) => this.#progress.save(progress, signal),
      mayAsk: async () => {
        await this.#requireOwnership(signal);
        requireTimeToAsk(clock, deadlines);
      },
      onJobRead: (jobDigest, createdAtMs) => this.#progress.onJobRead(jobDigest, createdAtMs),
      onRoundStarted: (start) => this.#progress.onRoundStarted(start, signal),
      onRoundEnded: (end) => this.#progress.onRoundEnded(end),
    });
    return this.#posting.deliver(product, signal);
  }

  /** Saving the summary is a post too, and needs proof of the lease. */
  #jobUnder(signal: AbortSignal): StudioJob {
    const { job } = this.#started;
    return {
      ...job,
      updateSummary: async (update, until) => {
        await this.#heartbeat.confirm(signal);
        await job.updateSummary(update, until);
      },
    };
  }

  async #requireOwnership(signal: AbortSignal): Promise<void> {
    if (this.#heartbeat.isKeyRefused) await this.#heartbeat.confirm(signal);
    await this.#progress.requireOwnership(signal);
  }

  async #end(failure: Failure): Promise<Outcome> {
    const { error, state, explanation } = failure;
    const { run, attemptMetrics } = this.#started;
    attemptMetrics.refused(error);
    const defect = error.code === "internal" ? (error.cause ?? error) : undefined;
    const ending = { reason: error.code, explanation, defect };
    if (state === "superseded" || state === "stopped") return { state, ...ending };
    if (state === "continued")
      return run.continuations < timing.maxContinuations
        ? { state, ...ending }
        : this.#report(tooManyContinuations);
    await this.#progress.cancelPending();
    if (state === "failed") return this.#report(ending);
    // An earlier attempt's delivery may have arrived without an answer.
    if (run.delivering && isConfirmedLoss(error)) return unconfirmed;
    const isUnknown = run.delivering || error instanceof LostTrack;
    return { state: "lost", ...ending, unconfirmed: isUnknown || undefined };
  }

  async #report(ending: FailureReport & Pick<Outcome, "defect">): Promise<Outcome> {
    const { reason, explanation, defect } = ending;
    const { run, log, attemptMetrics, deadlines } = this.#started;
    const alarm = reportAlarm(this.#ports.clock, deadlines, this.#over);
    try {
      return { ...(await this.#posting.report({ reason, explanation }, alarm.signal)), defect };
    } catch (thrown) {
      const { error, state } = classifyError(thrown);
      if (state === "stopped") return { state, reason: error.code };
      attemptMetrics.refused(error);
      // An earlier attempt's report may have arrived without an answer.
      if (run.reporting && isConfirmedLoss(error)) return { state: "failed", ...ending, unconfirmed: true };
      log.warn("report_failed", { reason: error.code, error });
      const mayContinue = state === "continued" && run.continuations < timing.maxContinuations;
      if (mayContinue || state === "superseded") return { ...ending, state };
      const isUnknown = run.reporting !== undefined || error instanceof LostTrack;
      return { ...ending, state: "lost", unconfirmed: isUnknown || undefined };
    } finally {
      alarm.cancel();
    }
  }

  /** Leaves the run open, as a killed attempt would, for the reaper to restart. */
  #leave(reason: string): AttemptResult {
    this.#started.log.info("stopping", { reason });
    return { state: "stopped", reason };
  }
}

const tooManyContinuations = {
  reason: "too_many_continuations",
  explanation: `The job did not end within ${timing.maxContinuations + 1} invocations of the runner.`,
} as const;
