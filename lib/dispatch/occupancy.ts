import type { Clock } from "../clock.ts";
import type { Ledger } from "../ledger/ledger.ts";

/** How long a row may take to show up in the ledger's index of open runs. */
const indexLagMs = 3_000;

export interface OccupancyDeps {
  readonly clock: Clock;
  readonly ledger: Ledger;
}

interface OpenRun {
  readonly keyId: string;
  readonly sinceMs: number;
}

/**
 * How many runs of a pool are in flight, counted from ledger rows that expire. Only this window adds runs (the dispatch
 * lock sees to that), so once none is in flight the ledger need not be asked again until we add one.
 */
export class Occupancy {
  readonly #deps: OccupancyDeps;
  readonly #pool: string;
  #runs = new Map<string, OpenRun>();
  #counted = false;

  constructor(deps: OccupancyDeps, pool: string) {
    this.#deps = deps;
    this.#pool = pool;
  }

  get inFlight(): number {
    return this.#runs.size;
  }

  heldBy(keyId: string): number {
    return [...this.#runs.values()].filter((run) => run.keyId === keyId).length;
  }

  add(runId: string, keyId: string): void {
    this.#runs.set(runId, { keyId, sinceMs: this.#deps.clock.now() });
  }

  /** Free places out of `limit`. @throws RunnerError `ledger_unavailable` */
  async free(limit: number): Promise<number> {
    if (!this.#counted || this.#runs.size > 0) await this.#count();
    return Math.max(0, limit - this.#runs.size);
  }

  async #count(): Promise<void> {
    const nowMs = this.#deps.clock.now();
    const rows = await this.#deps.ledger.inFlight(this.#pool, nowMs);
    const runs = new Map(rows.map((row) => [row.runId, { keyId: row.keyId, sinceMs: row.leasedAtMs }]));
    for (const [runId, run] of this.#runs) {
      if (nowMs - run.sinceMs < indexLagMs) runs.set(runId, run);
    }
    this.#runs = runs;
    this.#counted = true;
  }
}
