import { randomUUID } from "node:crypto";
import type { Expression, Item, ItemKey, Table, Update } from "../dynamodb.ts";
import type * as z from "zod";
import { RunnerError } from "../errors.ts";
import {
  runItemId,
  runSchema,
  type EndState,
  type Fence,
  type LegRef,
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
  /** When the window last saw that the pool need not hold back. */
  readonly poolFreeAtMs?: number;
}

export interface Ending {
  readonly state: EndState;
  readonly reason: string;
  readonly explanation?: string;
  readonly progress?: RunProgress;
  readonly costUsd?: number | undefined;
  readonly atMs: number;
}

/** Why, and from when on, another leg shall go on with a run that has been abandoned. */
export interface Restart {
  readonly atMs: number;
  /** An error's code; `undefined`: no trouble beyond those that the run remembers. */
  readonly trouble: string | undefined;
  readonly leaseExpiresAtMs: number;
  /** The leg is taken only to tell Studio of this failure. */
  readonly reporting?: Reporting | undefined;
}

/**
 * The runs, and who may write to them: single-item conditional writes only. A write answered `false` (or `undefined`)
 * means that the caller does not own the run: it must stop and post nothing.
 * @throws RunnerError `ledger_unavailable`
 */
export interface Ledger {
  open(run: NewRun): Promise<void>;
  /** Moves `leased` to `running` for exactly one invocation of the leg; `undefined` for every other. Safe to repeat by the same one. */
  begin(fence: Fence, began: { readonly atMs: number; readonly requestId: string }): Promise<Run | undefined>;
  beat(fence: Fence, beat: Beat): Promise<boolean>;
  note(fence: Fence, progress: RunProgress): Promise<boolean>;
  /** Safe to repeat by the same invocation with the same state. */
  close(fence: Fence, ending: Ending): Promise<boolean>;
  /** Gives a running leg's work to the next leg, whose event is still to be sent. */
  handOver(fence: Fence, handover: Handover): Promise<boolean>;
  /** The same for a run as it was read, unless it has moved since: then its leg is alive, or another hand was faster. */
  restart(run: Run, restart: Restart): Promise<Run | undefined>;
  /** Closes a run as it was read, unless it has moved since. */
  closeAbandoned(run: Run, ending: Ending): Promise<boolean>;
  read(pool: string, runId: string): Promise<Run | undefined>;
  /** Every run that is not closed, oldest lease first. Eventually consistent. */
  openRuns(pool: string): Promise<readonly Run[]>;
  /** Newest first; from behind `beforeRunId` on, for the next page. */
  recentRuns(pool: string, page: RunPage): Promise<readonly Run[]>;
  /** Every run of one workspace, newest first. Reads all of the pool's: for an operator's question, not for the way of a job. */
  runsOf(pool: string, workspaceId: string): Promise<readonly Run[]>;
}

export interface Beat {
  readonly atMs: number;
  readonly leaseExpiresAtMs: number;
  /** Noted by the same write. */
  readonly progress?: RunProgress | undefined;
}

export interface Handover {
  readonly atMs: number;
  readonly handovers: number;
  /** All that the leg knows: a note may not have arrived. */
  readonly progress: RunProgress;
}

export interface RunPage {
  readonly limit: number;
  readonly beforeRunId?: string | undefined;
}

/** @param onUnreadable is told of an open row that is no run; it is left out. Without it such a row is an error. */
export function createLedger(table: Table, onUnreadable?: (problem: RunnerError) => void): Ledger {
  return {
    open: (run) => open(table, run),
    begin: (fence, began) => begin(table, fence, began),

    beat: (fence, { atMs, leaseExpiresAtMs, progress }) =>
      updateOwned(table, fence, { set: { ...progress, beatAtMs: atMs, leaseExpiresAtMs } }),

    note: (fence, progress) => updateOwned(table, fence, { set: progress }),

    close: (fence, ending) =>
      close(table, fence, {
        ...ending,
        condition: {
          text: "#leg = :leg AND #invocationId = :invocationId AND #state IN (:running, :end)",
          values: { ...ownedValues(fence), end: ending.state },
        },
      }),

    handOver: (fence, handover) => handOver(table, fence, handover),

    restart: (run, restart) => restartRun(table, run, restart),
    closeAbandoned: (run, ending) => closeAbandoned(table, run, ending),

    read: async (pool, runId) => {
      const item = await table.get({ pool, id: runItemId(runId) });
      return item && parseRun(item);
    },

    openRuns: async (pool) => {
      const where = { text: "#openIn = :pool", values: { pool } };
      const items = await table.query({ index: openRunsIndex, where });
      // One row that a later version wrote, or a hand, must not stop a pool.
      return items.flatMap((item) => (onUnreadable ? readable(item, onUnreadable) : [parseRun(item)]));
    },

    recentRuns: async (pool, { limit, beforeRunId }) => {
      const after = beforeRunId === undefined ? {} : { after: { pool, id: runItemId(beforeRunId) } };
      const query = { where: allRuns(pool), newestFirst: true, limit, ...after };
      return (await table.query(query)).map(parseRun);
    },

    runsOf: async (pool, workspaceId) => {
      const filter = { text: "#workspaceId = :workspaceId", values: { workspaceId } };
      return (await table.query({ where: allRuns(pool), filter, newestFirst: true })).map(parseRun);
    },
  };
}

async function open(table: Table, run: NewRun): Promise<void> {
  const item = {
    ...run,
    id: runItemId(run.runId),
    state: "leased",
    leg: 1,
    leaseMs: run.leaseExpiresAtMs - run.leasedAtMs,
    calledAtMs: run.leasedAtMs,
    openIn: run.pool,
    ...ttl(run.leasedAtMs),
  };
  // Repeating the write is harmless until the leg has begun, which is never before this returns.
  const unclaimed = { text: "attribute_not_exists(#id) OR #state = :leased", values: { leased: "leased" } };
  if (!(await table.put(item, unclaimed)))
    throw new RunnerError("internal", `run ${run.runId} was opened twice`);
}

