import { unlessAborted, withTimeLimit, type Clock } from "../clock.ts";
import { hasCode, RunnerError, toRunnerError } from "../errors.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Fence, RunProgress } from "../ledger/run.ts";
import type { Log } from "../log.ts";
import { retryWaitMs } from "../retry.ts";
import { timing } from "../timing.ts";
import type { StudioJob } from "./studio-job.ts";

export interface KeeperDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly job: StudioJob;
  readonly ledger: Ledger;
  readonly log: Log;
  /** Studio has accepted a beat. */
  readonly onBeat: () => void;
  readonly onBeatFailed: () => void;
}

export interface KeptLease {
  readonly fence: Fence;
  /** Its length as Studio gives it. */
  readonly leaseMs: number;
  readonly leaseExpiresAtMs: number;
}

/** A fifth of the lease's real length, at most 120 s (DESIGN.md, "Time"); jittered downwards by a tenth. */
export function beatIntervalMs(leaseLengthMs: number, random: () => number): number {
  const fullMs = Math.min(leaseLengthMs / timing.beatsPerLease, timing.maxBeatMs);
  return Math.max(timing.minBeatMs, Math.round(fullMs * (0.9 + random() / 10)));
}

/** These mean that the lease is not ours any more; whatever else goes wrong is tried again until the lease's own end. */
const lossCodes = ["lease_lost", "key_refused", "superseded"] as const;

/**
 * Keeps a lease alive with beats on a timer, from the leg's begin to the accepted completion: one beat at a time, each
 * cut off after one interval. Loss is final: `signal` aborts with `lease_lost`, `key_refused` or `superseded`, and
 * nothing may be posted after it.
 */
export class LeaseKeeper {
  readonly #deps: KeeperDeps;
  readonly #fence: Fence;
  readonly #lost = new AbortController();
  readonly #stopped = new AbortController();
  readonly #done = AbortSignal.any([this.#lost.signal, this.#stopped.signal]);
  readonly #keeping: Promise<void>;
  #lengthMs: number;
  #expiresAtMs: number;
  #lastGoodAtMs = Number.NEGATIVE_INFINITY;
  #inFlight: Promise<number> | undefined;
  /** Since the last good beat. */
  #failures = 0;
  /** Waits for a beat's write to go along with. */
  #along: RunProgress | undefined;

  /** Begins to beat at once. */
  constructor(deps: KeeperDeps, lease: KeptLease) {
    this.#deps = deps;
    this.#fence = lease.fence;
    this.#lengthMs = lease.leaseMs;
    this.#expiresAtMs = lease.leaseExpiresAtMs;
    this.#keeping = this.#keep();
  }

  /** Aborts when the lease is known to be lost. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  leaseLeftMs(): number {
    return this.#expiresAtMs - this.#deps.clock.now();
  }

  /** Half of the lease or more has passed, as after a late event: beat before anything else. */
  isLate(): boolean {
    return this.leaseLeftMs() < this.#lengthMs / 2;
  }

