import { randomUUID } from "node:crypto";
import type { Expression, Item, ItemKey, Table, Update } from "../adapters/dynamodb.ts";
import { RunnerError } from "../core/errors.ts";
import { moveOnce, nextAttempt, openAndPostingAs, owned, ownedValues, unmoved } from "./moves.ts";
import {
  parseRun,
  readable,
  runItemId,
  type EndState,
  type Fence,
  type Inherited,
  type AttemptRef,
  type Reporting,
  type Run,
  type RunProgress,
} from "./run.ts";

/** The table's sparse index over open runs: `openIn`, `leaseExpiresAtMs`. */
export const openRunsIndex = "open";

const keptForSeconds = 30 * 24 * 3600;

export interface NewRun {
  readonly pool: string;
  readonly runId: string;
  readonly workspaceId: string;
  readonly keyId: string;
  readonly leasedAtMs: number;
  readonly leaseExpiresAtMs: number;
  /** When the cycle last saw that the pool need not hold back. */
  readonly poolFreeAtMs?: number;
  readonly inherited?: Inherited | undefined;
}

export interface Ending {
  readonly state: EndState;
  readonly reason: string;
  readonly explanation?: string;
  readonly unconfirmed?: boolean | undefined;
  readonly progress?: RunProgress;
  readonly costUsd?: number | undefined;
  readonly atMs: number;
}

/** Why, and from when on, another attempt shall go on with a run that has been abandoned. */
export interface Restart {
  readonly atMs: number;
  /** An error's code; `undefined`: no trouble beyond those that the run remembers. */
  readonly trouble: string | undefined;
  readonly leaseExpiresAtMs: number;
  /** The attempt is taken only to tell Studio of this failure. */
  readonly reporting?: Reporting | undefined;
  readonly jobDigest?: string | undefined;
}

/**
 * The runs, and who may write to them: single-item conditional writes only. A write answered `false` (or `undefined`)
 * means that the caller does not own the run: it must stop and post nothing.
 * @throws RunnerError `run_store_unavailable`
 */
export interface RunStore {
  create(run: NewRun): Promise<void>;
  /** Moves `leased` to `running` for exactly one invocation of the attempt; `undefined` for every other. Safe to repeat by the same one. */
  start(
    fence: Fence,
    started: { readonly atMs: number; readonly requestId: string },
  ): Promise<Run | undefined>;
  heartbeat(fence: Fence, heartbeat: Heartbeat): Promise<boolean>;
  /** Whether the caller still owns the run. A consistent read. */
  owns(fence: Fence): Promise<boolean>;
  note(fence: Fence, progress: RunProgress): Promise<boolean>;
  /** Safe to repeat by the same invocation with the same state. */
  finish(fence: Fence, ending: Ending): Promise<boolean>;
  /** Gives a running attempt's work to the next attempt, whose event is still to be sent. */
  continueRun(fence: Fence, continuation: Continuation): Promise<boolean>;
  /** The same for a run as it was read, unless it has moved since: then its attempt is alive, or another hand was faster. */
  restart(run: Run, restart: Restart): Promise<Run | undefined>;
  /** Proves by a write that the run is still as it was read. */
  touch(run: Run, atMs: number): Promise<boolean>;
  /** Closes a run as it was read, unless it has moved since. */
  finishAbandoned(run: Run, ending: Ending): Promise<boolean>;
  /** Closes a run whatever its attempt does, unless it is closed or has begun to post since it was read. Gives its last state. */
  supersede(run: Run, ending: Ending): Promise<Run | undefined>;
  read(pool: string, runId: string): Promise<Run | undefined>;
  /** Every run that is not closed, oldest lease first. Eventually consistent. */
  openRuns(pool: string): Promise<readonly Run[]>;
  /** Newest first; from behind `beforeRunId` on, for the next page. */
  recentRuns(pool: string, page: RunPage): Promise<readonly Run[]>;
  /** Every run of one workspace, newest first. Reads all of the pool's: for an operator's question, not for the way of a job. */
  runsOf(pool: string, workspaceId: string): Promise<readonly Run[]>;
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
  /** All that the attempt knows: a note may not have arrived. */
  readonly progress: RunProgress;
}

export interface RunPage {
  readonly limit: number;
  readonly beforeRunId?: string | undefined;
}

