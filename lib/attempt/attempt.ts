import type { Clock } from "../core/clock.ts";
import { noUsage } from "../model/model.ts";
import type { BackoffRow } from "../runs/backoff.ts";
import type { RunStore } from "../runs/run-store.ts";
import type { EndState, Fence, Reporting, Run } from "../runs/run.ts";
import type { RunnerKeys } from "../keys/runner-keys.ts";
import type { Studio } from "../studio/studio.ts";
import { timing } from "../core/timing.ts";
import type { WorkspaceRows } from "../runs/workspaces.ts";
import { closeAbandoned, endOfAbandoned } from "./abandoned.ts";
import { closeAndCount, type CountDeps } from "./count.ts";
import { deadlinesOf, reportAlarm, requireTimeToAsk, workAlarm, type Deadlines } from "./deadline.ts";
import { isToldLost, LostTrack } from "./delivery.ts";
import { judge, unconfirmed, type Failure, type Outcome } from "./ending.ts";
import { pressed } from "./hold-back.ts";
import { LeaseHeartbeat } from "./lease-heartbeat.ts";
import type { Invoker, AttemptEvent } from "../core/invoker.ts";
import { attemptMetrics, type AttemptMetrics } from "./attempt-metrics.ts";
import { Posting } from "./posting.ts";
import { Progress } from "./progress.ts";
import { invokeOrLeave } from "./recover.ts";
import { bindJob, type StudioJob } from "./studio-job.ts";
import type { Product, WorkContext } from "./work-context.ts";

export interface AttemptDeps extends CountDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly newId: () => string;
  readonly runStore: RunStore;
  readonly workspaces: WorkspaceRows;
  readonly backoff: BackoffRow;
  readonly studio: Studio;
  readonly keys: RunnerKeys;
  readonly invoker: Invoker;
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

export interface AttemptResult {
  readonly state: EndState | "superseded" | "duplicate" | "continued" | "stopped";
  readonly reason: string;
  /** A bug of ours. The entry point rethrows it, so that the function's error alarm fires. */
  readonly defect?: unknown;
}

/**
 * Runs one attempt: starts it in the run store, keeps the lease, works, delivers or reports a failure, and finishes the run; or
 * starts a continuation before the platform's timeout. If the process is asked to stop, the run stays open for the reaper.
 * @throws RunnerError `run_store_unavailable` when the run can be neither started nor finished
 */
export async function runAttempt(
  deps: AttemptDeps,
  event: AttemptEvent,
  invocation: Invocation,
): Promise<AttemptResult> {
  const { requestId, remainingMs } = invocation;
  const fence: Fence = { ...event, invocationId: deps.newId() };
  const nowMs = deps.clock.now();
  const run = await deps.runStore.start(fence, { atMs: nowMs, requestId });
  if (!run) {
    deps.log.info("attempt_duplicate", event);
    deps.metrics.emit("Duplicates", { pool: event.pool }, 1);
    return { state: "duplicate", reason: "duplicate" };
  }
  const log = deps.log.with({ ...event, workspaceId: run.workspaceId });
  const leaseLeftMs = run.leaseExpiresAtMs - nowMs;
  log.info("attempt_began", { leaseLeftMs, keyId: run.keyId });
  const counted = attemptMetrics(deps.metrics, run);
  counted.began(leaseLeftMs);
  if (!(await deps.workspaces.isOf(run))) return leaveToNewer({ ...deps, log }, fence, run);
  return new Attempt({ ...deps, log, counted }, fence, run).run(deadlinesOf(nowMs, remainingMs));
}

/** The dispatcher was delayed between claiming the workspace and creating this run, and a newer run has the workspace. */
async function leaveToNewer(deps: AttemptDeps, fence: Fence, run: Run): Promise<AttemptResult> {
  const end = endOfAbandoned(run, { reason: "superseded", isTold: true });
  await closeAbandoned(deps, { run, end }, (ending) => deps.runStore.finish(fence, ending));
  return { state: "superseded", reason: "superseded" };
}

type Deps = AttemptDeps & { readonly counted: AttemptMetrics };

