import { RunnerError, toRunnerError } from "../core/errors.ts";
import type { RecoveryPorts } from "../attempt/recover.ts";
import type { Control, ControlRow } from "../runs/control.ts";
import type { DispatchLock, LockState } from "../runs/dispatch-lock.ts";
import type { Run } from "../runs/run.ts";
import { timing } from "../core/timing.ts";
import { backoffReasons, type CycleReason } from "./cycle-reason.ts";
import { DailyCap } from "./daily-cap.ts";
import { full, type PollingTimes, Waits } from "./polling.ts";
import { Poller, type Poll, type PollerSettings, type PollerStart } from "./poller.ts";
import { reap, type ReaperSettings } from "./reaper.ts";
import type { StartPorts } from "./start.ts";

export interface CyclePorts extends StartPorts, RecoveryPorts {
  readonly control: ControlRow;
  readonly lock: DispatchLock;
}

export interface CycleSettings extends PollerSettings, ReaperSettings {
  readonly polling: PollingTimes;
  /** Estimated spending in a UTC day at which leasing stops; absent: no cap. The control row can override it. */
  readonly dailyCapUsd: number | undefined;
}

/** An upper bound for what an operator can set. */
const maxConcurrency = 1000;

export interface CycleSummary {
  readonly reason: CycleReason;
  readonly polls: number;
  readonly leased: number;
  readonly inFlight: number;
  /** Runs that the reaper recovered. */
  readonly reaped: number;
}

export interface CycleTime {
  /** How long the platform lets this invocation run. */
  readonly remainingMs: number;
  /** Ends the cycle early: no new leases. */
  readonly stop: AbortSignal;
}

/**
 * Runs one dispatch cycle: recovers silent runs, and leases jobs up to the pool's free capacity, with one run and one
 * processor invocation per lease. Reports its result in one log line and a few metrics.
 * @throws RunnerError when no poll of the cycle was answered, so that the function's error alarm fires
 */
export async function runCycle(
  ports: CyclePorts,
  settings: CycleSettings,
  time: CycleTime,
): Promise<CycleSummary> {
  const startedAtMs = ports.clock.now();
  const { pool } = settings;
  const { error, good: _good, ...summary } = await new Cycle(ports, settings, time).run();
  const fields = { pool, ...summary, elapsedMs: ports.clock.now() - startedAtMs };
  if (error) ports.log.error("cycle_ended", { ...fields, error });
  else ports.log.info("cycle_ended", fields);
  if (error) throw error;
  return summary;
}

interface Result extends CycleSummary {
  readonly error?: RunnerError;
  /** Studio answered, or was not asked for a good reason. */
  readonly good: boolean;
}

class Cycle {
  readonly #ports: CyclePorts;
  readonly #settings: CycleSettings;
  readonly #time: CycleTime;
  #poller: Poller | undefined;
  #cap: DailyCap | undefined;
  #reaped = 0;
  /**
   * No good poll is recorded since the last failed cycle, or for longer than two cycles: operators look at it right after a
   * deploy, a new key or a schedule that was off.
   */
  #awaitsGoodPoll = false;

  constructor(ports: CyclePorts, settings: CycleSettings, time: CycleTime) {
    this.#ports = ports;
    this.#settings = settings;
    this.#time = time;
  }

  async run(): Promise<Result> {
    const { clock, lock, newId } = this.#ports;
    const { pool } = this.#settings;
    const owner = newId();
    const nowMs = clock.now();
    const locked = lock.acquire({ pool, owner, nowMs, untilMs: nowMs + this.#time.remainingMs });
    const result = await this.#work(locked, owner).catch((thrown: unknown) => {
      const error = toRunnerError(thrown);
      return this.#result(error.code, { error });
    });
    await this.#release(locked, owner, result);
    this.#emit(result);
    return result;
  }

