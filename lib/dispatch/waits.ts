import { RunnerError } from "../errors.ts";
import type { Pickup } from "./pickup.ts";
import type { Poll } from "./poller.ts";

/** The wait after each poll: short after a hit or at capacity, growing while idle, as long as anybody asked for. */
export class Waits {
  readonly #pickup: Pickup;
  #idleMs: number;

  constructor(pickup: Pickup) {
    this.#pickup = pickup;
    this.#idleMs = pickup.idleWaitMs[0];
  }

  after({ leased, end }: Poll, nowMs: number): number {
    const { busyWaitMs, idleWaitMs } = this.#pickup;
    const [firstMs, lastMs] = idleWaitMs;
    if (end instanceof RunnerError) return end.retryAfterMs ?? lastMs;
    if (typeof end === "object") return end.untilMs - nowMs;
    if (leased > 0 || end === "at_capacity") {
      this.#idleMs = firstMs;
      return busyWaitMs;
    }
    const waitMs = this.#idleMs;
    this.#idleMs = Math.min(waitMs * 2, lastMs);
    return waitMs;
  }
}
