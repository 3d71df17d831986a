import { abortAfter, type Clock } from "../clock.ts";
import { RunnerError } from "../errors.ts";
import { noUsage, type Usage } from "../inference/model.ts";
import type { Ending, Ledger } from "../ledger/ledger.ts";
import type { Fence, Run } from "../ledger/run.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type { CompletePayload, Studio } from "../studio/studio.ts";
import { timing } from "../timing.ts";
import { deliver, reportFailure } from "./delivery.ts";
import { judge, type Failure } from "./ending.ts";
import { LeaseKeeper } from "./keeper.ts";
import type { LegEvent } from "./leg-event.ts";
import type { PersistDeps } from "./persist.ts";
import { bindJob, type RunnerKeys, type StudioJob } from "./studio-job.ts";

/** What the model's work comes to (lib/job/work.ts). */
export interface Product {
  readonly payload: CompletePayload;
  readonly deliverables: Readonly<Record<string, number>>;
}

/** Tells the leg what has been used up to now, so that it is counted whatever happens next. */
export interface Progress {
  readonly number: number;
  readonly responseId: string;
  readonly calls: number;
  /** Of the whole run up to now. */
  readonly usage: Usage;
}

export interface WorkContext extends PersistDeps {
  readonly job: StudioJob;
  readonly signal: AbortSignal;
  /** @throws RunnerError `superseded` */
  readonly onRound: (progress: Progress) => Promise<void>;
}

export interface LegDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly newId: () => string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly ledger: Ledger;
  readonly studio: Studio;
  readonly keys: RunnerKeys;
  readonly modelName: string;
  readonly work: (context: WorkContext) => Promise<Product>;
}

export interface LegResult {
  readonly state: "completed" | "failed" | "lost" | "superseded" | "duplicate";
  readonly reason: string;
  /** A defect of ours: the entry point throws it, so that the function's error alarm fires. */
  readonly defect?: unknown;
}

/** How a leg's story ended, before the ledger knows. */
type Outcome = Omit<LegResult, "state"> & {
  readonly state: "completed" | "failed" | "lost" | "superseded";
  readonly explanation?: string;
  readonly product?: Product;
};

/** Epoch ms: when work must stop, and when reporting must. Short time-outs get short reserves. */
interface Deadlines {
  readonly workMs: number;
  readonly reportMs: number;
}

/**
 * The story of one leg: begin, keep the lease, work, deliver or report, close. `remainingMs` is what the platform
 * leaves this invocation; the leg ends itself before that.
 * @throws RunnerError `ledger_unavailable` when the run can be neither begun nor closed
 */
export async function runLeg(deps: LegDeps, event: LegEvent, remainingMs: number): Promise<LegResult> {
  const fence: Fence = { ...event, invocationId: deps.newId() };
  const run = await deps.ledger.begin(fence, deps.clock.now());
  if (!run) {
    deps.log.info("leg_duplicate", event);
    deps.metrics.emit("Duplicates", { pool: event.pool }, 1);
    return { state: "duplicate", reason: "duplicate" };
  }
  const log = deps.log.with({ ...event, workspaceId: run.workspaceId });
  log.info("leg_began", { leaseLeftMs: run.leaseExpiresAtMs - deps.clock.now(), keyId: run.keyId });
  return new Leg({ ...deps, log }, fence, run).run(remainingMs);
}

class Leg {
  readonly #deps: LegDeps;
  readonly #fence: Fence;
  readonly #run: Run;
  readonly #job: StudioJob;
  readonly #keeper: LeaseKeeper;
  #usage = noUsage;
  #rounds = 0;

  constructor(deps: LegDeps, fence: Fence, run: Run) {
    this.#deps = deps;
    this.#fence = fence;
    this.#run = run;
    this.#job = bindJob(deps, run);
    const onBeatFailed = (): void => deps.metrics.emit("BeatsFailed", { pool: run.pool }, 1);
    this.#keeper = new LeaseKeeper({ ...deps, job: this.#job, onBeatFailed }, { ...run, fence });
  }

  async run(remainingMs: number): Promise<LegResult> {
    const nowMs = this.#deps.clock.now();
    const deadlines = {
      workMs: nowMs + remainingMs - Math.min(timing.legReserveMs, remainingMs / 4),
      reportMs: nowMs + remainingMs - Math.min(timing.hardReserveMs, remainingMs / 20),
    };
    try {
      const outcome = await this.#attempt(deadlines);
      // The keeper beats on until Studio has its answer; the close must not race with a beat.
      await this.#keeper.stop();
      return await this.#close(outcome);
    } finally {
      await this.#keeper.stop();
    }
  }

