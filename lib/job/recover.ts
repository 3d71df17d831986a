import { withTimeLimit, type Clock } from "../clock.ts";
import { hasCode, toRunnerError } from "../errors.ts";
import type { Invoker } from "../invoker.ts";
import type { BackoffRow } from "../ledger/backoff.ts";
import type { Ending, Ledger, Restart } from "../ledger/ledger.ts";
import type { Reporting, Run } from "../ledger/run.ts";
import { retry, type RetryPolicy } from "../retry.ts";
import { timing } from "../timing.ts";
import { closeAndCount, type CountDeps } from "./count.ts";
import { reportFailure } from "./delivery.ts";
import { pressed } from "./hold-back.ts";
import { bindJob, type StudioJob, type StudioJobDeps } from "./studio-job.ts";
import { explainTroubles, type Trouble } from "./trouble.ts";

export interface RecoverDeps extends StudioJobDeps, CountDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly ledger: Ledger;
  readonly backoff: BackoffRow;
  readonly invoker: Invoker;
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
  const job = pressed(bindJob(deps, run), { ...deps, log }, run.pool);
  const lease = await askForLease(deps, run, job);
  if (lease === "unknown") return "left";
  if (typeof lease === "string") return closeLost(deps, run, { trouble, isTold: lease === "told" });

  // Taking the next leg is what makes this hand the only one that goes on.
  const restart = { atMs: deps.clock.now(), leaseExpiresAtMs: lease, ...nextOf(deps, run, trouble) };
  const taken = await deps.ledger.restart(run, restart);
  if (!taken) return "left";
  if (restart.reporting) return fail({ ...deps, log }, { run: taken, job }, restart.reporting);

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

/** The lease's new end, by a beat. `told`: Studio says that it is gone; `over`: nothing can be posted under it any more. */
async function askForLease(
  deps: RecoverDeps,
  run: Run,
  job: StudioJob,
): Promise<number | "told" | "over" | "unknown"> {
  const { clock } = deps;
  // Past its end a beat proves nothing: Studio may have leased the job anew to the same key, for another run of ours.
  if (clock.now() >= run.leaseExpiresAtMs) return "over";
  try {
    const limit = { clock, limitMs: timing.recoverBeatLimitMs, what: "the beat" };
    const { leaseExpiresAtMs } = await withTimeLimit(limit, (signal) =>
      retry({ deps, policy: beatPolicy, signal }, () => job.heartbeat(signal)),
    );
    return leaseExpiresAtMs ?? clock.now() + run.leaseMs;
  } catch (error) {
    if (isOver(deps, run, error)) return hasCode(error, "lease_lost") ? "told" : "over";
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

/** Nothing can be posted for the run any more. */
function isOver({ metrics }: RecoverDeps, { pool }: Run, error: unknown): boolean {
  if (hasCode(error, "key_refused")) metrics.emit("KeysRefused", { pool }, 1);
  return hasCode(error, "lease_lost", "key_refused");
}

type ClosedAs = Pick<Ending, "state" | "reason" | "explanation">;

/** Where only Studio has still to be told, no leg was called: that it is missing is no trouble of the job's. */
function nextOf(deps: RecoverDeps, run: Run, trouble: Trouble): Pick<Restart, "trouble" | "reporting"> {
  if (run.reporting) return { trouble: undefined, reporting: run.reporting };
  const next = { ...run, starts: run.starts + 1, troubles: [...run.troubles, trouble] };
  return { trouble, reporting: endingOf(deps, next, trouble) };
}

function endingOf({ clock, runLimitMs }: RecoverDeps, run: Run, trouble: Trouble): Reporting | undefined {
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
  verdict: Reporting,
): Promise<Recovery> {
  let state: "failed" | "lost" = "failed";
  try {
    const limit = {
      clock: deps.clock,
      limitMs: timing.recoverReportLimitMs,
      what: "the report of the failure",
    };
    await withTimeLimit(limit, (signal) => reportFailure({ ...deps, job }, verdict.explanation, signal));
  } catch (thrown) {
    const error = toRunnerError(thrown);
    deps.log.warn("report_failed", { reason: error.code, error });
    if (!isOver(deps, run, error)) return "left";
    state = "lost";
  }
  await closeAs(deps, run, { state, ...verdict });
  return state;
}

interface LostLease {
  readonly trouble: Trouble;
  readonly isTold: boolean;
}

async function closeLost(deps: RecoverDeps, run: Run, lease: LostLease): Promise<Recovery> {
  const end = endOfLost(run, lease);
  return (await closeAs(deps, run, end)) ? end.state : "left";
}

/**
 * A lease of which Studio says that it went, while the deliverables or the report of a failure were on their way, was
 * most probably taken by their arrival. One that ran out in an outage was not.
 */
function endOfLost({ reporting, delivering }: Run, { trouble, isTold }: LostLease): ClosedAs {
  if (reporting) return { state: isTold ? "failed" : "lost", ...reporting };
  return delivering && isTold
    ? { state: "completed", reason: "unconfirmed" }
    : { state: "lost", reason: trouble };
}

async function closeAs(deps: RecoverDeps, run: Run, ending: ClosedAs): Promise<boolean> {
  const atMs = deps.clock.now();
  const { pool, runId, leg, workspaceId, rounds, usage, model } = run;
  const { state, reason, explanation } = ending;
  const log = deps.log.with({ pool, runId, leg, workspaceId });
  const told = { rounds, ...(explanation === undefined ? {} : { explanation }) };
  const end = { state, reason, atMs, usage, model };
  return closeAndCount({ ...deps, log }, { run, end, told }, (costUsd) =>
    deps.ledger.closeAbandoned(run, { ...ending, atMs, costUsd }),
  );
}
