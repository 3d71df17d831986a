import type { RunnerError } from "../errors.ts";
import type { RunnerKeys } from "../job/studio-job.ts";
import type { BackoffRow, Throttler } from "../ledger/backoff.ts";
import type { RunnerKey } from "../secret.ts";
import type { Lease } from "../studio/schemas.ts";
import type { Studio } from "../studio/studio.ts";
import { timing } from "../timing.ts";
import { KeyRing } from "./key-ring.ts";
import { Occupancy } from "./occupancy.ts";
import { ramp } from "./ramp.ts";
import { startRun, type StartDeps } from "./start.ts";

export interface PollerDeps extends StartDeps {
  readonly random: () => number;
  readonly studio: Studio;
  readonly keys: RunnerKeys;
  readonly backoff: BackoffRow;
}

export interface PollerSettings {
  readonly pool: string;
  /** Runs in flight at most. */
  readonly concurrency: number;
  readonly leasesPerKey: number | undefined;
}

/** The pool holds back because somebody asked one of us to. Epoch ms. */
export interface HeldBack {
  readonly by: Throttler;
  readonly untilMs: number;
}

export interface Poll {
  readonly leased: number;
  readonly end: "at_capacity" | "empty" | HeldBack | RunnerError;
}

/** Asks Studio for jobs, as many as the pool has room for, and starts a run for each. */
export class Poller {
  readonly #deps: PollerDeps;
  readonly #settings: PollerSettings;
  readonly #occupancy: Occupancy;
  readonly #ring: KeyRing;
  readonly #starting = new Set<Promise<void>>();
  #refreshedKeys = false;
  #looked = false;
  polls = 0;
  leased = 0;

  constructor(deps: PollerDeps, settings: PollerSettings, keys: readonly RunnerKey[]) {
    this.#deps = deps;
    this.#settings = settings;
    this.#occupancy = new Occupancy(deps, settings.pool);
    const heldBy = (keyId: string): number => this.#occupancy.heldBy(keyId);
    this.#ring = new KeyRing(keys, { leasesPerKey: settings.leasesPerKey, heldBy, random: deps.random });
  }

  get inFlight(): number {
    return this.#occupancy.inFlight;
  }

  /** @throws RunnerError `ledger_unavailable` and what reading the keys anew throws */
  async poll(): Promise<Poll> {
    this.polls++;
    const heldBack = await this.#heldBack();
    if (heldBack) return { leased: 0, end: heldBack };
    const free = await this.#occupancy.free(this.#settings.concurrency);
    if (free === 0) return { leased: 0, end: "at_capacity" };
    const { leased, end } = await ramp(this.#rampDeps(), free);
    await Promise.all(this.#starting);
    if (end === "full") return { leased, end: "at_capacity" };
    return { leased, end: end === "empty" ? end : await this.#trouble(end) };
  }

  #rampDeps(): Parameters<typeof ramp>[0] {
    const ring = this.#ring;
    return {
      // Never aborted: a call that is cut off may have leased a job. Its own time limit ends it.
      lease: (key) => this.#deps.studio.lease({ key, signal: new AbortController().signal }),
      nextKey: () => ring.take(),
      onLeased: (lease, key) => this.#start(lease, key),
      onNotLeased: (key, error) => {
        ring.giveBack(key);
        if (error?.code === "key_refused") ring.refuse(key);
      },
    };
  }

  /** A run in flight may have been told by the model to wait since we last looked. */
  async #heldBack(): Promise<HeldBack | undefined> {
    if (this.#looked && this.inFlight === 0) return undefined;
    this.#looked = true;
    const { modelUntilMs, studioUntilMs } = await this.#deps.backoff.read(this.#settings.pool);
    const untilMs = Math.max(modelUntilMs, studioUntilMs);
    if (untilMs <= this.#deps.clock.now()) return undefined;
    return { by: studioUntilMs === untilMs ? "studio" : "model", untilMs };
  }

  async #trouble(error: RunnerError): Promise<Poll["end"]> {
    this.#deps.log.warn("poll_failed", { pool: this.#settings.pool, reason: error.code, error });
    if (error.status === 429) return this.#holdBack(error.retryAfterMs ?? timing.rateLimitMs);
    return (await this.#hasAnotherKey(error)) ? "at_capacity" : error;
  }

  /** The next windows know it too. */
  async #holdBack(waitMs: number): Promise<HeldBack> {
    const untilMs = this.#deps.clock.now() + waitMs;
    await this.#deps.backoff.extend(this.#settings.pool, "studio", untilMs);
    return { by: "studio", untilMs };
  }

  /** After a refusal the secret is read again, once per window; polling goes on while any key is left to try. */
  async #hasAnotherKey(error: RunnerError): Promise<boolean> {
    if (error.code !== "key_refused") return false;
    if (!this.#refreshedKeys) {
      this.#refreshedKeys = true;
      this.#ring.replace(await this.#deps.keys.refresh());
    }
    return this.#ring.hasUsable();
  }

  /** The ramp goes on while the run's row is written and its leg is invoked. */
  #start(lease: Lease, key: RunnerKey): void {
    const start = this.#startRun(lease, key).finally(() => {
      this.#ring.giveBack(key);
      this.#starting.delete(start);
    });
    this.#starting.add(start);
  }

  async #startRun(lease: Lease, key: RunnerKey): Promise<void> {
    const runId = await startRun(this.#deps, { pool: this.#settings.pool, lease, keyId: key.id });
    if (runId === undefined) return;
    this.#occupancy.add(runId, key.id);
    this.leased++;
  }
}