class Attempt {
  readonly #deps: Deps;
  readonly #fence: Fence;
  readonly #run: Run;
  readonly #job: StudioJob;
  readonly #heartbeat: LeaseHeartbeat;
  /** Aborts when the lease is lost or the process is asked to stop. */
  readonly #over: AbortSignal;
  readonly #progress: Progress;
  readonly #posting: Posting;

  constructor(deps: Deps, fence: Fence, run: Run) {
    this.#deps = deps;
    this.#fence = fence;
    this.#run = run;
    this.#progress = new Progress(deps, fence, run);
    this.#job = pressed(bindJob(deps, run), deps, run.pool);
    const told = { onHeartbeat: deps.counted.heartbeat, onHeartbeatFailed: deps.counted.heartbeatFailed };
    this.#heartbeat = new LeaseHeartbeat({ ...deps, ...told, job: this.#job }, { ...run, fence });
    const sides = { run, job: this.#job, heartbeat: this.#heartbeat, progress: this.#progress };
    this.#posting = new Posting(deps, sides);
    this.#over = AbortSignal.any([this.#heartbeat.signal, deps.stop]);
  }

  async run(deadlines: Deadlines): Promise<AttemptResult> {
    try {
      const outcome = await this.#attempt(deadlines);
      // Heartbeats continue until Studio has the answer; the writes that follow must not race with one.
      await this.#heartbeat.stop();
      const { state, reason } = outcome;
      if (state === "continued") return await this.#continueRun(reason);
      if (state === "stopped") return this.#leave(reason);
      return await this.#close(state, outcome);
    } finally {
      await this.#heartbeat.stop();
    }
  }

  async #attempt(deadlines: Deadlines): Promise<Outcome> {
    const { clock, runLimitMs } = this.#deps;
    if (this.#run.reporting) return this.#report(this.#run.reporting, deadlines);
    const runEndsAtMs = this.#run.leasedAtMs + runLimitMs;
    const limits = { workMs: deadlines.workMs, runEndsAtMs, runLimitMs, outer: this.#over };
    const deadline = workAlarm(clock, limits);
    try {
      return await this.#complete(deadline.signal, deadlines);
    } catch (thrown) {
      return await this.#end(judge(thrown), deadlines);
    } finally {
      deadline.cancel();
    }
  }

  async #complete(signal: AbortSignal, deadlines: Deadlines): Promise<Outcome> {
    signal.throwIfAborted();
    if (this.#heartbeat.isLate()) {
      await this.#heartbeat.confirm(signal);
      this.#deps.log.info("lease_renewed", { leaseLeftMs: this.#heartbeat.leaseLeftMs() });
    }
    const product = await this.#deps.work({
      ...this.#deps,
      job: this.#jobUnder(signal),
      run: this.#run,
      signal,
      note: (progress) => this.#progress.note(progress, signal),
      mayAsk: async () => {
        await this.#requireOwnership(signal);
        requireTimeToAsk(this.#deps.clock, deadlines);
      },
      onJobRead: (jobDigest, createdAtMs) => this.#progress.onJobRead(jobDigest, createdAtMs),
      onRoundStarted: (start) => this.#progress.onRoundStarted(start, signal),
      onRoundEnded: (end) => this.#progress.onRoundEnded(end),
    });
    return this.#posting.deliver(product, signal);
  }

