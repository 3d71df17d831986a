import { toRunnerError } from "../core/errors.ts";
import type { Usage } from "../model/model.ts";
import type { OutcomeState, Run } from "../runs/run.ts";
import { utcDay } from "../runs/spend.ts";
import type { LogFields } from "../core/log.ts";
import type { Metrics } from "../core/metrics.ts";
import type { Ports } from "./ports.ts";

export interface CountedEnd {
  readonly state: OutcomeState;
  readonly reason: string;
  readonly atMs: number;
  readonly usage: Usage;
  /** Absent where no round was asked. */
  readonly model: string | undefined;
}

/**
 * Finishes a run with `close` and, if the write is accepted, records metrics, the day's spend and a log line with the `logFields`.
 * `false`: the run store did not accept the write, and nothing is recorded.
 * @throws what `close` throws
 */
export async function closeAndCount(
  ports: Pick<Ports, "metrics" | "log" | "spend">,
  { run, end, logFields }: { readonly run: Run; readonly end: CountedEnd; readonly logFields: LogFields },
  close: (costUsd: number | undefined) => Promise<boolean>,
): Promise<boolean> {
  const { model, usage } = end;
  const costUsd = toBillionths(model === undefined ? 0 : usage.costUsd);
  if (!(await close(costUsd))) return false;
  emitEnd(ports.metrics, run, { ...end, costUsd });
  const { state, reason, atMs } = end;
  ports.log.info("run_ended", {
    state,
    reason,
    elapsedMs: atMs - run.leasedAtMs,
    ...usage,
    costUsd,
    model,
    ...logFields,
  });
  if (model !== undefined && costUsd === undefined) ports.log.warn("price_unknown", { model });
  await addToDay(ports, run.pool, { ...end, costUsd });
  return true;
}

/** Removes floating-point noise. */
const toBillionths = (usd: number | undefined): number | undefined =>
  usd === undefined ? undefined : Math.round(usd * 1e9) / 1e9;

type Priced = CountedEnd & { readonly costUsd: number | undefined };

function emitEnd(metrics: Metrics, run: Run, { state, reason, atMs, usage, model, costUsd }: Priced): void {
  const { pool } = run;
  if (state === "completed") metrics.emit("RunsCompleted", { pool }, 1);
  else metrics.emit(state === "failed" ? "RunsFailed" : "RunsLost", { pool, reason }, 1);
  metrics.emit("RunSeconds", { pool }, (atMs - run.leasedAtMs) / 1000);
  if (model === undefined) return;
  const kinds = {
    input: usage.inputTokens,
    cached_input: usage.cachedInputTokens,
    output: usage.outputTokens,
    reasoning: usage.reasoningTokens,
  };
  for (const [kind, count] of Object.entries(kinds)) metrics.emit("Tokens", { pool, model, kind }, count);
  if (costUsd !== undefined) metrics.emit("CostUsd", { pool, model }, costUsd);
}

/** A failure here does not change the run's outcome. It makes the day's spend look slightly lower. */
async function addToDay(
  { spend, log }: Pick<Ports, "spend" | "log">,
  pool: string,
  end: Priced,
): Promise<void> {
  const { state, atMs, costUsd = 0, usage } = end;
  const { inputTokens, outputTokens } = usage;
  try {
    await spend.add(pool, utcDay(atMs), { costUsd, runs: 1, [state]: 1, inputTokens, outputTokens });
  } catch (thrown) {
    const error = toRunnerError(thrown);
    log.warn("spend_not_noted", { reason: error.code, error, costUsd });
  }
}
