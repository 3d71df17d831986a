import { RunnerError, toRunnerError, type ErrorCode } from "../errors.ts";
import type { RunnerKeys } from "../job/studio-job.ts";
import type { ControlRow } from "../ledger/control.ts";
import type { DispatchLock } from "../ledger/dispatch-lock.ts";
import type { RunnerKey } from "../secret.ts";
import type { Lease } from "../studio/schemas.ts";
import type { Studio } from "../studio/studio.ts";
import { timing } from "../timing.ts";
import { KeyRing } from "./key-ring.ts";
import { Occupancy } from "./occupancy.ts";
import type { Pickup } from "./pickup.ts";
import { ramp } from "./ramp.ts";
import { startRun, type StartDeps } from "./start.ts";

export interface WindowDeps extends StartDeps {
  readonly random: () => number;
  readonly studio: Studio;
  readonly keys: RunnerKeys;
  readonly control: ControlRow;
  readonly lock: DispatchLock;
}

export interface WindowSettings {
  readonly pool: string;
  readonly pickup: Pickup;
  /** Runs in flight at most. */
  readonly concurrency: number;
  readonly leasesPerKey: number | undefined;
}

/** What came of a window. An error's code says why no poll of it was answered. */
export type WindowReason =
  | "leased"
  | "empty"
  | "at_capacity"
  | "paused"
  | "overlap"
  | "rate_limited"
  | ErrorCode;

export interface WindowSummary {
  readonly reason: WindowReason;
  readonly polls: number;
  readonly leased: number;
  readonly inFlight: number;
}

export interface WindowTime {
  /** What the platform leaves this invocation. */
  readonly remainingMs: number;
  /** Ends the window early: no new leases. */
  readonly stop: AbortSignal;
}

