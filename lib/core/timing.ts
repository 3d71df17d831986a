/** The runner's own times and bounds, shared by the code that obeys them and the app that checks their relations (DESIGN.md, "Time"). */
export const timing = {
  /** EventBridge Scheduler's floor for `rate()`. */
  scheduleMs: 60_000,
  /** Kept free at the end of a dispatcher's time-out for its last calls. */
  dispatchReserveMs: 15_000,
  /** Kept free at the end of an attempt: for its last note and heartbeat, and the continuation; or for reporting and closing. */
  attemptReserveMs: 20_000,
  /** No round is asked for in so short a time before an attempt's work ends: an id that comes too late would be paid for in vain. */
  askMarginMs: 5_000,
  /** An async event older than this is dropped by Lambda; below half of the server's lease of 10 minutes. */
  maxEventAgeMs: 300_000,
  /** Kept free at the very end of an invocation, after all reporting: for the last heartbeat's note and the close. */
  hardReserveMs: 9_000,
  /** One call of the run store (of a query: each page) and one of Lambda, in all, its repetitions included. */
  runStoreLimitMs: 4_000,
  invokeLimitMs: 4_000,
  /** The shortest heartbeat interval, so that a lease of seconds in a test does not become a flood. */
  minHeartbeatMs: 200,
  maxHeartbeatMs: 120_000,
  /** A proof that lease and run are ours holds for so long: above `runStoreLimitMs`, below any attempt that is taken for dead. */
  proofFreshMs: 10_000,
  /** Of the token with which AWS says who we are: long enough for one exchange; the role's policy allows no longer. */
  subjectTokenSeconds: 300,
  /** For telling the provider to stop; then the generation is left to it. */
  cancelLimitMs: 5_000,
  /** A run that lasts longer than this fails, saying so; a pool may set another. */
  runLimitMs: 3_600_000,
  /** Of a recovery's heartbeat and of its report, below recovery's time-out. */
  recoverHeartbeatLimitMs: 15_000,
  recoverReportLimitMs: 30_000,
  /** Starts of one run, the first included: a job that kills its worker each time is ended. */
  maxStarts: 3,
  /** Runs of a workspace that may lose their lease in a row, after having paid for rounds; then the workspace is left alone. */
  maxLosses: 3,
  /** For a lease's length, doubled with each further loss, at most this long. */
  maxLeftAloneMs: 21_600_000,
  /** Below the some 16 hops after which Lambda takes functions that start each other for a loop (decisions/0008). */
  maxContinuations: 12,
  /** Heartbeats that an attempt may miss before the reaper takes it for dead. */
  silentHeartbeats: 2.5,
  /** How long an attempt waits, over all its rounds, for room in the tier that it asks in. */
  tierPatienceMs: 120_000,
  /** How long the pool holds back after a 429 that names no time. */
  rateLimitMs: 5_000,
  /**
   * Nobody waits longer before asking again, whatever Retry-After says. An absurd value costs minutes: fewer than the
   * five without a good poll that set off the alarm NoGoodPoll. Who meant it says so again.
   */
  maxRetryWaitMs: 180_000,
  /** A runner key that nothing has used for so long is revoked: longer than a cycle, and than `rotate` watches. */
  revokeAfterMs: 900_000,
  /** How often the rotator looks for such keys. */
  revokeEveryMs: 900_000,
  /** How long a lease is taken to last whose end is missing or absurd: the first heartbeat may tell more. */
  assumedLeaseMs: 60_000,
  /** Heartbeats per lease, at least. */
  heartbeatsPerLease: 5,
} as const;
