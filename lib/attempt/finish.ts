import type { Log } from "../core/log.ts";
import { noUsage } from "../model/model.ts";
import type { OutcomeState, Fence, Run, RunProgress } from "../runs/run.ts";
import type { AttemptMetrics } from "./attempt-metrics.ts";
import { closeAndCount } from "./count.ts";
import type { Outcome } from "./outcome.ts";
import type { Ports } from "./ports.ts";
import { invokeAttempt } from "./recover.ts";

export interface StartedAttempt {
  readonly fence: Fence;
  /** As the attempt started it. */
  readonly run: Run;
  readonly log: Log;
  readonly attemptMetrics: AttemptMetrics;
}

export interface AttemptResult {
  readonly state: OutcomeState | "superseded" | "duplicate" | "continued" | "stopped";
  readonly reason: string;
  /** A bug of ours. The entry point rethrows it, so that the function's error alarm fires. */
  readonly defect?: unknown;
}

interface Continuation {
  readonly reason: string;
  readonly progress: RunProgress;
  readonly leaseLeftMs: number;
}

/** Hands the run to its next attempt. @throws RunnerError `run_store_unavailable` */
export async function continueRun(
  { clock, runStore, invoker }: Pick<Ports, "clock" | "runStore" | "invoker">,
  { fence, run, log, attemptMetrics }: StartedAttempt,
  { reason, progress, leaseLeftMs }: Continuation,
): Promise<AttemptResult> {
  const { pool, runId, attempt } = run;
  const atMs = clock.now();
  const leaseExpiresAtMs = atMs + leaseLeftMs;
  const continuations = run.continuations + 1;
  const ours = await runStore.continueRun(fence, { atMs, continuations, leaseExpiresAtMs, progress });
  if (!ours) return { state: "superseded", reason };
  log.info("attempt_continued", { reason, leaseLeftMs });
  attemptMetrics.continued();
  await invokeAttempt({ invoker, log }, { pool, runId, attempt: attempt + 1 });
  return { state: "continued", reason };
}

interface Finish extends Outcome {
  readonly state: OutcomeState | "superseded";
  readonly progress: RunProgress;
}

/** Finishes the run and, if the write is accepted, records metrics and spend. @throws RunnerError `run_store_unavailable` */
export async function finishRun(
  { clock, runStore, metrics, spend }: Pick<Ports, "clock" | "runStore" | "metrics" | "spend">,
  { fence, run, log }: StartedAttempt,
  { state, reason, explanation, unconfirmed, product, defect, progress }: Finish,
): Promise<AttemptResult> {
  const { rounds = 0, usage = noUsage, model } = progress;
  const atMs = clock.now();
  const logFields = { rounds, explanation, deliverables: product?.deliverables };
  if (state !== "superseded") {
    const end = { state, reason, atMs, usage, model };
    const isFinished = await closeAndCount({ metrics, spend, log }, { run, end, logFields }, (costUsd) =>
      runStore.finish(fence, { state, reason, explanation, atMs, progress, unconfirmed, costUsd }),
    );
    if (isFinished) return { state, reason, defect };
  }
  log.info("attempt_superseded", { reason, ...logFields });
  return { state: "superseded", reason, defect };
}
