import { randomUUID } from "node:crypto";
import type { Table, Update } from "../adapters/dynamodb.ts";
import { RunnerError } from "../core/errors.ts";
import {
  moveOnce,
  nextAttempt,
  openAndPostsUnchanged,
  owned,
  ownedValues,
  unchangedSinceRead,
} from "./conditions.ts";
import { createRunQueries, type RunQueries } from "./run-queries.ts";
import { finish, finishForAttempt } from "./finish.ts";
import {
  cancellationSchema,
  heldIn,
  parseRun,
  expiryOf,
  runItemId,
  runKey,
  schemaVersion,
  type FinishedRun,
  type Fence,
  type Held,
  type Inherited,
  type Cancellation,
  type FailureReport,
  type Run,
  type RunRef,
  type RunProgress,
} from "./run.ts";

export interface NewRun {
  readonly pool: string;
  readonly runId: string;
  readonly workspaceId: string;
  readonly keyId: string;
  readonly leasedAtMs: number;
  readonly leaseExpiresAtMs: number;
  readonly inherited?: Inherited | undefined;
}

/** Why and when an abandoned run passes to the next attempt. */
export interface Restart {
  readonly atMs: number;
  /** An error's code; `undefined`: no failure beyond those that the row holds. */
  readonly failure: string | undefined;
  readonly leaseExpiresAtMs: number;
  /** The attempt only reports this failure to Studio. */
  readonly reporting?: FailureReport | undefined;
  readonly jobDigest?: string | undefined;
}

/**
 * The runs of all pools. Every write is a conditional write of one item. `false` (or `undefined`)
 * means that the caller does not own the run: it must stop and post nothing.
 * @throws RunnerError `run_store_unavailable`
 */
export interface RunStore extends RunQueries {
  create(run: NewRun): Promise<void>;
  /** Moves `leased` to `running` for exactly one invocation of the attempt; `undefined` for every other. Safe to repeat by the same one. */
  start(
    fence: Fence,
    started: { readonly atMs: number; readonly requestId: string },
  ): Promise<Run | undefined>;
  heartbeat(fence: Fence, heartbeat: Heartbeat): Promise<Held | undefined>;
  /** Whether the caller still owns the run. A consistent read. */
  owns(fence: Fence): Promise<Held | undefined>;
  saveProgress(fence: Fence, progress: RunProgress): Promise<Held | undefined>;
  /** Safe to repeat by the same invocation with the same state. */
  finish(fence: Fence, finished: FinishedRun): Promise<boolean>;
  /** Passes a running attempt's work to the next attempt. The caller sends the next attempt's event afterwards. */
  continueRun(fence: Fence, continuation: Continuation): Promise<boolean>;
  /** Passes an abandoned run to the next attempt, if the run is unchanged since it was read. */
  restart(run: Run, restart: Restart): Promise<Run | undefined>;
  /** Proves by a write that the run is unchanged since it was read. */
  touch(run: Run, atMs: number): Promise<boolean>;
  /** Finishes a run if it is unchanged since it was read. */
  finishAbandoned(run: Run, finished: FinishedRun): Promise<boolean>;
  /**
   * Marks an unfinished run as cancelled; its attempt sees it with its next heartbeat, write or request to the model. `undefined`, and
   * nothing is written: it is cancelled already, it is finished, or its deliverables or a failure report may have been sent.
   */
  cancel(run: RunRef, cancellation: Cancellation): Promise<Run | undefined>;
  /** Finishes a run regardless of its attempt, unless it is finished or started to post since it was read. Returns its last state. */
  supersede(run: Run, finished: FinishedRun): Promise<Run | undefined>;
}

export interface Heartbeat {
  readonly atMs: number;
  readonly leaseExpiresAtMs: number;
}

export interface Continuation {
  readonly atMs: number;
  readonly continuations: number;
  /** As the attempt knows it: a heartbeat that Studio accepted may not have been recorded. */
  readonly leaseExpiresAtMs: number;
  /** All that the attempt knows: its last write of progress may not have arrived. */
  readonly progress: RunProgress;
}

/**
 * @param onUnreadable called with the problem of a row that is not a valid run, such as one of a later version. Lists leave it out,
 *   so that it affects nothing else.
 */
