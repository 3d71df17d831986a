import type { Clock } from "../core/clock.ts";
import { utcDay, type SpendRow } from "../runs/spend.ts";

export interface DailyCapDeps {
  readonly clock: Clock;
  readonly spend: SpendRow;
}

export interface CappedPool {
  readonly pool: string;
  /** Absent: no cap, and nothing is read. */
  readonly capUsd: number | undefined;
}

/**
 * Compares what the pool's finished runs cost today (UTC) with its cap. Runs in flight are not included, so spending can
 * exceed the cap by what they still cost.
 */
export class DailyCap {
  readonly #deps: DailyCapDeps;
  readonly #pool: string;
  readonly capUsd: number | undefined;
  spentUsd: number | undefined;

  constructor(deps: DailyCapDeps, { pool, capUsd }: CappedPool) {
    this.#deps = deps;
    this.#pool = pool;
    this.capUsd = capUsd;
  }

  /** @throws RunnerError `run_store_unavailable` */
  async look(): Promise<void> {
    if (this.capUsd === undefined) return;
    const { clock, spend } = this.#deps;
    this.spentUsd = (await spend.read(this.#pool, utcDay(clock.now()))).costUsd;
  }

  isReached(): boolean {
    return this.capUsd !== undefined && (this.spentUsd ?? 0) >= this.capUsd;
  }

  /** Percent of the cap; absent without a cap. A cap of 0 is always reached. */
  percent(): number | undefined {
    if (this.capUsd === undefined || this.spentUsd === undefined) return undefined;
    return this.capUsd === 0 ? 100 : (100 * this.spentUsd) / this.capUsd;
  }
}
