import { toRunnerError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { Fence, Run, RunProgress } from "../runs/run.ts";
import type { AttemptMetrics } from "./attempt-metrics.ts";
import type { AttemptResult } from "./outcome.ts";
import type { Ports } from "./ports.ts";

/** Sends an attempt's event. If that fails, the reaper finds the attempt that never started. */
export async function invokeAttempt(
  { invoker, log }: Pick<Ports, "invoker" | "log">,
  { pool, runId, attempt }: Pick<Run, "pool" | "runId" | "attempt">,
): Promise<void> {
  try {
    await invoker.invoke({ pool, runId, attempt });
  } catch (thrown) {
    const error = toRunnerError(thrown);
    log.error("attempt_not_invoked", { reason: error.code, error });
  }
}

export interface StartedAttempt {
  readonly fence: Fence;
  /** As the attempt started it. */
  readonly run: Run;
  readonly log: Log;
  readonly attemptMetrics: AttemptMetrics;
}

/** Passes the run to its next attempt. @throws RunnerError `run_store_unavailable` */
export async function continueRun(
  { clock, runStore, invoker }: Pick<Ports, "clock" | "runStore" | "invoker">,
  { fence, run, log, attemptMetrics }: StartedAttempt,
  { reason, progress, leaseLeftMs }: { reason: string; progress: RunProgress; leaseLeftMs: number },
): Promise<AttemptResult> {
  const atMs = clock.now();
  const leaseExpiresAtMs = atMs + leaseLeftMs;
  const continuations = run.continuations + 1;
  const owns = await runStore.continueRun(fence, { atMs, continuations, leaseExpiresAtMs, progress });
  if (!owns) return { state: "superseded", reason };
  log.info("attempt_continued", { reason, leaseLeftMs });
  attemptMetrics.continued();
  await invokeAttempt({ invoker, log }, { ...run, attempt: run.attempt + 1 });
  return { state: "continued", reason };
}