  /** Saving the summary is a post too, and needs proof of the lease. */
  #jobUnder(signal: AbortSignal): StudioJob {
    return {
      ...this.#job,
      updateSummary: async (update, until) => {
        await this.#heartbeat.confirm(signal);
        await this.#job.updateSummary(update, until);
      },
    };
  }

  async #requireOwnership(signal: AbortSignal): Promise<void> {
    if (this.#heartbeat.isKeyRefused) await this.#heartbeat.confirm(signal);
    await this.#progress.requireOwnership(signal);
  }

  async #end(failure: Failure, deadlines: Deadlines): Promise<Outcome> {
    const { error, verdict, explanation } = failure;
    this.#deps.counted.refused(error);
    const defect = error.code === "internal" ? { defect: error.cause ?? error } : {};
    const ending = { reason: error.code, explanation, ...defect };
    if (verdict === "superseded" || verdict === "stopped") return { state: verdict, ...ending };
    if (verdict === "continued")
      return this.#run.continuations < timing.maxContinuations
        ? { state: verdict, ...ending }
        : this.#tooMany(deadlines);
    await this.#progress.cancelPending();
    if (verdict === "failed") return this.#report(ending, deadlines);
    // An earlier attempt's delivery may have arrived without an answer.
    if (this.#run.delivering && isToldLost(error)) return unconfirmed;
    const isUnknown = this.#run.delivering || error instanceof LostTrack;
    return { state: "lost", ...ending, unconfirmed: isUnknown || undefined };
  }

  #tooMany(deadlines: Deadlines): Promise<Outcome> {
    const explanation = `The job did not end within ${timing.maxContinuations + 1} invocations of the runner.`;
    return this.#report({ reason: "too_many_continuations", explanation }, deadlines);
  }

  async #report(ending: Reporting & Pick<Outcome, "defect">, deadlines: Deadlines): Promise<Outcome> {
    const { reason, explanation } = ending;
    const { reporting } = this.#run;
    const alarm = reportAlarm(this.#deps.clock, deadlines, this.#over);
    try {
      const outcome = await this.#posting.report({ reason, explanation }, alarm.signal);
      return { ...outcome, defect: ending.defect };
    } catch (thrown) {
      const { error, verdict } = judge(thrown);
      if (verdict === "stopped") return { state: verdict, reason: error.code };
      this.#deps.counted.refused(error);
      // An earlier attempt's report may have arrived without an answer.
      if (reporting && isToldLost(error)) return { state: "failed", ...ending, unconfirmed: true };
      this.#deps.log.warn("report_failed", { reason: error.code, error });
      const mayContinue = verdict === "continued" && this.#run.continuations < timing.maxContinuations;
      if (mayContinue || verdict === "superseded") return { ...ending, state: verdict };
      const isUnknown = reporting !== undefined || error instanceof LostTrack;
      return { ...ending, state: "lost", unconfirmed: isUnknown || undefined };
    } finally {
      alarm.cancel();
    }
  }

  async #continueRun(reason: string): Promise<AttemptResult> {
    const { clock, runStore, log, counted } = this.#deps;
    const { pool, runId, attempt, continuations } = this.#run;
    const atMs = clock.now();
    const leaseExpiresAtMs = atMs + this.#heartbeat.leaseLeftMs();
    const continuation = {
      atMs,
      continuations: continuations + 1,
      leaseExpiresAtMs,
      progress: this.#progress.known,
    };
    const ours = await runStore.continueRun(this.#fence, continuation);
    if (!ours) return { state: "superseded", reason };
    log.info("attempt_continued", { reason, leaseLeftMs: this.#heartbeat.leaseLeftMs() });
    counted.continued();
    await invokeOrLeave(this.#deps, { pool, runId, attempt: attempt + 1 });
    return { state: "continued", reason };
  }

  /** Leaves the run open, as a killed attempt would, for the reaper to restart. */
  #leave(reason: string): AttemptResult {
    this.#deps.log.info("stopping", { reason });
    return { state: "stopped", reason };
  }

  async #close(state: EndState | "superseded", outcome: Outcome): Promise<AttemptResult> {
    const { reason, explanation, defect, product } = outcome;
    const result = { state, reason, ...(defect === undefined ? {} : { defect }) };
    const { clock, runStore, log } = this.#deps;
    const progress = this.#progress.known;
    const { rounds = 0, usage = noUsage, model } = progress;
    const atMs = clock.now();
    const why = explanation === undefined ? {} : { explanation };
    const made = product === undefined ? {} : { deliverables: product.deliverables };
    const told = { rounds, ...why, ...made };
    const closing = { reason, atMs, progress, ...why, unconfirmed: outcome.unconfirmed };
    const end = { reason, atMs, usage, model };
    const closed =
      state !== "superseded" &&
      (await closeAndCount(this.#deps, { run: this.#run, end: { state, ...end }, told }, (costUsd) =>
        runStore.finish(this.#fence, { state, ...closing, costUsd }),
      ));
    if (closed) return result;
    log.info("attempt_superseded", { reason, ...told });
    return { ...result, state: "superseded" };
  }
}
