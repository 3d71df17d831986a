import type { RunnerError } from "../core/errors.ts";
import type { Backoff, Throttler } from "../runs/backoff.ts";
import type { Run } from "../runs/run.ts";
import { rateLimitWaitMs } from "../core/retry.ts";
import type { RunnerKey } from "../core/secret.ts";
import type { Lease } from "../studio/schemas.ts";
import type { DailyCap } from "./daily-cap.ts";
import { KeyRing } from "./key-ring.ts";
import { Occupancy } from "./occupancy.ts";
import { slowStart, type SlowStartResult } from "./slow-start.ts";
import { startRun, type StartPorts } from "./start.ts";

export interface PollerSettings {
  readonly pool: string;
  /** The most runs in flight. */
  readonly concurrency: number;
  readonly leasesPerKey: number | undefined;
}

/** What a cycle passes to its poller. */
export interface PollerStart {
  /** Read at the start of the cycle. */
  readonly keys: readonly RunnerKey[];
  /** Its spending was read at the start of the cycle. */
  readonly cap: DailyCap;
  /** The back-off row, read at the start of the cycle. */
  readonly backoff: Backoff;
  /** Every unfinished run, read under the lock. */
  readonly openRuns: Promise<readonly Run[]>;
}

/** The most runs that are being created at once. More would only use memory: they wait for CPU, not for answers. */
const startsAtOnce = 32;

/** The pool waits because Studio or the model asked for it. Epoch ms. */
export interface HeldBack {
  readonly by: Throttler;
  readonly untilMs: number;
}

export interface Poll {
  readonly leased: number;
  readonly end: "at_capacity" | "daily_cap" | "empty" | HeldBack | RunnerError;
}

/** Leases jobs from Studio, up to the pool's free capacity, and starts a run for each. */
export class Poller {
  readonly #ports: StartPorts;
  readonly #settings: PollerSettings;
  readonly #occupancy: Occupancy;
  readonly #ring: KeyRing;
  readonly #cap: DailyCap;
  readonly #starting = new Set<Promise<void>>();
  #refreshedKeys = false;
  #refusedKeys = 0;
  /** 429s in a row. */
  #rateLimits = 0;
  #width = 1;
  #wasBusy = false;
  polls = 0;
  leased = 0;

  /** The back-off row as the cycle read it; used by the first poll only. */
  #backoff: Backoff | undefined;

  constructor(ports: StartPorts, settings: PollerSettings, start: PollerStart) {
    const { keys, cap, backoff, openRuns } = start;
    this.#ports = ports;
    this.#settings = settings;
    this.#cap = cap;
    this.#backoff = backoff;
    this.#occupancy = new Occupancy(ports, settings.pool, openRuns);
    const heldBy = (keyId: string): number => this.#occupancy.heldBy(keyId);
    this.#ring = new KeyRing(keys, { leasesPerKey: settings.leasesPerKey, heldBy, random: ports.random });
  }

  get inFlight(): number {
    return this.#occupancy.inFlight;
  }

