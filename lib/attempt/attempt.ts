import type { Cancellation, FailureReport, Fence, OutcomeState } from "../runs/run.ts";
import { timing } from "../core/timing.ts";
import { deadlinesOf, reportTimeout, requireTimeToAsk, workTimeout, type Deadlines } from "./deadline.ts";
import { finishRun, finishSuperseded } from "./finish.ts";
import { continueRun, type StartedAttempt } from "./invoke.ts";
import { LeaseHeartbeat } from "./lease-heartbeat.ts";
import type { AttemptEvent } from "../adapters/lambda.ts";
import { createAttemptMetrics } from "./attempt-metrics.ts";
import {
  cancelled,
  classifyError,
  completedUnconfirmed,
  tooManyContinuations,
  type AttemptOutcome,
  type AttemptResult,
  type ClassifiedError,
} from "./outcome.ts";
import { withPoolBackoff } from "./pool-backoff.ts";
import type { Ports } from "./ports.ts";
import { isConfirmedLoss, UnconfirmedPostError } from "./post.ts";
import { postDeliverables, postFailure, type PostingAttempt } from "./post-result.ts";
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
  log.info("attempt_started", { leaseLeftMs, keyId: run.keyId });
  const attemptMetrics = createAttemptMetrics(metrics, run);
  attemptMetrics.started(leaseLeftMs);
  if (!(await ports.workspaces.isOf(run)))
    return finishSuperseded(ports, run, (finished) => runStore.finish(fence, finished));
  const job = withPoolBackoff(bindJob(ports, run), { clock, random, backoff, log }, run.pool);
  const deadlines = deadlinesOf(nowMs, remainingMs);
  return new Attempt(ports, { fence, run, job, log, attemptMetrics, deadlines }).run();
}

type FinalOutcome = AttemptOutcome & { readonly state: OutcomeState | "superseded" };

interface Started extends StartedAttempt {
  readonly job: StudioJob;
  readonly deadlines: Deadlines;
}

class Attempt {
  readonly #ports: AttemptPorts;
  readonly #started: Started;
  readonly #heartbeat: LeaseHeartbeat;
  /** Aborts when the run is cancelled, so that work stops; the failure is still reported. */
  readonly #cancel = new AbortController();
  /** Aborts when the lease is lost or the process is asked to stop. */
  readonly #signal: AbortSignal;
  readonly #progress: Progress;
  readonly #posting: PostingAttempt;

  constructor(ports: AttemptPorts, started: Started) {
    const { clock, random, runStore, modelName, cancelResponse } = ports;
    const { fence, run, job, log, attemptMetrics } = started;
    const { heartbeat: onHeartbeat, heartbeatFailed: onHeartbeatFailed } = attemptMetrics;
    this.#ports = ports;
    this.#started = started;
    const progressPorts = { clock, random, log, runStore, modelName, attemptMetrics, cancelResponse };
    this.#progress = new Progress(progressPorts, fence, run);
    const onCancelled = (by: Cancellation): void => this.#cancel.abort(cancelled(by));
    if (run.cancelled) onCancelled(run.cancelled);
    const callbacks = { onHeartbeat, onHeartbeatFailed, onCancelled };
    const heartbeatPorts = { clock, random, log, runStore, job, ...callbacks };
    this.#heartbeat = new LeaseHeartbeat(heartbeatPorts, { ...run, fence });
    this.#posting = { clock, random, log, run, job, heartbeat: this.#heartbeat, progress: this.#progress };
    this.#signal = AbortSignal.any([this.#heartbeat.signal, ports.stop]);
  }

