import type { Expression, Item, ItemKey, Table, Update } from "../dynamodb.ts";
import { RunnerError } from "../errors.ts";
import {
  runItemId,
  runSchema,
  type EndState,
  type Fence,
  type LegRef,
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
}

export interface Ending {
  readonly state: EndState;
  readonly reason: string;
  readonly explanation?: string;
  readonly progress?: RunProgress;
  readonly atMs: number;
}

/** Why, and from when on, another leg shall go on with a run that has been abandoned. */
export interface Restart {
  readonly atMs: number;
  /** An error's code. */
  readonly trouble: string;
  readonly leaseExpiresAtMs: number;
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
  beat(fence: Fence, beat: { readonly atMs: number; readonly leaseExpiresAtMs: number }): Promise<boolean>;
  note(fence: Fence, progress: RunProgress): Promise<boolean>;
  /** Safe to repeat by the same invocation with the same state. */
  close(fence: Fence, ending: Ending): Promise<boolean>;
  /** Gives a running leg's work to the next leg, whose event is still to be sent. */
  handOver(fence: Fence, handover: { readonly atMs: number; readonly handovers: number }): Promise<boolean>;
  /** The same for a run as it was read, unless it has moved since: then its leg is alive, or another hand was faster. */
  restart(run: Run, restart: Restart): Promise<Run | undefined>;
  /** Closes a run as it was read, unless it has moved since. */
  closeAbandoned(run: Run, ending: Ending): Promise<boolean>;
  read(pool: string, runId: string): Promise<Run | undefined>;
  /** Every run that is not closed, oldest lease first. Eventually consistent. */
  openRuns(pool: string): Promise<readonly Run[]>;
}

export function createLedger(table: Table): Ledger {
  return {
    open: (run) => open(table, run),
    begin: (fence, began) => begin(table, fence, began),

    beat: (fence, { atMs, leaseExpiresAtMs }) =>
      updateOwned(table, fence, { set: { beatAtMs: atMs, leaseExpiresAtMs } }),

    note: (fence, progress) => updateOwned(table, fence, { set: progress }),

    close: (fence, ending) =>
      close(table, fence, {
        ...ending,
        condition: {
          text: "#leg = :leg AND #invocationId = :invocationId AND #state IN (:running, :end)",
          values: { ...ownedValues(fence), end: ending.state },
        },
      }),

    handOver: (fence, { atMs, handovers }) =>
      updateOwned(table, fence, {
        ...nextLeg(fence.leg, atMs),
        set: { ...nextLeg(fence.leg, atMs).set, handovers },
      }),

    restart: (run, restart) => restartRun(table, run, restart),
    closeAbandoned: (run, ending) => close(table, run, { ...ending, condition: unmoved(run) }),

    read: async (pool, runId) => {
      const item = await table.get({ pool, id: runItemId(runId) });
      return item && parseRun(item);
    },

    openRuns: async (pool) => {
      const where = { text: "#openIn = :pool", values: { pool } };
      return (await table.query({ index: openRunsIndex, where })).map(parseRun);
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

async function restartRun(table: Table, run: Run, restart: Restart): Promise<Run | undefined> {
  const { atMs, trouble, leaseExpiresAtMs } = restart;
  const { set, remove } = nextLeg(run.leg, atMs);
  const item = await table.update(keyOf(run), {
    set: { ...set, leaseExpiresAtMs, starts: run.starts + 1, troubles: [...run.troubles, trouble] },
    remove,
    condition: unmoved(run),
  });
  return item && parseRun(item);
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
  ending: Ending & { readonly condition: Expression },
): Promise<boolean> {
  const { state, reason, explanation, atMs, progress, condition } = ending;
  const set = { ...progress, state, reason, explanation, endedAtMs: atMs, ...ttl(atMs) };
  return (await table.update(keyOf(leg), { set, remove: ["openIn"], condition })) !== undefined;
}

function ttl(atMs: number): { readonly expiresAtSeconds: number } {
  return { expiresAtSeconds: Math.floor(atMs / 1000) + keptForSeconds };
}

function parseRun(item: Item): Run {
  const result = runSchema.safeParse(item);
  if (result.success) return result.data;
  throw new RunnerError(
    "internal",
    `a ledger row is not a run: ${result.error.issues.map((i) => i.path.join(".")).join(", ")}`,
  );
}
