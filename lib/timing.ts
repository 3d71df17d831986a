/** The runner's own times and bounds, shared by the code that obeys them and the app that checks their relations (DESIGN.md, "Time"). */
export const timing = {
  /** EventBridge Scheduler's floor for `rate()`. */
  scheduleMs: 60_000,
  /** Kept free at the end of a dispatcher's time-out for its last calls. */
  dispatchReserveMs: 15_000,
  /** Kept free at the end of a leg for reporting and closing. */
  legReserveMs: 20_000,
  /** An async event older than this is dropped by Lambda; below half of the server's lease of 10 minutes. */
  maxEventAgeMs: 300_000,
  /** Kept free at the very end of an invocation, after all reporting. */
  hardReserveMs: 2_000,
  /** The shortest beat interval, so that a lease of seconds in a test does not become a flood. */
  minBeatMs: 200,
  maxBeatMs: 120_000,
  /** Beats per lease, at least. */
  beatsPerLease: 5,
} as const;
