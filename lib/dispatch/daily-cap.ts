import type { Ports } from "../attempt/ports.ts";
import { utcDay } from "../runs/spend.ts";

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
  readonly #ports: Pick<Ports, "clock" | "spend">;
  readonly #pool: string;
  readonly capUsd: number | undefined;
  spentUsd: number | undefined;

  constructor(ports: Pick<Ports, "clock" | "spend">, { pool, capUsd }: CappedPool) {
    this.#ports = ports;
    this.#pool = pool;
    this.capUsd = capUsd;
  }

  /** Reads what was spent today. @throws RunnerError `run_store_unavailable` */
  async refresh(): Promise<void> {
    if (this.capUsd === undefined) return;
    const { clock, spend } = this.#ports;
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