/**
 * @param onUnreadable is told of a row that is no run, as a later version or a hand may write it. Lists leave it out, so
 *   that it stops nothing but itself.
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
      const item = await table.get(keyOf(fence));
      return (
        item?.["state"] === "running" &&
        item["attempt"] === fence.attempt &&
        item["invocationId"] === fence.invocationId
      );
    },

    note: (fence, progress) => updateOwned(table, fence, { set: progress }),

    finish: async (fence, ending) =>
      (await finish(table, fence, {
        ...ending,
        condition: {
          text: "#attempt = :attempt AND #invocationId = :invocationId AND #state IN (:running, :end)",
          values: { ...ownedValues(fence), end: ending.state },
        },
      })) !== undefined,

    continueRun: (fence, continuation) => continueRun(table, fence, continuation),

    restart: (run, restart) => restartRun(table, run, restart),
    touch: async (run, atMs) =>
      (await table.update(keyOf(run), { set: { touchedAtMs: atMs }, condition: unmoved(run) })) !== undefined,
    finishAbandoned: async (run, ending) =>
      (await finishFor(table, run, { ...ending, unless: unmoved(run) })) !== undefined,
    supersede: async (run, ending) => {
      const item = await finishFor(table, run, { ...ending, unless: openAndPostingAs(run) });
      return item && parseRun(item);
    },

    ...reading(table, onUnreadable),
  };
}

function reading(
  table: Table,
  onUnreadable: (problem: RunnerError) => void,
): Pick<RunStore, "read" | "openRuns" | "recentRuns" | "runsOf"> {
  const runsAmong = (items: readonly Item[]): readonly Run[] =>
    items.flatMap((item) => readable(item, onUnreadable));
  return {
    read: async (pool, runId) => {
      const item = await table.get({ pool, id: runItemId(runId) });
      return item && runsAmong([item])[0];
    },

    openRuns: async (pool) => {
      const where = { text: "#openIn = :pool", values: { pool } };
      const runs = runsAmong(await table.query({ index: openRunsIndex, where }));
      // Another pool's role may write this pool's name into its own rows.
      return runs.filter((run) => run.pool === pool);
    },

    recentRuns: async (pool, { limit, beforeRunId }) => {
      const after = beforeRunId === undefined ? {} : { after: { pool, id: runItemId(beforeRunId) } };
      const query = { where: allRuns(pool), newestFirst: true, limit, ...after };
      return runsAmong(await table.query(query));
    },

    runsOf: async (pool, workspaceId) => {
      const filter = { text: "#workspaceId = :workspaceId", values: { workspaceId } };
      return runsAmong(await table.query({ where: allRuns(pool), filter, newestFirst: true }));
    },
  };
}

async function create(table: Table, run: NewRun): Promise<void> {
  const item = {
    ...run,
    id: runItemId(run.runId),
    state: "leased",
    attempt: 1,
    leaseMs: Math.max(1, run.leaseExpiresAtMs - run.leasedAtMs),
    calledAtMs: run.leasedAtMs,
    openIn: run.pool,
    ...ttl(run.leasedAtMs),
  };
  // Repeating the write is harmless until the attempt has begun, which is never before this returns.
  const unclaimed = { text: "attribute_not_exists(#id) OR #state = :leased", values: { leased: "leased" } };
  if (!(await table.put(item, unclaimed)))
    throw new RunnerError("internal", `run ${run.runId} was opened twice`);
}

async function start(
  table: Table,
  fence: Fence,
  { atMs, requestId }: { readonly atMs: number; readonly requestId: string },
): Promise<Run | undefined> {
  const item = await table.update(keyOf(fence), {
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
    (await table.update(keyOf(fence), {
      set: { ...progress, ...set, continuations, leaseExpiresAtMs, ...move.set },
      remove,
      condition: move.condition,
    })) !== undefined
  );
}

async function restartRun(table: Table, run: Run, restart: Restart): Promise<Run | undefined> {
  const { atMs, trouble, leaseExpiresAtMs, reporting, jobDigest } = restart;
  const { set, remove } = nextAttempt(run.attempt, atMs);
  const troubles = trouble === undefined ? run.troubles : [...run.troubles, trouble];
  const move = moveOnce(randomUUID(), unmoved(run));
  const item = await table.update(keyOf(run), {
    set: { ...set, leaseExpiresAtMs, starts: run.starts + 1, troubles, reporting, jobDigest, ...move.set },
    remove,
    condition: move.condition,
  });
  return item && parseRun(item);
}

function allRuns(pool: string): Expression {
  return { text: "#pool = :pool AND begins_with(#id, :runs)", values: { pool, runs: runItemId("") } };
}

function keyOf(attempt: AttemptRef): ItemKey {
  return { pool: attempt.pool, id: runItemId(attempt.runId) };
}

async function updateOwned(table: Table, fence: Fence, change: Omit<Update, "condition">): Promise<boolean> {
  const condition = { text: `#attempt = :attempt AND ${owned}`, values: ownedValues(fence) };
  return (await table.update(keyOf(fence), { ...change, condition })) !== undefined;
}

/** Closes a run in its attempt's stead, which then owns it no more: were it alive, its own close would be counted too. */
async function finishFor(
  table: Table,
  run: Run,
  ending: Ending & { unless: Expression },
): Promise<Item | undefined> {
  const { unless, ...end } = ending;
  const { set, condition } = moveOnce(randomUUID(), unless);
  return finish(table, run, { ...end, condition, set, remove: ["invocationId"] });
}

async function finish(
  table: Table,
  attempt: AttemptRef,
  ending: Ending & {
    readonly condition: Expression;
    readonly set?: Item;
    readonly remove?: readonly string[];
  },
): Promise<Item | undefined> {
  const { state, reason, explanation, unconfirmed, costUsd, atMs, progress, condition, remove = [] } = ending;
  const result = { state, reason, explanation, unconfirmed, costUsd, endedAtMs: atMs };
  const set = { ...progress, ...result, ...ttl(atMs), ...ending.set };
  return table.update(keyOf(attempt), { set, remove: ["openIn", ...remove], condition });
}

function ttl(atMs: number): { readonly expiresAtSeconds: number } {
  return { expiresAtSeconds: Math.floor(atMs / 1000) + keptForSeconds };
}