  /**
   * Resolves when a beat has proved that the lease is ours: just now, or since the time that the caller names.
   * @throws the reason of the loss, or `signal`'s
   */
  async confirm(
    signal: AbortSignal,
    sinceMs = this.#deps.clock.now() - this.#intervalMs() / 4,
  ): Promise<void> {
    const until = AbortSignal.any([this.signal, signal]);
    while (this.#lastGoodAtMs < sinceMs) {
      const waitMs = await unlessAborted(until, this.#beat());
      until.throwIfAborted();
      if (this.#lastGoodAtMs < sinceMs) await this.#deps.clock.sleep(waitMs, until);
    }
  }

  /**
   * As `confirm`, with `progress` noted by the beat's own write. `false`: it is still to be noted, because no beat was needed
   * or the ledger did not answer.
   */
  async confirmNoting(signal: AbortSignal, progress: RunProgress): Promise<boolean> {
    this.#along = progress;
    try {
      await this.confirm(signal);
      return this.#along === undefined;
    } finally {
      this.#along = undefined;
    }
  }

  /** Ends the beats; resolves when none is in flight. */
  async stop(): Promise<void> {
    this.#stopped.abort("stopped");
    await this.#keeping;
    await this.#inFlight;
  }

  async #keep(): Promise<void> {
    let waitMs = this.#intervalMs();
    while (!this.#done.aborted) {
      const leftMs = this.leaseLeftMs();
      if (leftMs <= 0)
        return this.#lose(new RunnerError("lease_lost", "no beat succeeded before the lease ended"));
      await this.#sleep(Math.min(waitMs, leftMs));
      if (!this.#done.aborted && this.leaseLeftMs() > 0) waitMs = await this.#beat();
    }
  }

  #beat(): Promise<number> {
    this.#inFlight ??= this.#beatOnce().finally(() => (this.#inFlight = undefined));
    return this.#inFlight;
  }

  /** Answers the wait until the next beat; never throws. */
  async #beatOnce(): Promise<number> {
    const { clock, job } = this.#deps;
    const intervalMs = this.#intervalMs();
    try {
      // Nor is it waited for beyond the lease's end.
      const limitMs = Math.max(0, Math.min(intervalMs, this.leaseLeftMs()));
      const limit = { clock, limitMs, signal: this.#done, what: "the beat" };
      const answer = await withTimeLimit(limit, (signal) => job.heartbeat(signal));
      this.#lastGoodAtMs = clock.now();
      this.#failures = 0;
      this.#expiresAtMs = answer.leaseExpiresAtMs ?? this.#lastGoodAtMs + this.#lengthMs;
      this.#lengthMs = Math.max(this.#lengthMs, this.leaseLeftMs());
      await this.#noteBeat();
      this.#deps.onBeat();
      return intervalMs;
    } catch (thrown) {
      return this.#done.aborted ? intervalMs : this.#onFailure(toRunnerError(thrown), intervalMs);
    }
  }

  #onFailure(error: RunnerError, intervalMs: number): number {
    if (hasCode(error, ...lossCodes)) this.#lose(error);
    else this.#deps.log.warn("beat_failed", { reason: error.code, error, leaseLeftMs: this.leaseLeftMs() });
    this.#deps.onBeatFailed();
    // The nearer the lease's end, the sooner the next try.
    const soonMs = Math.max(timing.minBeatMs, Math.min(intervalMs, this.leaseLeftMs() * 2) / 4);
    const failed = { attempt: ++this.#failures, askedMs: error.retryAfterMs ?? soonMs };
    return Math.min(intervalMs, retryWaitMs({ baseMs: 1_000, maxMs: soonMs }, failed, this.#deps.random));
  }

  /** The fence's half of a beat. An unreachable ledger does not end a lease that Studio has just extended. */
  async #noteBeat(): Promise<void> {
    try {
      const progress = this.#along;
      const beat = { atMs: this.#lastGoodAtMs, leaseExpiresAtMs: this.#expiresAtMs, progress };
      const ours = await this.#deps.ledger.beat(this.#fence, beat);
      if (this.#along === progress) this.#along = undefined;
      if (!ours) throw new RunnerError("superseded", "a newer leg, or a close, owns the run");
    } catch (error) {
      if (!hasCode(error, "ledger_unavailable")) throw error;
      this.#deps.log.warn("beat_failed", { reason: error.code, error });
    }
  }

  #lose(error: RunnerError): void {
    this.#deps.log.warn("lease_lost", { reason: error.code, explanation: error.message });
    this.#lost.abort(error);
  }

  #intervalMs(): number {
    return beatIntervalMs(this.#lengthMs, this.#deps.random);
  }

  /** Ends early, without an error, when the keeper is done. */
  async #sleep(ms: number): Promise<void> {
    await this.#deps.clock.sleep(ms, this.#done).catch(() => undefined);
  }
}