export function createRunStore(
  table: Table,
  onUnreadable: (problem: RunnerError) => void = () => undefined,
): RunStore {
  return {
    create: (run) => create(table, run),
    start: (fence, started) => start(table, fence, started),

    heartbeat: (fence, { atMs, leaseExpiresAtMs }) =>
      updateOwned(table, fence, {
        set: { heartbeatAtMs: atMs, leaseExpiresAtMs, leaseMs: Math.max(1, leaseExpiresAtMs - atMs) },
      }),

    owns: async (fence) => {
      const item = await table.get(runKey(fence));
      const isOwner =
        item?.["state"] === "running" &&
        item["attempt"] === fence.attempt &&
        item["invocationId"] === fence.invocationId;
      return isOwner ? heldIn(item) : undefined;
    },

    saveProgress: (fence, progress) => updateOwned(table, fence, { set: progress }),

    finish: async (fence, finished) =>
      (await finish(table, fence, {
        ...finished,
        condition: {
          text: "#attempt = :attempt AND #invocationId = :invocationId AND #state IN (:running, :end)",
          values: { ...ownedValues(fence), end: finished.state },
        },
      })) !== undefined,

    continueRun: (fence, continuation) => continueRun(table, fence, continuation),

    restart: (run, restart) => restartRun(table, run, restart),
    touch: async (run, atMs) =>
      (await table.update(runKey(run), {
        set: { touchedAtMs: atMs },
        condition: unchangedSinceRead(run),
      })) !== undefined,
    finishAbandoned: async (run, finished) =>
      (await finishForAttempt(table, run, { ...finished, condition: unchangedSinceRead(run) })) !== undefined,
    cancel: (run, cancellation) => cancel(table, run, cancellation),
    supersede: async (run, finished) => {
      const item = await finishForAttempt(table, run, { ...finished, condition: openAndPostsUnchanged(run) });
      return item && parseRun(item);
    },

    ...createRunQueries(table, onUnreadable),
  };
}

async function create(table: Table, run: NewRun): Promise<void> {
  const item = {
    ...run,
    schemaVersion,
    id: runItemId(run.runId),
    state: "leased",
    attempt: 1,
    leaseMs: Math.max(1, run.leaseExpiresAtMs - run.leasedAtMs),
    calledAtMs: run.leasedAtMs,
    openIn: run.pool,
    expiresAtSeconds: expiryOf(run.leasedAtMs),
  };
  // Repeating the write is safe until the attempt has started, which cannot happen before this returns.
  const unclaimed = { text: "attribute_not_exists(#id) OR #state = :leased", values: { leased: "leased" } };
  if (!(await table.put(item, unclaimed)))
    throw new RunnerError("internal", `run ${run.runId} was created twice`);
}

async function start(
  table: Table,
  fence: Fence,
  { atMs, requestId }: { readonly atMs: number; readonly requestId: string },
): Promise<Run | undefined> {
  const item = await table.update(runKey(fence), {
    set: { state: "running", invocationId: fence.invocationId, requestId, beganAtMs: atMs },
    condition: {
      text: `#attempt = :attempt AND (#state = :leased OR (${owned}))`,
      values: { leased: "leased", ...ownedValues(fence) },
    },
  });
  return item && parseRun(item);
}

async function continueRun(
  table: Table,
  fence: Fence,
  { atMs, continuations, leaseExpiresAtMs, progress }: Continuation,
): Promise<boolean> {
  const { set, remove } = nextAttempt(fence.attempt, atMs);
  const owns = { text: `#attempt = :attempt AND ${owned}`, values: ownedValues(fence) };
  const move = moveOnce(fence.invocationId, owns);
  return (
    (await table.update(runKey(fence), {
      set: { ...progress, ...set, continuations, leaseExpiresAtMs, ...move.set },
      remove,
      condition: move.condition,
    })) !== undefined
  );
}

async function restartRun(table: Table, run: Run, restart: Restart): Promise<Run | undefined> {
  const { atMs, failure, leaseExpiresAtMs, reporting, jobDigest } = restart;
  const { set, remove } = nextAttempt(run.attempt, atMs);
  const failures = failure === undefined ? run.failures : [...run.failures, failure];
  const move = moveOnce(randomUUID(), unchangedSinceRead(run));
  const item = await table.update(runKey(run), {
    set: { ...set, leaseExpiresAtMs, starts: run.starts + 1, failures, reporting, jobDigest, ...move.set },
    remove,
    condition: move.condition,
  });
  return item && parseRun(item);
}

async function cancel(table: Table, run: RunRef, cancellation: Cancellation): Promise<Run | undefined> {
  const { text, values } = openAndPostsUnchanged({ delivering: false, reporting: undefined });
  const item = await table.update(runKey(run), {
    set: { cancelled: cancellationSchema.parse(cancellation) },
    condition: { text: `${text} AND attribute_not_exists(#cancelled)`, values },
  });
  return item && parseRun(item);
}

async function updateOwned(
  table: Table,
  fence: Fence,
  change: Omit<Update, "condition">,
): Promise<Held | undefined> {
  const condition = { text: `#attempt = :attempt AND ${owned}`, values: ownedValues(fence) };
  const item = await table.update(runKey(fence), { ...change, condition });
  return item && heldIn(item);
}
