/** The runner's own times and bounds. infra/relations.ts checks at synth that they fit each other and the settings. */
export const timing = {
  /** EventBridge Scheduler's minimum for `rate()`. */
  scheduleMs: 60_000,
  /** Reserved at the end of the dispatcher's timeout for its last calls. */
  dispatchReserveMs: 15_000,
  /** Reserved at the end of an attempt: for its last writes and heartbeat and the continuation, or for reporting a failure. */
  attemptReserveMs: 20_000,
  /** No round starts this shortly before an attempt's work ends: a response whose id comes too late could not be resumed. */
  askMarginMs: 5_000,
  /** Lambda drops an asynchronous event older than this. Below half of Studio's lease of 10 minutes. */
  maxEventAgeMs: 300_000,
  /** Reserved at the very end of an invocation, after all reporting, for the last writes to the run store. */
  hardReserveMs: 9_000,
  /** Time limits of one call to the run store (per page of a query) and one to Lambda, retries included. */
  runStoreLimitMs: 4_000,
  invokeLimitMs: 4_000,
  /** A heartbeat is sent this often in a lease's length, but within the two bounds; the lower one is for leases of seconds. */
  heartbeatsPerLease: 5,
  minHeartbeatMs: 200,
  maxHeartbeatMs: 120_000,
  /** Heartbeats that an attempt may miss before the reaper considers it dead. */
  missedHeartbeats: 2.5,
  /** How long a proof of lease and run is valid: above `runStoreLimitMs`, below the time after which an attempt counts as dead. */
  proofFreshMs: 10_000,
  /** Lifetime of the AWS identity token: enough for one exchange. The role's policy allows no more. */
  subjectTokenSeconds: 300,
  /** Time limit of a request to cancel a response. */
  cancelLimitMs: 5_000,
  /** Default time limit of a run; a pool can set another. */
  runLimitMs: 3_600_000,
  /** Time limits of recovery's heartbeat and report, below its function's timeout. */
  recoverHeartbeatLimitMs: 15_000,
  recoverReportLimitMs: 30_000,
  /** Starts of one run, the first included. A job that crashes its worker every time fails after these. */
  maxStarts: 3,
  /** How many runs of a workspace in a row may pay for rounds and lose their lease before the workspace is left alone. */
  maxLosses: 3,
  /** The longest time a workspace is left alone: a lease's length, doubled with each further loss, up to this. */
  maxLeftAloneMs: 21_600_000,
  /** Below Lambda's limit of about 16 hops, after which its recursion guard stops functions that invoke each other (decisions/0008). */
  maxContinuations: 12,
  /** How long an attempt waits, over all its rounds, for capacity in its service tier. */
  tierWaitMs: 120_000,
  /** How long the pool waits after a 429 without Retry-After. */
  rateLimitMs: 5_000,
  /**
   * The longest wait before a retry, whatever Retry-After says. Shorter than the five minutes without a good poll that
   * set off the alarm NoGoodPoll. A server that means a longer wait will ask again.
   */
  maxRetryWaitMs: 180_000,
  /** A runner key is revoked after being unused for this long: longer than a cycle, and longer than `rotate` watches. */
  revokeAfterMs: 900_000,
  /** How often the rotator looks for keys to revoke. */
  revokeEveryMs: 900_000,
  /** The assumed length of a lease whose expiry is missing or out of range, until a heartbeat's answer has a valid one. */
  assumedLeaseMs: 60_000,
} as const;
