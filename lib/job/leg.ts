import type { Clock } from "../clock.ts";
import { hasCode, RunnerError, toRunnerError } from "../errors.ts";
import { noUsage } from "../inference/model.ts";
import type { Invoker } from "../invoker.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { EndState, Fence, Run, RunProgress } from "../ledger/run.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type { Studio } from "../studio/studio.ts";
import { timing } from "../timing.ts";
import { countEnd } from "./count.ts";
import { deadlinesOf, reportAlarm, workAlarm, type Deadlines } from "./deadline.ts";
import { deliver, reportFailure } from "./delivery.ts";
import { judge, type Failure } from "./ending.ts";
import { LeaseKeeper } from "./keeper.ts";
import type { LegEvent } from "./leg-event.ts";
import { invokeOrLeave } from "./recover.ts";
import { bindJob, type RunnerKeys, type StudioJob } from "./studio-job.ts";
import type { Product, RoundEnd, RoundStart, WorkContext } from "./work-context.ts";

export interface LegDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly newId: () => string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly ledger: Ledger;
  readonly studio: Studio;
  readonly keys: RunnerKeys;
  readonly invoker: Invoker;
  readonly modelName: string;
  readonly runLimitMs: number;
  readonly work: (context: WorkContext) => Promise<Product>;
  /** Stops a generation that nobody waits for any more. */
  readonly cancelResponse: (responseId: string) => Promise<void>;
}

export interface Invocation {
  /** What the platform leaves this invocation. */
  readonly remainingMs: number;
  /** The platform's id of it. */
  readonly requestId: string;
}

export interface LegResult {
  readonly state: EndState | "superseded" | "duplicate" | "handed_over";
  readonly reason: string;
  /** A defect of ours: the entry point throws it, so that the function's error alarm fires. */
  readonly defect?: unknown;
}

/** How a leg's story ended, before the ledger knows. */
type Outcome = Omit<LegResult, "state"> & {
  readonly state: EndState | "superseded" | "handed_over";
  readonly explanation?: string;
  readonly product?: Product;
};

/**
 * The story of one leg: begin, keep the lease, work, deliver or report, close; or hand over to the next leg before the
 * platform ends this one.
 * @throws RunnerError `ledger_unavailable` when the run can be neither begun nor closed
 */
export async function runLeg(deps: LegDeps, event: LegEvent, invocation: Invocation): Promise<LegResult> {
  const { requestId, remainingMs } = invocation;
  const fence: Fence = { ...event, invocationId: deps.newId() };
  const nowMs = deps.clock.now();
  const run = await deps.ledger.begin(fence, { atMs: nowMs, requestId });
  if (!run) {
    deps.log.info("leg_duplicate", event);
    deps.metrics.emit("Duplicates", { pool: event.pool }, 1);
    return { state: "duplicate", reason: "duplicate" };
  }
  const log = deps.log.with({ ...event, workspaceId: run.workspaceId });
  log.info("leg_began", { leaseLeftMs: run.leaseExpiresAtMs - nowMs, keyId: run.keyId });
  return new Leg({ ...deps, log }, fence, run).run(deadlinesOf(nowMs, remainingMs));
}

class Leg {
  readonly #deps: LegDeps;
  readonly #fence: Fence;
  readonly #run: Run;
  readonly #job: StudioJob;
  readonly #keeper: LeaseKeeper;
  #progress: RunProgress;
  /** A response that is generating, or was when the last leg ended. */
  #pendingResponseId: string | undefined;

  constructor(deps: LegDeps, fence: Fence, run: Run) {
    const { rounds, usage, delivering } = run;
    this.#deps = deps;
    this.#fence = fence;
    this.#run = run;
    this.#progress = { rounds, usage, delivering };
    this.#pendingResponseId = run.lastResponseId;
    this.#job = bindJob(deps, run);
    const onBeatFailed = (): void => deps.metrics.emit("BeatsFailed", { pool: run.pool }, 1);
    this.#keeper = new LeaseKeeper({ ...deps, job: this.#job, onBeatFailed }, { ...run, fence });
  }

