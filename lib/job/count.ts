import type { Usage } from "../inference/model.ts";
import type { EndState, Run } from "../ledger/run.ts";
import type { Metrics } from "../metrics.ts";

export interface CountedEnd {
  readonly state: EndState;
  readonly reason: string;
  readonly atMs: number;
  readonly usage: Usage;
  /** Absent where no round was asked. */
  readonly model: string | undefined;
}

/** Counts a run's end, once: only the hand whose close the ledger accepted may call this. */
export function countEnd(
  metrics: Metrics,
  run: Run,
  { state, reason, atMs, usage, model }: CountedEnd,
): void {
  const { pool } = run;
  if (state === "completed") metrics.emit("RunsCompleted", { pool }, 1);
  else metrics.emit(state === "failed" ? "RunsFailed" : "RunsLost", { pool, reason }, 1);
  metrics.emit("RunMs", { pool }, atMs - run.leasedAtMs);
  if (model === undefined) return;
  const kinds = {
    input: usage.inputTokens,
    cached_input: usage.cachedInputTokens,
    output: usage.outputTokens,
    reasoning: usage.reasoningTokens,
  };
  for (const [kind, count] of Object.entries(kinds)) metrics.emit("Tokens", { pool, model, kind }, count);
}
