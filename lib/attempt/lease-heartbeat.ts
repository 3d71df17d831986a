import { unlessAborted, withTimeLimit } from "../core/clock.ts";
import { hasCode, RunnerError, toRunnerError } from "../core/errors.ts";
import type { Cancellation, Fence, Held } from "../runs/run.ts";
import { retryWaitMs } from "../core/retry.ts";
import { timing } from "../core/timing.ts";
import { superseded } from "./outcome.ts";
import type { Ports } from "./ports.ts";
import type { StudioJob } from "./studio-job.ts";

export interface HeartbeatPorts extends Pick<Ports, "clock" | "random" | "runStore" | "log"> {
  readonly job: StudioJob;
  /** Called when Studio accepted a heartbeat. */
  readonly onHeartbeat: () => void;
  readonly onHeartbeatFailed: (error: RunnerError) => void;
  /** Called when the run store shows that the run was cancelled. The heartbeats continue. */
  readonly onCancelled: (cancellation: Cancellation) => void;
}

export interface HeldLease {
  readonly fence: Fence;
  /** Its length as Studio gives it. */
  readonly leaseMs: number;
  readonly leaseExpiresAtMs: number;
}

/** A fifth of the lease's length, at most 120 s, shortened by a random tenth at most. */
export function heartbeatIntervalMs(leaseLengthMs: number, random: () => number): number {
  const fullMs = Math.min(leaseLengthMs / timing.heartbeatsPerLease, timing.maxHeartbeatMs);
  return Math.max(timing.minHeartbeatMs, Math.round(fullMs * (0.9 + random() / 10)));
}

/** Errors that end the lease. Everything else is retried until the lease expires. */
const lossCodes = ["lease_lost", "superseded"] as const;

/**
 * Keeps a lease alive with heartbeats on a timer, from the attempt's start to the accepted completion. Only one heartbeat is in flight,
 * with a time limit of one interval. When the lease is lost, `signal` aborts with `lease_lost`, `key_refused` or `superseded`;
 * nothing may be posted after that.
 */
export class LeaseHeartbeat {
  readonly #ports: HeartbeatPorts;
  readonly #fence: Fence;
  readonly #lost = new AbortController();
  readonly #stopped = new AbortController();
  readonly #done = AbortSignal.any([this.#lost.signal, this.#stopped.signal]);
  readonly #loop: Promise<void>;
  #lengthMs: number;
  #expiresAtMs: number;
  /** When the newest heartbeat that both Studio and the run store accepted was sent. */
  #provenAtMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  /** The refusal of the key, until Studio accepts a heartbeat again. */
  #keyRefusal: RunnerError | undefined;
  #inFlight: Promise<number> | undefined;

  /** Starts its timer at once. */
  constructor(ports: HeartbeatPorts, lease: HeldLease) {
    this.#ports = ports;
    this.#fence = lease.fence;
    this.#lengthMs = lease.leaseMs;
    this.#expiresAtMs = lease.leaseExpiresAtMs;
    this.#loop = this.#sendHeartbeats();
  }

  /** Aborts when the lease is lost. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /** Studio refuses the key, perhaps temporarily. Until it accepts the key again, the model is not asked. */
  get isKeyRefused(): boolean {
    return this.#keyRefusal !== undefined;
  }

  leaseLeftMs(): number {
    return this.#expiresAtMs - this.#ports.clock.now();
  }

  /** Whether half of the lease or more has passed, for example because the event was late. Send a heartbeat first then. */
  isLate(): boolean {
    return this.leaseLeftMs() < this.#lengthMs / 2;
  }

  /**
   * Resolves once a heartbeat has proved the lease at Studio and then the run in the run store. The proof must be newer than
   * `sinceMs` and still fresh, which it is not if the process was frozen in the meantime.
   * @throws the reason of the loss, or `signal`'s
   */
  async confirm(signal: AbortSignal, sinceMs = Number.NEGATIVE_INFINITY): Promise<void> {
    const until = AbortSignal.any([this.signal, signal]);
    until.throwIfAborted();
    while (!this.#isProven(sinceMs)) {
      const waitMs = await unlessAborted(until, this.#heartbeat());
      until.throwIfAborted();
      // A heartbeat that was sent too early proves nothing. Send the next one soon.
      const soonMs = this.#failures > 0 ? waitMs : timing.minHeartbeatMs;
      if (!this.#isProven(sinceMs)) await this.#ports.clock.sleep(soonMs, until);
    }
  }

  /** Stops the timer; resolves when no heartbeat is in flight. */
  async stop(): Promise<void> {
    this.#stopped.abort("stopped");
    await this.#loop;
    await this.#inFlight;
  }

  #isProven(sinceMs: number): boolean {
    const freshMs = Math.min(timing.proofFreshMs, this.#lengthMs / 2);
    return this.#provenAtMs >= Math.max(sinceMs, this.#ports.clock.now() - freshMs);
  }

  async #sendHeartbeats(): Promise<void> {
    let waitMs = this.#intervalMs();
    while (!this.#done.aborted) {
      const leftMs = this.leaseLeftMs();
      if (leftMs <= 0) return this.#lose(this.#expiryError());
      await this.#sleep(Math.min(waitMs, leftMs));
      if (!this.#done.aborted && this.leaseLeftMs() > 0) waitMs = await this.#heartbeat();
    }
  }

  /** The error for an expired lease. */
  #expiryError(): RunnerError {
    return this.#keyRefusal ?? new RunnerError("lease_lost", "no heartbeat succeeded before the lease ended");
  }

  #heartbeat(): Promise<number> {
    this.#inFlight ??= this.#heartbeatOnce().finally(() => (this.#inFlight = undefined));
    return this.#inFlight;
  }

