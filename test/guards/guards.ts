/** A promise of docs/architecture.md, the code that keeps it, and the test that fails without that code. */
export interface Guard {
  readonly promise: string;
  /** What the guard is, for docs/reliability.md. */
  readonly guard: string;
  readonly file: string;
  /** The guard's own words in `file`, which must stand there once, and what they become without it. */
  readonly remove: string;
  readonly put: string;
  readonly test: { readonly file: string; readonly name: string };
}

const nothingIsLost = "1. Nothing is lost";
const nothingIsPaidTwice = "2. Nothing is paid twice";
const nothingIsPostedForAnotherRun = "3. Nothing is posted for another run";
const theDeadlineIsOurs = "4. The deadline is ours";
const everyOutcomeIsCountedOnce = "5. Every outcome is counted once";
const noSecret = "6. No secret anywhere";
const noAnswerHurts = "7. No answer can hurt us";

const attemptTest = "test/unit/attempt/attempt.test.ts";
const continuationTest = "test/unit/attempt/attempt-continuation.test.ts";
const recoverTest = "test/unit/attempt/recover.test.ts";
const workTest = "test/unit/attempt/work.test.ts";
const claimTest = "test/unit/dispatch/claim.test.ts";
const cycleTest = "test/unit/dispatch/cycle.test.ts";
const runStoreTest = "test/unit/runs/run-store.test.ts";

