import { RunnerError } from "../core/errors.ts";
import { retryWaitMs } from "../core/retry.ts";
import { full, type PollingTimes } from "./polling.ts";
import type { Poll } from "./poller.ts";

/** The longest wait after failed polls in a row, unless the server asks for a longer one. */
const slowestMs = 30_000;

interface Now {
  readonly nowMs: number;
  readonly inFlight: number;
}

/** The wait after each poll: short at capacity and after a lease, growing while idle or failing, at least as long as a server asked. */
export class Waits {
  readonly #polling: PollingTimes;
  readonly #random: () => number;
  #idleMs: number;
  #failures = 0;

  constructor(polling: PollingTimes, random: () => number) {
    this.#polling = polling;
    this.#random = random;
    this.#idleMs = polling.idleWaitMs[0];
  }

  after({ leased, end }: Poll, { nowMs, inFlight }: Now): number {
    const { busyWaitMs, idleWaitMs } = this.#polling;
    const [firstMs, lastMs] = idleWaitMs;
    if (end instanceof RunnerError) {
      const failed = { attempt: ++this.#failures, askedMs: end.retryAfterMs ?? lastMs };
      return retryWaitMs({ baseMs: lastMs, maxMs: slowestMs }, failed, this.#random);
    }
    this.#failures = 0;
    if (typeof end === "object") return end.untilMs - nowMs;
    if (leased > 0 || end === "at_capacity") {
      this.#idleMs = firstMs;
      return end === "at_capacity" ? full.waitMs(inFlight) : busyWaitMs;
    }
    const waitMs = this.#idleMs;
    this.#idleMs = Math.min(waitMs * 2, lastMs);
    return waitMs;
  }
}