  /** Returns the wait until the next heartbeat; never throws. */
  async #heartbeatOnce(): Promise<number> {
    const { clock, job, log, onHeartbeat } = this.#ports;
    const intervalMs = this.#intervalMs();
    try {
      // Never wait beyond the lease's end.
      const limitMs = Math.max(0, Math.min(intervalMs, this.leaseLeftMs()));
      const limit = { clock, limitMs, signal: this.#done, what: "the heartbeat" };
      const sentAtMs = clock.now();
      const answer = await withTimeLimit(limit, (signal) => job.heartbeat(signal));
      const atMs = clock.now();
      this.#keyRefusal = undefined;
      this.#extend(atMs, answer.leaseExpiresAtMs);
      onHeartbeat();
      await this.#recordHeartbeat(atMs);
      this.#provenAtMs = sentAtMs;
      this.#failures = 0;
      log.info("heartbeat_accepted", { leaseLeftMs: this.leaseLeftMs() });
      return intervalMs;
    } catch (thrown) {
      if (this.#done.aborted) return intervalMs;
      const error = toRunnerError(thrown);
      const waitMs = this.#onFailure(error, intervalMs);
      if (!hasCode(error, ...lossCodes, "run_store_unavailable")) await this.#lookForCancellation();
      return waitMs;
    }
  }

  /** Studio extended the lease. An expiry in the past is ignored. */
  #extend(atMs: number, expiresAtMs: number | undefined): void {
    if (expiresAtMs !== undefined && expiresAtMs > atMs) this.#lengthMs = expiresAtMs - atMs;
    this.#expiresAtMs = atMs + this.#lengthMs;
  }

  #onFailure(error: RunnerError, intervalMs: number): number {
    if (hasCode(error, ...lossCodes)) this.#lose(error);
    else
      this.#ports.log.warn("heartbeat_failed", {
        reason: error.code,
        error,
        leaseLeftMs: this.leaseLeftMs(),
      });
    // A heartbeat that only the run store did not answer was accepted by Studio.
    if (error.code !== "run_store_unavailable") this.#ports.onHeartbeatFailed(error);
    if (hasCode(error, "key_refused")) this.#keyRefusal = error;
    this.#failures += 1;
    // Retry sooner as the lease's end comes closer.
    const soonMs = Math.max(timing.minHeartbeatMs, Math.min(intervalMs, this.leaseLeftMs() * 2) / 4);
    const wait = { attempt: this.#failures, askedMs: error.retryAfterMs };
    return Math.min(intervalMs, retryWaitMs({ baseMs: 1_000, maxMs: soonMs }, wait, this.#ports.random));
  }

  /** Records the heartbeat in the run store. If the run store is out of reach, the lease that Studio extended goes on. */
  async #recordHeartbeat(atMs: number): Promise<void> {
    const { runStore } = this.#ports;
    const held = await runStore.heartbeat(this.#fence, { atMs, leaseExpiresAtMs: this.#expiresAtMs });
    if (!held) throw superseded();
    this.#onHeld(held);
  }

  /** While Studio is out of reach, no heartbeat would show it. */
  async #lookForCancellation(): Promise<void> {
    const held = await this.#ports.runStore.owns(this.#fence).catch(() => undefined);
    if (held) this.#onHeld(held);
  }

  #onHeld({ cancelled }: Held): void {
    if (cancelled) this.#ports.onCancelled(cancelled);
  }

  #lose(error: RunnerError): void {
    this.#ports.log.warn("lease_lost", { reason: error.code, explanation: error.message });
    this.#lost.abort(error);
  }

  #intervalMs(): number {
    return heartbeatIntervalMs(this.#lengthMs, this.#ports.random);
  }

  /** Ends early, without an error, when the timer is stopped. */
  async #sleep(ms: number): Promise<void> {
    await this.#ports.clock.sleep(ms, this.#done).catch(() => undefined);
  }
}
