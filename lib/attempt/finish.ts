import { toRunnerError } from "../core/errors.ts";
import type { Metrics } from "../core/metrics.ts";
import { noUsage, type Usage } from "../model/model.ts";
import type { FinishedRun, Outcome, Run, RunProgress } from "../runs/run.ts";
import { utcDay } from "../runs/spend.ts";
import { completedUnconfirmed, type AttemptResult } from "./outcome.ts";
import type { Ports } from "./ports.ts";
import type { Product } from "./work-context.ts";

type FinishPorts = Pick<Ports, "clock" | "metrics" | "spend" | "log">;

export interface RunToFinish {
  readonly run: Run;
  readonly outcome: Outcome;
  /** Default: what the run's row holds. */
  readonly progress?: Pick<RunProgress, "rounds" | "usage" | "model">;
  readonly deliverables?: Product["deliverables"] | undefined;
}

/**
 * Finishes a run with `write` and, if the run store accepts the write, records metrics, the day's spend and a log line.
 * `false`: not accepted, and nothing is recorded.
 * @throws what `write` throws
 */
export async function finishRun(
  ports: FinishPorts,
  { run, outcome, progress = run, deliverables }: RunToFinish,
  write: (finished: FinishedRun) => Promise<boolean>,
): Promise<boolean> {
  const { pool, runId, attempt, workspaceId } = run;
  const { rounds = 0, usage = noUsage, model } = progress;
  const { state, reason, explanation, unconfirmed } = outcome;
  const atMs = ports.clock.now();
  const costUsd = toBillionths(model === undefined ? 0 : usage.costUsd);
  if (!(await write({ state, reason, explanation, unconfirmed, atMs, costUsd }))) return false;
  const elapsedMs = atMs - run.leasedAtMs;
  const log = ports.log.with({ pool, runId, attempt, workspaceId });
  const recorded: Recorded = { pool, state, reason, atMs, elapsedMs, usage: { ...usage, costUsd }, model };
  emitOutcome(ports.metrics, recorded);
  const fields = { ...usage, costUsd, model, rounds, explanation, deliverables };
  log.info("run_ended", { state, reason, elapsedMs, ...fields });
  // A model is recorded with the first round: without one there was nothing to pay.
  if (model !== undefined && costUsd === undefined) log.warn("price_unknown", { model });
  await addToDay({ spend: ports.spend, log }, recorded);
  return true;
}

/** The dispatcher was delayed between claiming the workspace and creating this run, and a newer run has the workspace. */
export async function finishSuperseded(
  ports: FinishPorts,
  run: Run,
  write: (finished: FinishedRun) => Promise<boolean>,
): Promise<AttemptResult> {
  await finishRun(ports, { run, outcome: abandonedOutcome(run, "superseded", true) }, write);
  return { state: "superseded", reason: "superseded" };
}

/** Removes floating-point noise. */
const toBillionths = (usd: number | undefined): number | undefined =>
  usd === undefined ? undefined : Math.round(usd * 1e9) / 1e9;

interface Recorded extends Outcome {
  readonly pool: string;
  readonly atMs: number;
  readonly elapsedMs: number;
  readonly usage: Usage;
  /** Absent if no round was asked. */
  readonly model: string | undefined;
}

function emitOutcome(metrics: Metrics, { pool, state, reason, elapsedMs, usage, model }: Recorded): void {
  if (state === "completed") metrics.emit("RunsCompleted", { pool }, 1);
  else metrics.emit(state === "failed" ? "RunsFailed" : "RunsLost", { pool, reason }, 1);
  metrics.emit("RunSeconds", { pool }, elapsedMs / 1000);
  if (model === undefined) return;
  const kinds = {
    input: usage.inputTokens,
    cached_input: usage.cachedInputTokens,
    output: usage.outputTokens,
    reasoning: usage.reasoningTokens,
  };
  for (const [kind, count] of Object.entries(kinds)) metrics.emit("Tokens", { pool, model, kind }, count);
  if (usage.costUsd !== undefined) metrics.emit("CostUsd", { pool, model }, usage.costUsd);
}

/** A failure here does not change the run's outcome. It makes the day's spend look slightly lower. */
async function addToDay(
  { spend, log }: Pick<Ports, "spend" | "log">,
  { pool, state, atMs, usage }: Recorded,
): Promise<void> {
  const { inputTokens, outputTokens, costUsd = 0 } = usage;
  try {
    await spend.add(pool, utcDay(atMs), { costUsd, runs: 1, [state]: 1, inputTokens, outputTokens });
  } catch (thrown) {
    const error = toRunnerError(thrown);
    log.warn("spend_not_recorded", { reason: error.code, error, costUsd });
  }
}

/**
 * The outcome of a run that lost its lease while its attempt was silent. If the deliverables or a failure report had been sent, their
 * arrival most probably ended the lease. If the lease expired in an outage, the outcome is unknown.
 * @param isGone Studio said that the lease is gone, or gave it to another run of ours
 */
export function abandonedOutcome({ reporting, delivering }: Run, reason: string, isGone: boolean): Outcome {
  if (reporting) return { state: isGone ? "failed" : "lost", ...reporting, unconfirmed: true };
  if (!delivering) return { state: "lost", reason };
  return isGone ? completedUnconfirmed : { state: "lost", reason, unconfirmed: true };
}
