import { RunnerError, toRunnerError, type ErrorCode } from "../errors.ts";
import type { RecoverDeps } from "../job/recover.ts";
import type { Throttler } from "../ledger/backoff.ts";
import type { ControlRow } from "../ledger/control.ts";
import type { DispatchLock } from "../ledger/dispatch-lock.ts";
import { timing } from "../timing.ts";
import type { Pickup } from "./pickup.ts";
import { Poller, type Poll, type PollerDeps, type PollerSettings } from "./poller.ts";
import { sweep, type SweepSettings } from "./sweep.ts";
import { Waits } from "./waits.ts";

export interface WindowDeps extends PollerDeps, RecoverDeps {
  readonly control: ControlRow;
  readonly lock: DispatchLock;
}

export interface WindowSettings extends PollerSettings, SweepSettings {
  readonly pickup: Pickup;
}

/** What came of a window. An error's code says why no poll of it was answered. */
export type WindowReason =
  | "leased"
  | "empty"
  | "at_capacity"
  | "paused"
  | "overlap"
  | "rate_limited"
  | "model_rate_limited"
  | ErrorCode;

const heldBackReasons: Readonly<Record<Throttler, WindowReason>> = {
  studio: "rate_limited",
  model: "model_rate_limited",
};

export interface WindowSummary {
  readonly reason: WindowReason;
  readonly polls: number;
  readonly leased: number;
  readonly inFlight: number;
  /** Runs that should have moved by themselves, and were looked after. */
  readonly swept: number;
}

export interface WindowTime {
  /** What the platform leaves this invocation. */
  readonly remainingMs: number;
  /** Ends the window early: no new leases. */
  readonly stop: AbortSignal;
}

/**
 * One dispatch window: look after runs that should have moved, and lease what the pool has room for, one run and one
 * processor invocation per lease. Says what came of it in one log line and one metric.
 * @throws RunnerError when no poll of the window was answered, so that the function's error alarm fires
 */
export async function runWindow(
  deps: WindowDeps,
  settings: WindowSettings,
  time: WindowTime,
): Promise<WindowSummary> {
  const startedAtMs = deps.clock.now();
  const { pool } = settings;
  const { error, ...summary } = await new Window(deps, settings, time).run();
  const fields = { pool, ...summary, elapsedMs: deps.clock.now() - startedAtMs };
  deps.metrics.emit("Windows", { pool, reason: summary.reason }, 1);
  if (error) deps.log.error("window_ended", { ...fields, error });
  else deps.log.info("window_ended", fields);
  if (error) throw error;
  return summary;
}

type Result = WindowSummary & { readonly error?: RunnerError };

class Window {
  readonly #deps: WindowDeps;
  readonly #settings: WindowSettings;
  readonly #time: WindowTime;
  #poller: Poller | undefined;
  #sweeping: Promise<number> | undefined;
  #swept = 0;

  constructor(deps: WindowDeps, settings: WindowSettings, time: WindowTime) {
    this.#deps = deps;
    this.#settings = settings;
    this.#time = time;
  }

  async run(): Promise<Result> {
    const { clock, control, keys, lock, newId } = this.#deps;
    const { pool } = this.#settings;
    const owner = newId();
    const nowMs = clock.now();
    const locked = lock.acquire({ pool, owner, nowMs, untilMs: nowMs + this.#time.remainingMs });
    try {
      const [ours, { paused }, runnerKeys] = await Promise.all([locked, control.read(pool), keys.get()]);
      if (!ours) return this.#result("overlap");
      // A paused pool leases nothing; what it has leased is still looked after.
      this.#sweeping = this.#sweep();
      this.#poller = paused ? undefined : new Poller(this.#deps, this.#settings, runnerKeys);
      const result = await this.#pollUntilEnd(nowMs);
      return { ...result, swept: await this.#sweeping };
    } catch (thrown) {
      const error = toRunnerError(thrown);
      return this.#result(error.code, error);
    } finally {
      await this.#sweeping;
      await this.#release(locked, owner);
    }
  }

  async #pollUntilEnd(startedAtMs: number): Promise<Result> {
    const poller = this.#poller;
    if (!poller) return this.#result("paused");
    const { clock } = this.#deps;
    const { pickup } = this.#settings;
    const { remainingMs, stop } = this.#time;
    const endsAtMs = startedAtMs + Math.min(pickup.windowMs, remainingMs - timing.dispatchReserveMs);
    const waits = new Waits(pickup);
    let answered: Poll["end"] | undefined;
    for (;;) {
      const poll = await poller.poll();
      const { end } = poll;
      if (typeof end === "string") answered = end;
      const waitMs = waits.after(poll, clock.now());
      const isLast = clock.now() + waitMs >= endsAtMs || (end instanceof RunnerError && !end.retryable);
      if (!isLast) await clock.sleep(waitMs, stop).catch(() => undefined);
      if (isLast || stop.aborted) return this.#ended(answered ?? end, end);
    }
  }

  /** A window that was answered at least once is a good one, whatever failed beside it. */
  #ended(best: Poll["end"], last: Poll["end"]): Result {
    if (last instanceof RunnerError && last.code === "internal") return this.#result("internal", last);
    if (this.#poller && this.#poller.leased > 0) return this.#result("leased");
    if (best instanceof RunnerError) return this.#result(best.code, best);
    return this.#result(typeof best === "string" ? best : heldBackReasons[best.by]);
  }

  #result(reason: WindowReason, error?: RunnerError): Result {
    const { polls = 0, leased = 0, inFlight = 0 } = this.#poller ?? {};
    const summary = { reason, polls, leased, inFlight, swept: this.#swept };
    return error ? { ...summary, error } : summary;
  }

  /** What goes wrong here is no reason not to lease; the next window looks again. */
  async #sweep(): Promise<number> {
    try {
      this.#swept = await sweep(this.#deps, this.#settings);
    } catch (thrown) {
      const error = toRunnerError(thrown);
      this.#deps.log.error("sweep_failed", { pool: this.#settings.pool, reason: error.code, error });
    }
    return this.#swept;
  }

  /** The lock dies by itself; a failed release only costs the next window its start. */
  async #release(locked: Promise<boolean>, owner: string): Promise<void> {
    const { lock, log } = this.#deps;
    try {
      if (await locked) await lock.release(this.#settings.pool, owner);
    } catch (thrown) {
      log.warn("report_failed", { what: "release of the dispatch lock", error: toRunnerError(thrown) });
    }
  }
}
