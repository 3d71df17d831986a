import { withTimeLimit, type Clock } from "../clock.ts";
import { hasCode, toRunnerError } from "../errors.ts";
import type { Invoker } from "../invoker.ts";
import type { Ending, Ledger } from "../ledger/ledger.ts";
import type { Run } from "../ledger/run.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { retry, type RetryPolicy } from "../retry.ts";
import { timing } from "../timing.ts";
import { countEnd } from "./count.ts";
import { reportFailure } from "./delivery.ts";
import { bindJob, type StudioJob, type StudioJobDeps } from "./studio-job.ts";
import { explainTroubles, type Trouble } from "./trouble.ts";

export interface RecoverDeps extends StudioJobDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly ledger: Ledger;
  readonly invoker: Invoker;
  readonly log: Log;
  readonly metrics: Metrics;
  /** A run that lasts longer fails, saying so. */
  readonly runLimitMs: number;
}

/** `left`: somebody else has moved the run, or Studio cannot be asked just now; a later sweep looks again. */
export type Recovery = "restarted" | "failed" | "lost" | "completed" | "left";

/**
 * Brings a run whose leg has ended without closing it to an end or on its way again: restarted on the next leg while
 * starts remain and the lease answers, else failed with a reason that its user can read, or lost with its lease.
 * @throws RunnerError `ledger_unavailable`
 */
export async function recover(deps: RecoverDeps, run: Run, trouble: Trouble): Promise<Recovery> {
  const log = deps.log.with({ pool: run.pool, runId: run.runId, leg: run.leg, workspaceId: run.workspaceId });
  const job = bindJob(deps, run);
  const lease = await askForLease(deps, run, job);
  if (lease === "unknown") return "left";
  if (lease === "lost") return closeLost(deps, run, trouble);

  // Taking the next leg is what makes this hand the only one that goes on.
  const atMs = deps.clock.now();
  const taken = await deps.ledger.restart(run, { atMs, trouble, leaseExpiresAtMs: lease });
  if (!taken) return "left";
  const ending = endingOf(deps, taken, trouble);
  if (ending) return fail({ ...deps, log }, { run: taken, job }, ending);

  log.warn("leg_restarted", { reason: trouble, starts: taken.starts });
  deps.metrics.emit("Restarts", { pool: run.pool, reason: trouble }, 1);
  await invokeOrLeave({ ...deps, log }, taken);
  return "restarted";
}

/** An event that cannot be sent is left to the sweep, which finds the leg that never began. */
export async function invokeOrLeave(
  deps: Pick<RecoverDeps, "invoker" | "log">,
  run: Pick<Run, "pool" | "runId" | "leg">,
): Promise<void> {
  const { pool, runId, leg } = run;
  try {
    await deps.invoker.invoke({ pool, runId, leg });
  } catch (thrown) {
    const error = toRunnerError(thrown);
    deps.log.error("leg_not_invoked", { reason: error.code, error });
  }
}

/** One hitch must not leave a run to the next sweep; an outage is not waited for. */
const beatPolicy: RetryPolicy = { attempts: 3, baseMs: 250, maxMs: 1_000, maxRetryAfterMs: 2_000 };

/** The lease's new end, by a beat. */
async function askForLease(
  deps: RecoverDeps,
  run: Run,
  job: StudioJob,
): Promise<number | "lost" | "unknown"> {
  const { clock } = deps;
  // Past its end a beat proves nothing: Studio may have leased the job anew to the same key, for another run of ours.
  if (clock.now() >= run.leaseExpiresAtMs) return "lost";
  try {
    const limit = { clock, limitMs: timing.recoverBeatLimitMs, what: "the beat" };
    const { leaseExpiresAtMs } = await withTimeLimit(limit, (signal) =>
      retry({ deps, policy: beatPolicy, signal }, () => job.heartbeat(signal)),
    );
    return leaseExpiresAtMs ?? clock.now() + run.leaseMs;
  } catch (error) {
    if (hasCode(error, "lease_lost", "key_refused")) return "lost";
    const { pool, runId, leg } = run;
    deps.log.warn("beat_failed", {
      pool,
      runId,
      leg,
      reason: toRunnerError(error).code,
      error: toRunnerError(error),
    });
    return "unknown";
  }
}

type Verdict = Pick<Ending, "reason" | "explanation">;

function endingOf({ clock, runLimitMs }: RecoverDeps, run: Run, trouble: Trouble): Verdict | undefined {
  if (run.starts > timing.maxStarts) return { reason: trouble, explanation: explainTroubles(run.troubles) };
  if (clock.now() - run.leasedAtMs < runLimitMs) return undefined;
  const minutes = Math.round(runLimitMs / 60_000);
  return {
    reason: "run_limit",
    explanation: `The job did not end within ${minutes} minutes. ${explainTroubles(run.troubles)}`,
  };
}

async function fail(
  deps: RecoverDeps,
  { run, job }: { readonly run: Run; readonly job: StudioJob },
  verdict: Verdict,
): Promise<Recovery> {
  let state: "failed" | "lost" = "failed";
  try {
    const limit = {
      clock: deps.clock,
      limitMs: timing.recoverReportLimitMs,
      what: "the report of the failure",
    };
    await withTimeLimit(limit, (signal) =>
      reportFailure({ ...deps, job }, verdict.explanation ?? verdict.reason, signal),
    );
  } catch (thrown) {
    const error = toRunnerError(thrown);
    deps.log.warn("report_failed", { reason: error.code, error });
    if (!hasCode(error, "lease_lost", "key_refused")) return "left";
    state = "lost";
  }
  await closeAs(deps, run, { state, ...verdict });
  return state;
}

/** A lease that went while the deliverables were on their way was most probably taken by their arrival. */
async function closeLost(deps: RecoverDeps, run: Run, trouble: Trouble): Promise<Recovery> {
  const end = run.delivering
    ? ({ state: "completed", reason: "unconfirmed" } as const)
    : ({ state: "lost", reason: trouble } as const);
  return (await closeAs(deps, run, end)) ? end.state : "left";
}

async function closeAs(
  deps: RecoverDeps,
  run: Run,
  ending: Verdict & Pick<Ending, "state">,
): Promise<boolean> {
  const atMs = deps.clock.now();
  if (!(await deps.ledger.closeAbandoned(run, { ...ending, atMs }))) return false;
  const { state, reason } = ending;
  countEnd(deps.metrics, run, { state, reason, atMs, usage: run.usage, model: run.model });
  const { pool, runId, leg, workspaceId } = run;
  deps.log.info("run_ended", {
    pool,
    runId,
    leg,
    workspaceId,
    ...ending,
    elapsedMs: atMs - run.leasedAtMs,
    rounds: run.rounds,
  });
  return true;
}
