import { RunnerError } from "../core/errors.ts";
import type { PollingMode } from "../core/options.ts";
import { retryWaitMs } from "../core/retry.ts";
import type { Poll } from "./poller.ts";

/** How a mode polls within a cycle. README.md has the latency and monthly cost of each mode. */
export interface PollingTimes {
  /** How long the dispatcher polls; 0 means until the first empty answer. A pool at capacity is watched for longer. */
  readonly cycleMs: number;
  /** The wait after a poll that leased jobs and emptied the queue. */
  readonly busyWaitMs: number;
  /** The wait after an empty poll doubles from the first to the last of these. */
  readonly idleWaitMs: readonly [first: number, last: number];
}

export const pollingTimes = {
  economy: { cycleMs: 0, busyWaitMs: 0, idleWaitMs: [0, 0] },
  balanced: { cycleMs: 50_000, busyWaitMs: 250, idleWaitMs: [500, 2_000] },
  fast: { cycleMs: 57_000, busyWaitMs: 100, idleWaitMs: [1_000, 1_000] },
} as const satisfies Readonly<Record<PollingMode, PollingTimes>>;

/**
 * How long a pool at capacity is watched, in every mode, and how often it is checked. A check reads all unfinished
 * runs, so a pool with many runs is checked less often; many of them end within a second anyway (docs/decisions/0022).
 */
export const full = {
  cycleMs: 57_000,
  waitMs: (inFlight: number): number => Math.max(100, 2 * inFlight),
} as const;

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