  async run(): Promise<AttemptResult> {
    try {
      const outcome = await this.#attempt();
      // Heartbeats continue until Studio has the answer; the writes that follow must not race with one.
      await this.#heartbeat.stop();
      const { state, reason } = outcome;
      if (state === "continued") {
        const known = { progress: this.#progress.known, leaseLeftMs: this.#heartbeat.leaseLeftMs() };
        return await continueRun(this.#ports, this.#started, { reason, ...known });
      }
      if (state !== "stopped") return await this.#finish({ ...outcome, state });
      // The run stays open, as after a killed attempt, for the reaper to restart.
      this.#started.log.info("stopping", { reason });
      return { state, reason };
    } finally {
      await this.#heartbeat.stop();
    }
  }

  async #attempt(): Promise<AttemptOutcome> {
    const { clock, runLimitMs } = this.#ports;
    const { run, deadlines } = this.#started;
    if (run.reporting) return this.#reportFailure(run.reporting);
    const outer = AbortSignal.any([this.#signal, this.#cancel.signal]);
    const limits = { workMs: deadlines.workMs, runEndsAtMs: run.leasedAtMs + runLimitMs, runLimitMs, outer };
    const deadline = workTimeout(clock, limits);
    try {
      return await this.#workAndPost(deadline.signal);
    } catch (thrown) {
      return await this.#outcomeAfter(classifyError(thrown));
    } finally {
      deadline.cancel();
    }
  }

  async #workAndPost(signal: AbortSignal): Promise<AttemptOutcome> {
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
      onJobRead: (facts) => this.#progress.onJobRead(facts),
      onRoundStarted: (start) => this.#progress.onRoundStarted(start, signal),
      onToolCall: (called) => this.#progress.onToolCall(called),
      onRoundEnded: (end) => this.#progress.onRoundEnded(end),
    });
    return postDeliverables(this.#posting, product, signal);
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

  async #outcomeAfter({ error, state, explanation }: ClassifiedError): Promise<AttemptOutcome> {
    const { run, attemptMetrics } = this.#started;
    attemptMetrics.refused(error);
    const defect = error.code === "internal" ? (error.cause ?? error) : undefined;
    const failure = { reason: error.code, explanation, defect };
    if (state === "superseded" || state === "stopped") return { state, ...failure };
    if (state === "continued")
      return this.#mayContinue() ? { state, ...failure } : this.#reportFailure(tooManyContinuations);
    await this.#progress.cancelPending();
    if (state === "failed") return this.#reportFailure(failure);
    // An earlier attempt's deliverables may have reached Studio although its answer was lost.
    if (run.delivering && isConfirmedLoss(error)) return completedUnconfirmed;
    const isUnknown = run.delivering || error instanceof UnconfirmedPostError;
    return { state: "lost", ...failure, unconfirmed: isUnknown || undefined };
  }

  async #reportFailure(failure: FailureReport & Pick<AttemptOutcome, "defect">): Promise<AttemptOutcome> {
    const { reason, explanation, defect } = failure;
    const { run, log, attemptMetrics, deadlines } = this.#started;
    const timeout = reportTimeout(this.#ports.clock, deadlines, this.#signal);
    try {
      return { ...(await postFailure(this.#posting, { reason, explanation }, timeout.signal)), defect };
    } catch (thrown) {
      const { error, state } = classifyError(thrown);
      if (state === "stopped") return { state, reason: error.code };
      attemptMetrics.refused(error);
      // An earlier attempt's report may have reached Studio although its answer was lost.
      if (run.reporting && isConfirmedLoss(error)) return { ...failure, state: "failed", unconfirmed: true };
      log.warn("report_failed", { reason: error.code, error });
      if (state === "superseded" || (state === "continued" && this.#mayContinue()))
        return { ...failure, state };
      const isUnknown = run.reporting !== undefined || error instanceof UnconfirmedPostError;
      return { ...failure, state: "lost", unconfirmed: isUnknown || undefined };
    } finally {
      timeout.cancel();
    }
  }

  #mayContinue(): boolean {
    return this.#started.run.continuations < timing.maxContinuations;
  }

  /** Finishes the run, unless the attempt is superseded. @throws RunnerError `run_store_unavailable` */
  async #finish({ state, product, defect, ...outcome }: FinalOutcome): Promise<AttemptResult> {
    const { runStore } = this.#ports;
    const { fence, run, log } = this.#started;
    const { reason, explanation } = outcome;
    const deliverables = product?.deliverables;
    const progress = this.#progress.known;
    if (state !== "superseded") {
      const toFinish = { run, outcome: { ...outcome, state }, progress, deliverables };
      const isFinished = await finishRun(this.#ports, toFinish, (finished) =>
        runStore.finish(fence, { ...finished, progress }),
      );
      if (isFinished) return { state, reason, defect };
    }
    log.info("attempt_superseded", { reason, rounds: progress.rounds, explanation, deliverables });
    return { state: "superseded", reason, defect };
  }
}
