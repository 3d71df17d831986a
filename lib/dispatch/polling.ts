import type { PollingMode } from "../core/options.ts";

/** How eagerly a pool looks for work inside its minute. README: latency and monthly cost of each mode. */
export interface PollingTimes {
  /** How long the dispatcher goes on polling; 0 means until the first empty answer. A full pool is watched for longer. */
  readonly cycleMs: number;
  /** Wait after a poll that leased something and emptied the queue. */
  readonly busyWaitMs: number;
  /** The idle wait grows from the first to the last of these, doubling with each empty poll. */
  readonly idleWaitMs: readonly [first: number, last: number];
}

export const pollingTimes = {
  economy: { cycleMs: 0, busyWaitMs: 0, idleWaitMs: [0, 0] },
  balanced: { cycleMs: 50_000, busyWaitMs: 250, idleWaitMs: [500, 2_000] },
  fast: { cycleMs: 57_000, busyWaitMs: 100, idleWaitMs: [1_000, 1_000] },
} as const satisfies Readonly<Record<PollingMode, PollingTimes>>;

/**
 * A pool at capacity may have a queue: it is watched for so long, in every mode, and looked at so often. A look reads all
 * runs, so that many runs are looked at less often; many end within a second all the same (docs/decisions/0022).
 */
export const full = {
  cycleMs: 57_000,
  waitMs: (inFlight: number): number => Math.max(100, 2 * inFlight),
} as const;