/**
 * One dispatch window: lease what the pool has room for, one run and one processor invocation per lease. Says what came
 * of it in one log line and one metric.
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

interface Poll {
  readonly leased: number;
  readonly end: "at_capacity" | "empty" | RunnerError;
}

class Window {
  readonly #deps: WindowDeps;
  readonly #settings: WindowSettings;
  readonly #time: WindowTime;
  readonly #occupancy: Occupancy;
  readonly #starting = new Set<Promise<void>>();
  #polls = 0;
  #leased = 0;
  #refreshedKeys = false;

  constructor(deps: WindowDeps, settings: WindowSettings, time: WindowTime) {
    this.#deps = deps;
    this.#settings = settings;
    this.#time = time;
    this.#occupancy = new Occupancy(deps, settings.pool);
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
      if (paused) return this.#result("paused");
      return await this.#pollUntilEnd(this.#ringOf(runnerKeys), nowMs);
    } catch (thrown) {
      const error = toRunnerError(thrown);
      return this.#result(error.code, error);
    } finally {
      await Promise.all(this.#starting);
      await this.#release(locked, owner);
    }
  }

  async #pollUntilEnd(ring: KeyRing, startedAtMs: number): Promise<Result> {
    const { clock } = this.#deps;
    const { pickup } = this.#settings;
    const { remainingMs, stop } = this.#time;
    const endsAtMs = startedAtMs + Math.min(pickup.windowMs, remainingMs - timing.dispatchReserveMs);
    const waits = new Waits(pickup);
    let answered: Poll["end"] | undefined;
    for (;;) {
      const { leased, end } = await this.#poll(ring);
      if (!(end instanceof RunnerError)) answered = end;
      else if (!end.retryable) return this.#ended(answered, end);
      const waitMs = waits.after(leased, end);
      const isLast = clock.now() + waitMs >= endsAtMs;
      if (!isLast) await clock.sleep(waitMs, stop).catch(() => undefined);
      if (isLast || stop.aborted) return this.#ended(answered, end instanceof RunnerError ? end : undefined);
    }
  }

  async #poll(ring: KeyRing): Promise<Poll> {
    this.#polls++;
    const free = await this.#occupancy.free(this.#settings.concurrency);
    if (free === 0) return { leased: 0, end: "at_capacity" };
    const { leased, end } = await ramp(
      {
        // Never aborted: a call that is cut off may have leased a job. Its own time limit ends it.
        lease: (key) => this.#deps.studio.lease({ key, signal: new AbortController().signal }),
        nextKey: () => ring.take(),
        onLeased: (lease, key) => this.#start(ring, lease, key),
        onNotLeased: (key, error) => {
          ring.giveBack(key);
          if (error?.code === "key_refused") ring.refuse(key);
        },
      },
      free,
    );
    await Promise.all(this.#starting);
    if (end === "full") return { leased, end: "at_capacity" };
    if (end === "empty") return { leased, end };
    this.#deps.log.warn("poll_failed", { pool: this.#settings.pool, reason: end.code, error: end });
    return (await this.#hasAnotherKey(ring, end)) ? { leased, end: "at_capacity" } : { leased, end };
  }

  /** After a refusal the secret is read again, once per window; the poll goes on while any key is left to try. */
  async #hasAnotherKey(ring: KeyRing, error: RunnerError): Promise<boolean> {
    if (error.code !== "key_refused") return false;
    if (!this.#refreshedKeys) {
      this.#refreshedKeys = true;
      ring.replace(await this.#deps.keys.refresh());
    }
    return ring.hasUsable();
  }

  /** The ramp goes on while the run's row is written and its leg is invoked. */
  #start(ring: KeyRing, lease: Lease, key: RunnerKey): void {
    const start = this.#startRun(lease, key).finally(() => {
      ring.giveBack(key);
      this.#starting.delete(start);
    });
    this.#starting.add(start);
  }

  async #startRun(lease: Lease, key: RunnerKey): Promise<void> {
    const runId = await startRun(this.#deps, { pool: this.#settings.pool, lease, keyId: key.id });
    if (runId === undefined) return;
    this.#occupancy.add(runId, key.id);
    this.#leased++;
  }

  #ringOf(keys: readonly RunnerKey[]): KeyRing {
    const heldBy = (keyId: string): number => this.#occupancy.heldBy(keyId);
    return new KeyRing(keys, { leasesPerKey: this.#settings.leasesPerKey, heldBy });
  }

  /** A window that was answered at least once is a good one, whatever failed beside it. */
  #ended(
    answered: "at_capacity" | "empty" | RunnerError | undefined,
    error: RunnerError | undefined,
  ): Result {
    if (error?.code === "internal") return this.#result("internal", error);
    if (this.#leased > 0) return this.#result("leased");
    if (answered === "at_capacity" || answered === "empty") return this.#result(answered);
    if (error?.status === 429) return this.#result("rate_limited");
    return error ? this.#result(error.code, error) : this.#result("empty");
  }

  #result(reason: WindowReason, error?: RunnerError): Result {
    const summary = { reason, polls: this.#polls, leased: this.#leased, inFlight: this.#occupancy.inFlight };
    return error ? { ...summary, error } : summary;
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

/** The wait after each poll: short after a hit or at capacity, growing while idle, as long as Studio asks after a 429. */
class Waits {
  readonly #pickup: Pickup;
  #idleMs: number;

  constructor(pickup: Pickup) {
    this.#pickup = pickup;
    this.#idleMs = pickup.idleWaitMs[0];
  }

  after(leased: number, end: Poll["end"]): number {
    const { busyWaitMs, idleWaitMs } = this.#pickup;
    const [firstMs, lastMs] = idleWaitMs;
    if (end instanceof RunnerError) return end.retryAfterMs ?? lastMs;
    if (leased > 0 || end === "at_capacity") {
      this.#idleMs = firstMs;
      return busyWaitMs;
    }
    const waitMs = this.#idleMs;
    this.#idleMs = Math.min(waitMs * 2, lastMs);
    return waitMs;
  }
}
