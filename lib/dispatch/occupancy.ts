import type { Ports } from "../attempt/ports.ts";
import type { Run } from "../runs/run.ts";

/**
 * Counts the runs in flight of a pool from rows whose lease is live. Only this cycle adds runs (the dispatch
 * lock ensures that), so when none is in flight, the run store is not read again until we add one.
 */
export class Occupancy {
  readonly #ports: Pick<Ports, "clock" | "runStore">;
  readonly #pool: string;
  /** The cycle's first read of the unfinished runs, for the first count. */
  #openRuns: Promise<readonly Run[]> | undefined;
  /** Key ids by run id. */
  #runs = new Map<string, string>();
  /** The highest count so far. */
  peak = 0;

  constructor(ports: Pick<Ports, "clock" | "runStore">, pool: string, openRuns: Promise<readonly Run[]>) {
    this.#ports = ports;
    this.#pool = pool;
    this.#openRuns = openRuns;
  }

  get inFlight(): number {
    return this.#runs.size;
  }

  heldBy(keyId: string): number {
    return [...this.#runs.values()].filter((held) => held === keyId).length;
  }

  add(runId: string, keyId: string): void {
    this.#runs.set(runId, keyId);
    this.#updatePeak();
  }

  /** Reads which runs are still in flight. @throws RunnerError `run_store_unavailable` */
  async count(): Promise<void> {
    if (this.#openRuns) await this.#countFirst(this.#openRuns);
    else if (this.#runs.size > 0) await this.#count(await this.#ports.runStore.openRuns(this.#pool));
  }

  /** A failed read is retried by the next count. */
  async #countFirst(openRuns: Promise<readonly Run[]>): Promise<void> {
    const rows = await openRuns.catch(() => this.#ports.runStore.openRuns(this.#pool));
    await this.#count(rows);
    this.#openRuns = undefined;
  }

  async #count(rows: readonly Run[]): Promise<void> {
    const nowMs = this.#ports.clock.now();
    const live = rows.filter(({ leaseExpiresAtMs }) => leaseExpiresAtMs > nowMs);
    const runs = new Map(live.map((row) => [row.runId, row.keyId]));
    // The index is eventually consistent: for runs that it does not show, read the rows.
    const unseen = [...this.#runs].filter(([runId]) => !runs.has(runId));
    const open = await Promise.all(unseen.map(([runId]) => this.#isOpen(runId)));
    for (const [at, [runId, run]] of unseen.entries()) if (open[at]) runs.set(runId, run);
    this.#runs = runs;
    this.#updatePeak();
  }

  #updatePeak(): void {
    this.peak = Math.max(this.peak, this.#runs.size);
  }

  async #isOpen(runId: string): Promise<boolean> {
    const run = await this.#ports.runStore.read(this.#pool, runId);
    return run?.openIn !== undefined && run.leaseExpiresAtMs > this.#ports.clock.now();
  }
}
