import type { Clock } from "../clock.ts";
import type { Ledger } from "../ledger/ledger.ts";

export interface OccupancyDeps {
  readonly clock: Clock;
  readonly ledger: Ledger;
}

/**
 * How many runs of a pool are in flight, counted from ledger rows that expire. Only this window adds runs (the dispatch
 * lock sees to that), so once none is in flight the ledger need not be asked again until we add one.
 */
export class Occupancy {
  readonly #deps: OccupancyDeps;
  readonly #pool: string;
  /** Key ids by run id. */
  #runs = new Map<string, string>();
  #counted = false;
  /** The most runs that were in flight at once, as far as was looked. */
  peak = 0;

  constructor(deps: OccupancyDeps, pool: string) {
    this.#deps = deps;
    this.#pool = pool;
  }

  get inFlight(): number {
    return this.#runs.size;
  }

  heldBy(keyId: string): number {
    return [...this.#runs.values()].filter((held) => held === keyId).length;
  }

  add(runId: string, keyId: string): void {
    this.#runs.set(runId, keyId);
    this.#notePeak();
  }

  /** Free places out of `limit`. @throws RunnerError `ledger_unavailable` */
  async free(limit: number): Promise<number> {
    if (!this.#counted || this.#runs.size > 0) await this.#count();
    return Math.max(0, limit - this.#runs.size);
  }

  async #count(): Promise<void> {
    const nowMs = this.#deps.clock.now();
    const rows = await this.#deps.ledger.openRuns(this.#pool);
    const live = rows.filter(({ leaseExpiresAtMs }) => leaseExpiresAtMs > nowMs);
    const runs = new Map(live.map((row) => [row.runId, row.keyId]));
    // The index lags behind: what it does not show yet, or any more, the rows themselves tell.
    const unseen = [...this.#runs].filter(([runId]) => !runs.has(runId));
    const open = await Promise.all(unseen.map(([runId]) => this.#isOpen(runId)));
    for (const [at, [runId, run]] of unseen.entries()) if (open[at]) runs.set(runId, run);
    this.#runs = runs;
    this.#counted = true;
    this.#notePeak();
  }

  #notePeak(): void {
    this.peak = Math.max(this.peak, this.#runs.size);
  }

  async #isOpen(runId: string): Promise<boolean> {
    const run = await this.#deps.ledger.read(this.#pool, runId);
    return run?.openIn !== undefined && run.leaseExpiresAtMs > this.#deps.clock.now();
  }
}