  /** The highest number in the cycle so far: runs may have ended since. */
  get peak(): { readonly inFlight: number; readonly free: number } {
    const { peak: inFlight } = this.#occupancy;
    return { inFlight, free: Math.max(0, this.#settings.concurrency - inFlight) };
  }

  /**
   * Stops leasing once `isOver` returns true, also between batches.
   * @throws RunnerError `run_store_unavailable` and what reading the keys anew throws
   */
  async poll(isOver: () => boolean): Promise<Poll> {
    this.polls++;
    const wasBusy = this.inFlight > 0;
    const known = this.#backoff;
    this.#backoff = undefined;
    await this.#occupancy.count();
    // At capacity nothing else is read.
    if (this.#free() === 0) return { leased: 0, end: "at_capacity" };
    const forbidden = await this.#forbidden(known, wasBusy);
    if (forbidden) return { leased: 0, end: forbidden };
    let leased = 0;
    for (;;) {
      const answer = await this.#ask(isOver);
      leased += answer.leased;
      const { end } = answer;
      if (answer.leased > 0 || end === "empty") this.#rateLimits = 0;
      if (end === "full") return { leased, end: "at_capacity" };
      if (end === "empty") return { leased, end };
      const next = await this.#afterError(end);
      // Each pass excludes one more key, so the loop ends.
      if (next !== "ask_again") return { leased, end: next };
    }
  }

  /** Whether a back-off or the daily cap forbids leasing; runs in flight may have changed either since the last check. */
  async #forbidden(
    known: Backoff | undefined,
    busy: boolean,
  ): Promise<Exclude<Poll["end"], RunnerError> | undefined> {
    // Without a run in flight nobody writes a back-off, so the last check still holds.
    if (known || busy || this.#wasBusy) {
      const { pool } = this.#settings;
      const [backoff] = known
        ? [known]
        : await Promise.all([this.#ports.backoff.read(pool), this.#cap.look()]);
      this.#wasBusy = busy;
      const heldBack = this.#heldBack(backoff);
      if (heldBack) return heldBack;
    }
    return this.#cap.isReached() ? "daily_cap" : undefined;
  }

  #free(): number {
    return Math.max(0, this.#settings.concurrency - this.inFlight);
  }

  async #ask(isOver: () => boolean): Promise<SlowStartResult> {
    const answer = await slowStart(this.#leasing(isOver), this.#free(), this.#width);
    this.#width = answer.nextWidth;
    await Promise.all(this.#starting);
    return answer;
  }

  #leasing(isOver: () => boolean): Parameters<typeof slowStart>[0] {
    const ring = this.#ring;
    return {
      // Never aborted, because an aborted call may have leased a job. Its own time limit ends it.
      lease: (key) => this.#ports.studio.lease({ key, signal: new AbortController().signal }),
      nextKey: () => (isOver() ? undefined : ring.take()),
      beforeBatch: async () => {
        while (this.#starting.size >= startsAtOnce) await Promise.race(this.#starting);
      },
      onLeased: (lease, key) => this.#start(lease, key),
      onNotLeased: (key, error) => {
        ring.giveBack(key);
        if (error?.code === "key_refused") ring.refuse(key);
      },
    };
  }

  #heldBack({ modelUntilMs, studioUntilMs }: Backoff): HeldBack | undefined {
    const untilMs = Math.max(modelUntilMs, studioUntilMs);
    if (untilMs <= this.#ports.clock.now()) return undefined;
    return { by: studioUntilMs === untilMs ? "studio" : "model", untilMs };
  }

  async #afterError(error: RunnerError): Promise<HeldBack | RunnerError | "ask_again"> {
    this.#ports.log.warn("poll_failed", { pool: this.#settings.pool, reason: error.code, error });
    if (error.status === 429) return this.#extendBackoff(error.retryAfterMs);
    return (await this.#hasAnotherKey(error)) ? "ask_again" : error;
  }

  /** Writes the wait to the run store, so that the next cycles obey it too. */
  async #extendBackoff(askedMs: number | undefined): Promise<HeldBack> {
    const { clock, random } = this.#ports;
    const untilMs = clock.now() + rateLimitWaitMs({ attempt: ++this.#rateLimits, askedMs }, random);
    await this.#ports.backoff.extend(this.#settings.pool, "studio", untilMs);
    return { by: "studio", untilMs };
  }

  /** After a refusal, reads the secret again, once per cycle. Polling continues while a key is left to try. */
  async #hasAnotherKey(error: RunnerError): Promise<boolean> {
    if (error.code !== "key_refused") return false;
    if (!this.#refreshedKeys) {
      this.#refreshedKeys = true;
      this.#ring.replace(await this.#ports.keys.refresh());
    }
    this.#countRefused();
    return this.#ring.hasUsable();
  }

  /** Counts each refused key once. A key that the secret no longer holds was replaced and does not count. */
  #countRefused(): void {
    const refused = this.#ring.refusedCount();
    const more = refused - this.#refusedKeys;
    if (more > 0) this.#ports.metrics.emit("KeysRefused", { pool: this.#settings.pool }, more);
    this.#refusedKeys = refused;
  }

  /** Does not wait: slow start continues while the run is created and its attempt is invoked. */
  #start(lease: Lease, key: RunnerKey): void {
    const start = this.#startRun(lease, key).finally(() => {
      this.#ring.giveBack(key);
      this.#starting.delete(start);
    });
    this.#starting.add(start);
  }

  async #startRun(lease: Lease, key: RunnerKey): Promise<void> {
    const { pool } = this.#settings;
    const taken = { pool, lease, keyId: key.id };
    const runId = await startRun(this.#ports, taken);
    if (runId === undefined) return;
    this.#occupancy.add(runId, key.id);
    this.leased++;
  }
}