async function begin(
  table: Table,
  fence: Fence,
  { atMs, requestId }: { readonly atMs: number; readonly requestId: string },
): Promise<Run | undefined> {
  const item = await table.update(keyOf(fence), {
    set: { state: "running", invocationId: fence.invocationId, requestId, beganAtMs: atMs },
    condition: {
      text: `#leg = :leg AND (#state = :leased OR (${owned}))`,
      values: { leased: "leased", ...ownedValues(fence) },
    },
  });
  return item && parseRun(item);
}

async function handOver(
  table: Table,
  fence: Fence,
  { atMs, handovers, progress }: Handover,
): Promise<boolean> {
  const { set, remove } = nextLeg(fence.leg, atMs);
  const owns = { text: `#leg = :leg AND ${owned}`, values: ownedValues(fence) };
  const move = moveOnce(fence.invocationId, owns);
  return (
    (await table.update(keyOf(fence), {
      set: { ...progress, ...set, handovers, ...move.set },
      remove,
      condition: move.condition,
    })) !== undefined
  );
}

async function restartRun(table: Table, run: Run, restart: Restart): Promise<Run | undefined> {
  const { atMs, trouble, leaseExpiresAtMs, reporting } = restart;
  const { set, remove } = nextLeg(run.leg, atMs);
  const troubles = trouble === undefined ? run.troubles : [...run.troubles, trouble];
  const move = moveOnce(randomUUID(), unmoved(run));
  const item = await table.update(keyOf(run), {
    set: { ...set, leaseExpiresAtMs, starts: run.starts + 1, troubles, reporting, ...move.set },
    remove,
    condition: move.condition,
  });
  return item && parseRun(item);
}

/** The leg in whose stead the run is closed owns it no more: were it alive, its own close would be counted too. */
async function closeAbandoned(table: Table, run: Run, ending: Ending): Promise<boolean> {
  const { set, condition } = moveOnce(randomUUID(), unmoved(run));
  return close(table, run, { ...ending, condition, set, remove: ["invocationId"] });
}

/**
 * A write that takes the run from the state of its own condition. It is repeated when its answer was lost, and must
 * not take its own effect for another hand's.
 */
function moveOnce(
  movedBy: string,
  { text, values }: Expression,
): { readonly set: Item; readonly condition: Expression } {
  return {
    set: { movedBy },
    condition: { text: `(${text}) OR #movedBy = :movedBy`, values: { ...values, movedBy } },
  };
}

/** The next leg's row as nobody has begun it yet. */
function nextLeg(leg: number, atMs: number): { readonly set: Item; readonly remove: readonly string[] } {
  return {
    set: { state: "leased", leg: leg + 1, calledAtMs: atMs },
    remove: ["invocationId", "requestId", "beganAtMs", "beatAtMs"],
  };
}

const owned = "#state = :running AND #invocationId = :invocationId";

function ownedValues(fence: Fence): Item {
  return { leg: fence.leg, running: "running", invocationId: fence.invocationId };
}

/** The row is open, and as it was read: the same leg, and no beat since. */
function unmoved(run: Run): Expression {
  const { leg, state, beatAtMs } = run;
  const beat = beatAtMs === undefined ? "attribute_not_exists(#beatAtMs)" : "#beatAtMs = :beatAtMs";
  return {
    text: `attribute_exists(#openIn) AND #leg = :leg AND #state = :state AND ${beat}`,
    values: { leg, state, ...(beatAtMs === undefined ? {} : { beatAtMs }) },
  };
}

function allRuns(pool: string): Expression {
  return { text: "#pool = :pool AND begins_with(#id, :runs)", values: { pool, runs: runItemId("") } };
}

function keyOf(leg: LegRef): ItemKey {
  return { pool: leg.pool, id: runItemId(leg.runId) };
}

async function updateOwned(table: Table, fence: Fence, change: Omit<Update, "condition">): Promise<boolean> {
  const condition = { text: `#leg = :leg AND ${owned}`, values: ownedValues(fence) };
  return (await table.update(keyOf(fence), { ...change, condition })) !== undefined;
}

async function close(
  table: Table,
  leg: LegRef,
  ending: Ending & {
    readonly condition: Expression;
    readonly set?: Item;
    readonly remove?: readonly string[];
  },
): Promise<boolean> {
  const { state, reason, explanation, costUsd, atMs, progress, condition, remove = [] } = ending;
  const result = { state, reason, explanation, costUsd, endedAtMs: atMs };
  const set = { ...progress, ...result, ...ttl(atMs), ...ending.set };
  return (await table.update(keyOf(leg), { set, remove: ["openIn", ...remove], condition })) !== undefined;
}

function ttl(atMs: number): { readonly expiresAtSeconds: number } {
  return { expiresAtSeconds: Math.floor(atMs / 1000) + keptForSeconds };
}

function readable(item: Item, onUnreadable: (problem: RunnerError) => void): readonly Run[] {
  const result = runSchema.safeParse(item);
  if (result.success) return [result.data];
  onUnreadable(noRun(item, result.error));
  return [];
}

function parseRun(item: Item): Run {
  const result = runSchema.safeParse(item);
  if (result.success) return result.data;
  throw noRun(item, result.error);
}

function noRun(item: Item, { issues }: z.ZodError): RunnerError {
  const fields = issues.map(({ path }) => path.join(".")).join(", ");
  return new RunnerError("internal", `the ledger row ${String(item["id"])} is not a run: ${fields}`);
}
