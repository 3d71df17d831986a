import type { PollingMode } from "../core/options.ts";

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