  async #work(locked: Promise<LockState | undefined>, owner: string): Promise<Result> {
    const { clock, control, keys, backoff, runStore } = this.#ports;
    const { pool } = this.#settings;
    const startedAtMs = clock.now();
    const reading = Promise.all([control.read(pool), keys.get(), backoff.read(pool)]);
    const [lockState, [operator, runnerKeys, poolBackoff]] = await Promise.all([locked, reading]);
    if (!lockState) return this.#result("overlap");
    const { goodPollAtMs = Number.NEGATIVE_INFINITY, lastCycle } = lockState;
    const isOld = startedAtMs - goodPollAtMs > 2 * timing.scheduleMs;
    this.#awaitsGoodPoll = isOld || (lastCycle?.atMs ?? 0) > goodPollAtMs;
    // Read under the lock, so that it includes runs that the previous cycle created.
    const openRuns = runStore.openRuns(pool);
    // The reaper also runs for a pool that leases nothing.
    const reaping = this.#reap(openRuns);
    try {
      const poller = await this.#prepare(operator, { keys: runnerKeys, backoff: poolBackoff, openRuns });
      const result = poller
        ? await this.#pollUntilEnd(poller, { startedAtMs, owner })
        : this.#result("paused");
      return { ...result, reaped: await reaping };
    } finally {
      await reaping;
    }
  }

  async #prepare(operator: Control, start: Omit<PollerStart, "cap">): Promise<Poller | undefined> {
    const { pool, concurrency, dailyCapUsd } = this.#settings;
    const cap = new DailyCap(this.#ports, { pool, capUsd: operator.dailyCapUsd ?? dailyCapUsd });
    this.#cap = cap;
    await cap.refresh();
    if (operator.paused) return undefined;
    const limit = Math.min(operator.concurrency ?? concurrency, maxConcurrency);
    this.#poller = new Poller(this.#ports, { ...this.#settings, concurrency: limit }, { ...start, cap });
    return this.#poller;
  }

  async #pollUntilEnd(
    poller: Poller,
    { startedAtMs, owner }: { readonly startedAtMs: number; readonly owner: string },
  ): Promise<Result> {
    const { clock } = this.#ports;
    const { polling } = this.#settings;
    const { remainingMs, stop } = this.#time;
    const endsAtMs = (end: Poll["end"]): number => {
      const cycleMs = end === "at_capacity" ? full.cycleMs : polling.cycleMs;
      return startedAtMs + Math.min(cycleMs, remainingMs - timing.dispatchReserveMs);
    };
    // A batch of lease calls must end, and its runs be created, within the reserve. Short timeouts have a shorter reserve.
    const leasingEndsAtMs = startedAtMs + remainingMs - Math.min(timing.dispatchReserveMs, remainingMs / 4);
    const isOver = (): boolean => stop.aborted || clock.now() >= leasingEndsAtMs;
    const waits = new Waits(polling, this.#ports.random);
    let answered: Poll["end"] | undefined;
    for (;;) {
      const poll = await poller.poll(isOver);
      const { end } = poll;
      if (typeof end === "string") answered = end;
      const waitMs = waits.after(poll, { nowMs: clock.now(), inFlight: poller.inFlight });
      const isLast = clock.now() + waitMs >= endsAtMs(end) || isFinal(poll, poller.inFlight);
      if (!isLast && answered !== undefined) await this.#recordGoodPoll(owner);
      if (!isLast) await clock.sleep(waitMs, stop).catch(() => undefined);
      if (isLast || stop.aborted) return this.#ended(answered ?? end, end);
    }
  }

  /** A cycle is good if Studio answered at least once, whatever else failed. */
  #ended(best: Poll["end"], last: Poll["end"]): Result {
    if (last === "daily_cap") this.#logReachedCap();
    if (last instanceof RunnerError && last.code === "internal")
      return this.#result("internal", { error: last });
    if (this.#poller && this.#poller.leased > 0) return this.#result("leased", { good: true });
    if (best instanceof RunnerError) return this.#result(best.code, { error: best });
    return typeof best === "string"
      ? this.#result(best, { good: true })
      : this.#result(backoffReasons[best.by]);
  }

  #result(reason: CycleReason, more: Partial<Pick<Result, "good" | "error">> = {}): Result {
    const { polls = 0, leased = 0, inFlight = 0 } = this.#poller ?? {};
    return { reason, polls, leased, inFlight, reaped: this.#reaped, good: reason === "paused", ...more };
  }

  /** An idle cycle emits at most three metrics: CloudWatch bills metrics by the hours that have data. */
  #emit({ reason, good }: Result): void {
    const { metrics } = this.#ports;
    const { pool } = this.#settings;
    metrics.emit("Cycles", { pool, reason }, 1);
    if (good) metrics.emit("GoodPolls", { pool }, 1);
    const spentPercent = this.#cap?.percent();
    if (spentPercent !== undefined) metrics.emit("DailySpendPercent", { pool }, spentPercent);
    const { inFlight, free } = this.#poller?.peak ?? { inFlight: 0, free: 0 };
    if (inFlight === 0) return;
    metrics.emit("InFlight", { pool }, inFlight);
    metrics.emit("FreeCapacity", { pool }, free);
  }

  #logReachedCap(): void {
    const { spentUsd, capUsd } = this.#cap ?? {};
    this.#ports.log.warn("daily_cap_reached", { pool: this.#settings.pool, spentUsd, capUsd });
  }

  /** A failure here does not stop leasing; the next cycle tries again. */
  async #reap(openRuns: Promise<readonly Run[]>): Promise<number> {
    try {
      this.#reaped = await reap(this.#ports, this.#settings, await openRuns);
    } catch (thrown) {
      const error = toRunnerError(thrown);
      this.#ports.log.error("reaper_failed", { pool: this.#settings.pool, reason: error.code, error });
    }
    return this.#reaped;
  }

  /** Without it, a long cycle would look failed until its end. A failure here changes nothing else. */
  async #recordGoodPoll(owner: string): Promise<void> {
    if (!this.#awaitsGoodPoll) return;
    this.#awaitsGoodPoll = false;
    const { clock, lock, log } = this.#ports;
    const { pool } = this.#settings;
    try {
      await lock.recordGoodPoll({ pool, owner }, clock.now());
    } catch (thrown) {
      const error = toRunnerError(thrown);
      log.warn("good_poll_not_recorded", { pool, reason: error.code, error });
    }
  }

  /** The lock expires by itself: if the release fails, only the next cycle is skipped. */
  async #release(locked: Promise<LockState | undefined>, owner: string, result: Result): Promise<void> {
    const { clock, lock, log } = this.#ports;
    const { pool } = this.#settings;
    const { reason, polls, leased, inFlight, good } = result;
    const atMs = clock.now();
    const lastCycle = { reason, atMs, polls, leased, inFlight };
    try {
      if (!(await locked)) return;
      await lock.release({ pool, owner }, { lastCycle, ...(good ? { goodPollAtMs: atMs } : {}) });
    } catch (thrown) {
      const error = toRunnerError(thrown);
      log.warn("lock_not_released", { pool, reason: error.code, error });
    }
  }
}

/** Stays the same for the whole cycle. */
function isFinal({ end }: Poll, inFlight: number): boolean {
  const mayRunNothing = end === "at_capacity" && inFlight === 0;
  return mayRunNothing || end === "daily_cap" || (end instanceof RunnerError && !end.retryable);
}