  async run(deadlines: Deadlines): Promise<LegResult> {
    try {
      const outcome = await this.#attempt(deadlines);
      // The keeper beats on until Studio has its answer; what follows must not race with a beat.
      await this.#keeper.stop();
      return outcome.state === "handed_over"
        ? await this.#handOver(outcome.reason)
        : await this.#close(outcome.state, outcome);
    } finally {
      await this.#keeper.stop();
    }
  }

  async #attempt(deadlines: Deadlines): Promise<Outcome> {
    const { clock, runLimitMs } = this.#deps;
    const runEndsAtMs = this.#run.leasedAtMs + runLimitMs;
    const limits = { workMs: deadlines.workMs, runEndsAtMs, runLimitMs, outer: this.#keeper.signal };
    const deadline = workAlarm(clock, limits);
    try {
      return await this.#complete(deadline.signal);
    } catch (thrown) {
      return await this.#end(judge(thrown), deadlines);
    } finally {
      deadline.cancel();
    }
  }

  async #complete(signal: AbortSignal): Promise<Outcome> {
    if (this.#keeper.isLate()) {
      await this.#keeper.confirm(signal);
      this.#deps.log.info("lease_renewed", { leaseLeftMs: this.#keeper.leaseLeftMs() });
    }
    const product = await this.#deps.work({
      ...this.#deps,
      job: this.#job,
      run: this.#run,
      signal,
      note: (progress) => this.#note(progress),
      onRoundStarted: (start) => this.#onRoundStarted(start),
      onRoundEnded: (end) => this.#onRoundEnded(end),
    });
    return this.#deliver(product, signal);
  }

  /** A payload that Studio refuses goes back to the model once, with Studio's words. */
  async #deliver(product: Product, signal: AbortSignal): Promise<Outcome> {
    try {
      return await this.#post(product, signal);
    } catch (error) {
      if (!hasCode(error, "studio_rejected") || !product.repair) throw error;
      this.#deps.log.warn("payload_refused", { reason: error.code, explanation: error.message });
      return this.#post(await product.repair(error.message), signal);
    }
  }

  async #post(product: Product, signal: AbortSignal): Promise<Outcome> {
    await this.#keeper.confirm(signal);
    await this.#note({ delivering: true });
    const confirmLease = (until: AbortSignal): Promise<void> => this.#keeper.confirm(until);
    const answer = await deliver({ ...this.#deps, job: this.#job, confirmLease }, product.payload, signal);
    return { state: "completed", reason: answer === "accepted" ? "ok" : "unconfirmed", product };
  }

  async #end(failure: Failure, deadlines: Deadlines): Promise<Outcome> {
    const { error, verdict, explanation } = failure;
    const defect = error.code === "internal" ? { defect: error.cause ?? error } : {};
    const ending = { reason: error.code, explanation, ...defect };
    if (verdict === "superseded") return { state: verdict, ...ending };
    if (verdict === "handed_over")
      return this.#run.handovers < timing.maxHandovers
        ? { state: verdict, ...ending }
        : this.#tooMany(deadlines);
    await this.#cancelPending();
    if (verdict === "failed") return this.#report(ending, deadlines);
    // An earlier leg's delivery may have arrived unanswered.
    return this.#run.delivering
      ? { state: "completed", reason: "unconfirmed" }
      : { state: "lost", ...ending };
  }

  #tooMany(deadlines: Deadlines): Promise<Outcome> {
    const explanation = `The job did not end within ${timing.maxHandovers + 1} invocations of the runner.`;
    return this.#report({ reason: "too_many_handovers", explanation }, deadlines);
  }

  async #report(
    ending: Omit<Outcome, "state" | "explanation"> & { readonly explanation: string },
    deadlines: Deadlines,
  ): Promise<Outcome> {
    const alarm = reportAlarm(this.#deps.clock, deadlines, this.#keeper.signal);
    try {
      await reportFailure({ ...this.#deps, job: this.#job }, ending.explanation, alarm.signal);
      return { state: "failed", ...ending };
    } catch (thrown) {
      const { error, verdict } = judge(thrown);
      this.#deps.log.warn("report_failed", { reason: error.code, error });
      const canHandOver = verdict === "handed_over" && this.#run.handovers < timing.maxHandovers;
      return { ...ending, state: canHandOver || verdict === "superseded" ? verdict : "lost" };
    } finally {
      alarm.cancel();
    }
  }

  async #onRoundStarted({ number, responseId, previousResponseId, usage }: RoundStart): Promise<void> {
    this.#pendingResponseId = responseId;
    const noted = { rounds: number, usage, model: this.#deps.modelName };
    await this.#note(
      responseId === undefined
        ? noted
        : { ...noted, lastResponseId: responseId, previousResponseId: previousResponseId ?? null },
    );
  }

  #onRoundEnded({ number, responseId, calls, usage }: RoundEnd): void {
    this.#pendingResponseId = undefined;
    this.#progress = { ...this.#progress, rounds: number, usage, model: this.#deps.modelName };
    const { inputTokens, outputTokens } = usage;
    this.#deps.log.info("round_ended", { round: number, responseId, calls, inputTokens, outputTokens });
  }

  /** An unreachable ledger costs the next leg some knowledge; it does not cost the job. @throws RunnerError `superseded` */
  async #note(progress: RunProgress): Promise<void> {
    this.#progress = { ...this.#progress, ...progress };
    try {
      const ours = await this.#deps.ledger.note(this.#fence, progress);
      if (!ours) throw new RunnerError("superseded", "a newer leg, or a close, owns the run");
    } catch (error) {
      if (!hasCode(error, "ledger_unavailable")) throw error;
      this.#deps.log.warn("report_failed", { what: "progress", reason: error.code, error });
    }
  }

  async #cancelPending(): Promise<void> {
    if (this.#pendingResponseId === undefined) return;
    await this.#deps.cancelResponse(this.#pendingResponseId).catch((thrown: unknown) => {
      this.#deps.log.warn("report_failed", { what: "cancel", error: toRunnerError(thrown) });
    });
  }

  async #handOver(reason: string): Promise<LegResult> {
    const { clock, ledger, log, metrics } = this.#deps;
    const { pool, runId, leg, handovers } = this.#run;
    const ours = await ledger.handOver(this.#fence, { atMs: clock.now(), handovers: handovers + 1 });
    if (!ours) return { state: "superseded", reason };
    log.info("leg_handed_over", { reason, leaseLeftMs: this.#keeper.leaseLeftMs() });
    metrics.emit("Handovers", { pool }, 1);
    await invokeOrLeave(this.#deps, { pool, runId, leg: leg + 1 });
    return { state: "handed_over", reason };
  }

  async #close(state: EndState | "superseded", outcome: Outcome): Promise<LegResult> {
    const { reason, explanation, defect, product } = outcome;
    const result = { state, reason, ...(defect === undefined ? {} : { defect }) };
    const { clock, ledger, log, metrics } = this.#deps;
    const progress = this.#progress;
    const { rounds = 0, usage = noUsage, model } = progress;
    const atMs = clock.now();
    if (state !== "superseded") {
      const ending = { state, reason, atMs, progress, ...(explanation === undefined ? {} : { explanation }) };
      if (!(await ledger.close(this.#fence, ending))) return { ...result, state: "superseded" };
      countEnd(metrics, this.#run, { state, reason, atMs, usage, model });
    }
    const { inputTokens, outputTokens } = usage;
    const told = { state, reason, rounds, elapsedMs: atMs - this.#run.leasedAtMs, inputTokens, outputTokens };
    const why = explanation === undefined ? {} : { explanation };
    log.info("run_ended", {
      ...told,
      ...why,
      ...(product === undefined ? {} : { deliverables: product.deliverables }),
    });
    return result;
  }
}