  async #attempt(deadlines: Deadlines): Promise<Outcome> {
    try {
      return await this.#complete(deadlines);
    } catch (thrown) {
      return this.#report(judge(thrown), deadlines);
    }
  }

  async #complete({ workMs }: Deadlines): Promise<Outcome> {
    const deadline = this.#deadline(workMs, "the time of one invocation was over");
    try {
      if (this.#keeper.isLate()) {
        await this.#keeper.confirm(deadline.signal);
        this.#deps.log.info("lease_renewed", { leaseLeftMs: this.#keeper.leaseLeftMs() });
      }
      const product = await this.#deps.work({
        ...this.#deps,
        job: this.#job,
        signal: deadline.signal,
        onRound: (progress) => this.#noteRound(progress),
      });
      await this.#keeper.confirm(deadline.signal);
      const answer = await deliver({ ...this.#deps, job: this.#job }, product.payload, deadline.signal);
      return { state: "completed", reason: answer === "accepted" ? "ok" : "unconfirmed", product };
    } finally {
      deadline.cancel();
    }
  }

  async #report(failure: Failure, { reportMs }: Deadlines): Promise<Outcome> {
    const { error, verdict, explanation } = failure;
    const ending = {
      reason: error.code,
      explanation,
      ...(error.code === "internal" ? { defect: error.cause ?? error } : {}),
    };
    if (verdict !== "failed") return { state: verdict, ...ending };
    const deadline = this.#deadline(reportMs, "the failure could not be reported in time");
    try {
      await reportFailure({ ...this.#deps, job: this.#job }, explanation, deadline.signal);
      return { state: "failed", ...ending };
    } catch (thrown) {
      const unreported = judge(thrown);
      this.#deps.log.warn("report_failed", { reason: unreported.error.code, error: unreported.error });
      return { ...ending, state: unreported.verdict === "superseded" ? "superseded" : "lost" };
    } finally {
      deadline.cancel();
    }
  }

  #deadline(atMs: number, why: string) {
    const { clock } = this.#deps;
    const beganAtMs = clock.now();
    const reason = (): RunnerError => {
      const minutes = Math.round((clock.now() - beganAtMs) / 6_000) / 10;
      return new RunnerError("leg_deadline", `The job was stopped after ${minutes} minutes: ${why}.`);
    };
    return abortAfter(clock, { afterMs: atMs - beganAtMs, reason, outer: this.#keeper.signal });
  }

  async #noteRound({ number, responseId, calls, usage }: Progress): Promise<void> {
    this.#usage = usage;
    this.#rounds = number;
    this.#deps.log.info("round_ended", { round: number, responseId, calls, ...tokens(usage) });
    const ours = await this.#deps.ledger.noteRound(this.#fence, { number, responseId, usage });
    if (!ours) throw new RunnerError("superseded", "a newer leg, or a close, owns the run");
  }

  async #close(outcome: Outcome): Promise<LegResult> {
    const { state, reason, explanation, defect, product } = outcome;
    const result = { state, reason, ...(defect === undefined ? {} : { defect }) };
    const atMs = this.#deps.clock.now();
    if (state !== "superseded") {
      const ending: Ending = { state, reason, atMs, ...(explanation === undefined ? {} : { explanation }) };
      const ours = await this.#deps.ledger.close(this.#fence, ending);
      if (!ours) return { ...result, state: "superseded" };
      this.#count(state, reason, atMs);
    }
    this.#deps.log.info("run_ended", {
      state,
      reason,
      rounds: this.#rounds,
      elapsedMs: atMs - this.#run.leasedAtMs,
      ...tokens(this.#usage),
      ...(explanation === undefined ? {} : { explanation }),
      ...(product === undefined ? {} : { deliverables: product.deliverables }),
    });
    return result;
  }

  #count(state: Ending["state"], reason: string, atMs: number): void {
    const { metrics, modelName } = this.#deps;
    const { pool, leasedAtMs } = this.#run;
    if (state === "completed") metrics.emit("RunsCompleted", { pool }, 1);
    else metrics.emit(state === "failed" ? "RunsFailed" : "RunsLost", { pool, reason }, 1);
    metrics.emit("RunMs", { pool }, atMs - leasedAtMs);
    if (this.#rounds === 0) return;
    const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = this.#usage;
    const kinds = {
      input: inputTokens,
      cached_input: cachedInputTokens,
      output: outputTokens,
      reasoning: reasoningTokens,
    };
    for (const [kind, count] of Object.entries(kinds))
      metrics.emit("Tokens", { pool, model: modelName, kind }, count);
  }
}

function tokens(usage: Usage): { readonly inputTokens: number; readonly outputTokens: number } {
  return { inputTokens: usage.inputTokens, outputTokens: usage.outputTokens };
}