export const guards: readonly Guard[] = [
  {
    promise: nothingIsLost,
    guard: "a lease answer that breaks its schema is an error, never an empty queue",
    file: "lib/dispatch/slow-start.ts",
    remove: "    return error;",
    put: '    return "empty";',
    test: {
      file: cycleTest,
      name: "fails the cycle when its answer is malformed, and does not count as an empty queue",
    },
  },
  {
    promise: nothingIsLost,
    guard: "recovery and the reaper restart a run whose attempt has ended without finishing it",
    file: "lib/attempt/recover.ts",
    remove: "  await invokeAttempt({ invoker, log }, restarted);",
    put: "",
    test: { file: recoverTest, name: "restarts a run whose attempt crashed while its lease is alive" },
  },
  {
    promise: nothingIsLost,
    guard: "the reaper finds attempts that never started and attempts that stopped responding",
    file: "lib/dispatch/reaper.ts",
    remove: '? "silent"',
    put: "? undefined",
    test: {
      file: recoverTest,
      name: "recovers a run whose attempt stopped responding, and leaves the others as they are",
    },
  },
  {
    promise: nothingIsLost,
    guard: "a completion is repeated through an outage for as long as the lease is kept",
    file: "lib/attempt/outage-retry.ts",
    remove: "      if (!(error instanceof RunnerError) || !isTemporary(error)) throw error;",
    put: "      if (error) throw error;",
    test: { file: attemptTest, name: "is repeated through an outage of minutes while the lease is kept" },
  },
  {
    promise: nothingIsLost,
    guard: "an attempt whose process is asked to end leaves its run open for the reaper",
    file: "lib/attempt/outcome.ts",
    remove: '  shutdown: "stopped",',
    put: '  shutdown: "lost",',
    test: {
      file: "test/unit/attempt/attempt-shutdown.test.ts",
      name: "ends at once, sends nothing more, and leaves the run open with its response ids recorded",
    },
  },
  {
    promise: nothingIsPaidTwice,
    guard: "of duplicate events exactly one starts the attempt",
    file: "lib/runs/run-store.ts",
    remove: "#attempt = :attempt AND (#state = :leased OR",
    put: "#attempt = :attempt AND (#state = :leased OR #state = :running OR",
    test: { file: runStoreTest, name: "accepts exactly one of five invocations of the same event" },
  },
  {
    promise: nothingIsPaidTwice,
    guard: "a response's id is recorded before the response is awaited",
    file: "lib/attempt/progress.ts",
    remove: "    await this.save(\n      { ...this.#known, rounds: number",
    put: "    void this.save(\n      { ...this.#known, rounds: number",
    test: { file: continuationTest, name: "includes a round's response id before the round is awaited" },
  },
  {
    promise: nothingIsPaidTwice,
    guard: "a later attempt resumes from the stored responses",
    file: "lib/attempt/work.ts",
    remove: "  if (responseIds.length > 0 || rounds > 0) return retrieveOwnRounds(ports, attempt);",
    put: "",
    test: {
      file: workTest,
      name: "resumes from the stored responses and repeats no model call of an earlier attempt",
    },
  },
  {
    promise: nothingIsPaidTwice,
    guard: "an expired lease is not used again, because a heartbeat might extend another run's lease",
    file: "lib/attempt/recover.ts",
    remove: '  if (clock.now() >= run.leaseExpiresAtMs) return "expired";',
    put: "",
    test: {
      file: recoverTest,
      name: "finishes a run as lost, without asking Studio, once its lease has expired",
    },
  },
  {
    promise: nothingIsPaidTwice,
    guard: "if two processes find the same dead attempt, only one starts the next",
    file: "lib/runs/run-store.ts",
    remove: "const move = moveOnce(randomUUID(), unchangedSinceRead(run));",
    put: 'const move = moveOnce(randomUUID(), { text: "attribute_exists(#id)", values: {} });',
    test: {
      file: recoverTest,
      name: "restarts a run only once when two processes find the same dead attempt",
    },
  },
  {
    promise: nothingIsPaidTwice,
    guard: "a payload that Studio refuses is repaired once per run, in all its attempts",
    file: "lib/attempt/work.ts",
    remove: "!repaired && !from.sentBack",
    put: "true",
    test: {
      file: workTest,
      name: "asks for no second repair, whether the row or the chain shows the first one",
    },
  },
  {
    promise: nothingIsPaidTwice,
    guard: "a superseded attempt asks the model for nothing",
    file: "lib/attempt/work.ts",
    remove: "{ ...generation, mayAsk }",
    put: "{ ...generation, mayAsk: undefined }",
    test: { file: workTest, name: "makes no model call once it is superseded itself" },
  },
  {
    promise: nothingIsPaidTwice,
    guard: "a new run of the same job resumes from the responses of the earlier run",
    file: "lib/attempt/work.ts",
    remove:
      "  return inherited && !startedOver ? retrieveInheritedRounds(ports, attempt, inherited) : undefined;",
    put: "  return undefined;",
    test: {
      file: workTest,
      name: "repeats no model call of the earlier run, and counts only the usage that it adds",
    },
  },
  {
    promise: nothingIsPaidTwice,
    guard: "a workspace that is lost again and again is left alone for a while",
    file: "lib/dispatch/claim.ts",
    remove: "    if (known && untilMs > nowMs) {",
    put: "    if (known && untilMs < 0) {",
    test: {
      file: claimTest,
      name: "is skipped after three runs for the length of a lease, and then for twice as long",
    },
  },
  {
    promise: nothingIsPaidTwice,
    guard: "a cancelled run stops its model at the next heartbeat",
    file: "lib/attempt/lease-heartbeat.ts",
    remove: "    if (cancelled) this.#ports.onCancelled(cancelled);",
    put: "",
    test: {
      file: "test/unit/attempt/attempt-cancelled.test.ts",
      name: "cancels its response at the next heartbeat and fails its job with who cancelled it and why",
    },
  },
  {
    promise: nothingIsPaidTwice,
    guard: "a cancelled run whose attempt has died is not restarted",
    file: "lib/attempt/recover.ts",
    remove: "  if (run.cancelled) return { failure, reporting: cancelledReport(run.cancelled) };",
    put: "",
    test: {
      file: recoverTest,
      name: "fails the job of a run that was cancelled, and starts no further attempt",
    },
  },
  {
    promise: nothingIsPostedForAnotherRun,
    guard: "a refused heartbeat aborts the attempt",
    file: "lib/attempt/lease-heartbeat.ts",
    remove: "    if (hasCode(error, ...lossCodes)) this.#lose(error);",
    put: "    if (hasCode(error, ...lossCodes)) void error;",
    test: { file: attemptTest, name: "aborts the work at once, and nothing is posted afterwards" },
  },
  {
    promise: nothingIsPostedForAnotherRun,
    guard: "each post proves the lease at Studio and the run in the run store first, since the try before it",
    file: "lib/attempt/post.ts",
    remove: "      await post.prove(signal, unansweredAtMs);",
    put: "",
    test: {
      file: attemptTest,
      name: "is repeated after an unanswered post only once the job, the lease and the run are proven to be ours",
    },
  },
  {
    promise: nothingIsPostedForAnotherRun,
    guard: "a heartbeat proves nothing before the run store has accepted it too",
    file: "lib/attempt/lease-heartbeat.ts",
    remove: "      await this.#recordHeartbeat(atMs);",
    put: "",
    test: {
      file: "test/unit/attempt/lease-heartbeat.test.ts",
      name: "waits until the run store has accepted the heartbeat too",
    },
  },
  {
    promise: nothingIsPostedForAnotherRun,
    guard: "a post that went unanswered is repeated only while the key's lease is still for the same job",
    file: "lib/attempt/post.ts",
    remove:
      '      if (unansweredAtMs !== undefined && !(await isLeaseForJob({ job, digest }, signal)))\n        return "unconfirmed";',
    put: "",
    test: {
      file: attemptTest,
      name: "is not repeated after an unanswered post when the lease is for the workspace's next job",
    },
  },
  {
    promise: nothingIsPostedForAnotherRun,
    guard: "a run that may have posted is not restarted under the lease of the workspace's next job",
    file: "lib/attempt/recover.ts",
    remove: '        if (mayHavePosted && !(await isLeaseForJob({ job, digest }, signal))) return "gone";',
    put: "",
    test: {
      file: recoverTest,
      name: "recovery starts no attempt under the lease of the workspace's next job",
    },
  },
  {
    promise: nothingIsPostedForAnotherRun,
    guard: "a run that was created after a newer one took its workspace stops before it works",
    file: "lib/attempt/attempt.ts",
    remove:
      "  if (!(await ports.workspaces.isOf(run)))\n    return finishSuperseded(ports, run, (finished) => runStore.finish(fence, finished));",
    put: "",
    test: { file: attemptTest, name: "stops an attempt at once when a newer run owns the workspace" },
  },
  {
    promise: nothingIsPostedForAnotherRun,
    guard: "a new run of a workspace supersedes the one before it",
    file: "lib/dispatch/claim.ts",
    remove: "(await superseded(ports, await earlierRun(ports, pool, known)))",
    put: "(await earlierRun(ports, pool, known))",
    test: { file: claimTest, name: "supersedes that run, whose attempt can no longer write" },
  },
  {
    promise: nothingIsPostedForAnotherRun,
    guard: "an attempt that has been superseded is refused every write",
    file: "lib/runs/conditions.ts",
    remove: 'const owned = "#state = :running AND #invocationId = :invocationId";',
    put: 'const owned = "#state = :running AND attribute_exists(#invocationId) AND :invocationId = :invocationId";',
    test: { file: runStoreTest, name: "refuses every write of an invocation that does not own the attempt" },
  },
  {
    promise: theDeadlineIsOurs,
    guard: "an attempt continues in another one before the platform ends it",
    file: "lib/attempt/outcome.ts",
    remove: '  attempt_deadline: "continued",',
    put: "",
    test: {
      file: continuationTest,
      name: "continues the run in the next attempt 20 s before Lambda's timeout, and posts nothing",
    },
  },
  {
    promise: theDeadlineIsOurs,
    guard: "no call of the run store takes longer than an attempt's reserve allows for",
    file: "lib/adapters/dynamodb.ts",
    remove: "limitMs: timing.runStoreLimitMs",
    put: "limitMs: 60_000",
    test: {
      file: "test/unit/runs/deadline.test.ts",
      name: "a run store call without an answer fails after 4 s, retries included",
    },
  },
  {
    promise: theDeadlineIsOurs,
    guard: "a job that kills its worker each time is failed after its starts",
    file: "lib/attempt/recover.ts",
    remove: "  if (run.starts > timing.maxStarts)",
    put: "  if (run.starts < 0)",
    test: {
      file: recoverTest,
      name: "fails a job that kills its worker every time, with a reason that its user can read",
    },
  },
  {
    promise: everyOutcomeIsCountedOnce,
    guard: "only an outcome that the run store accepts is recorded",
    file: "lib/attempt/finish.ts",
    remove: "  if (!(await write({ state, reason, explanation, unconfirmed, atMs, costUsd }))) return false;",
    put: "  await write({ state, reason, explanation, unconfirmed, atMs, costUsd });",
    test: { file: attemptTest, name: "keeps an outcome that the run store refuses from being counted" },
  },
  {
    promise: everyOutcomeIsCountedOnce,
    guard:
      "a failure is recorded before it is reported to Studio, so that a run that dies then still counts as failed",
    file: "lib/attempt/post-result.ts",
    remove: "    await progress.save({ ...known, reporting: report, jobDigest }, signal);",
    put: "    void jobDigest;",
    test: {
      file: "test/unit/attempt/attempt-reporting.test.ts",
      name: "is recorded with its reason before it is sent",
    },
  },
  {
    promise: everyOutcomeIsCountedOnce,
    guard: "every cycle reports its result, also when it leased nothing",
    file: "lib/dispatch/cycle.ts",
    remove: '    metrics.emit("Cycles", { pool, reason }, 1);',
    put: "",
    test: { file: cycleTest, name: "records its outcome in one log line and in its metrics" },
  },
  {
    promise: noSecret,
    guard: "only reveal() returns a secret's value",
    file: "lib/core/secret.ts",
    remove: "  toJSON(): string {\n    return redacted;",
    put: "  toJSON(): string {\n    return this.#value;",
    test: {
      file: "test/unit/core/small-files.test.ts",
      name: "is redacted wherever it is printed or serialized, and readable only with reveal()",
    },
  },
  {
    promise: noAnswerHurts,
    guard: "no wait is shorter than our own back-off, whatever Retry-After says",
    file: "lib/core/retry.ts",
    remove: "Math.max(backoffMs, askedMs)",
    put: "askedMs",
    test: {
      file: "test/unit/core/retry.test.ts",
      name: "never waits less than its own back-off, whatever Retry-After says",
    },
  },
  {
    promise: noAnswerHurts,
    guard: "no more is read of an answer than fits into memory",
    file: "lib/studio/exchange.ts",
    remove: "wantsAll ? longestAnswerBytes : longestWordsBytes",
    put: "wantsAll ? Infinity : longestWordsBytes",
    test: {
      file: "test/unit/studio/contract-broken.test.ts",
      name: "fails with answer_too_long and is not read to its end",
    },
  },
  {
    promise: noAnswerHurts,
    guard:
      "only a JSON object is an answer of the run store: an empty page is not taken for a row that is not there",
    file: "lib/adapters/aws.ts",
    remove: "  if (!isJsonObject(answer.toString())) throw new NoAnswer(statusCode);",
    put: "",
    test: {
      file: "test/unit/adapters/aws-answers.test.ts",
      name: "does not mistake an empty page for a missing row",
    },
  },
  {
    promise: noAnswerHurts,
    guard: "a row that is no run is left out, and stops nothing but itself",
    file: "lib/runs/run.ts",
    remove: "  onUnreadable(notARun(item, result.error));\n  return [];",
    put: "  throw notARun(item, result.error);",
    test: {
      file: runStoreTest,
      name: "is reported and left out, so that one row cannot stop a pool",
    },
  },
  {
    promise: noAnswerHurts,
    guard: "a row of another pool that names this one is left out",
    file: "lib/runs/run-queries.ts",
    remove: "runs.filter((run) => run.pool === pool)",
    put: "runs.filter(() => true)",
    test: { file: runStoreTest, name: "do not include rows of another pool that name this one" },
  },
];
