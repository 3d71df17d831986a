import type { Expression, Item, ItemKey, Table } from "../dynamodb.ts";
import { RunnerError } from "../errors.ts";
import type { Usage } from "../inference/model.ts";
import { runItemId, runSchema, type EndState, type Fence, type LegRef, type Run } from "./run.ts";

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
  readonly atMs: number;
}

/**
 * The runs, and who may write to them: single-item conditional writes only. A write answered `false` (or `undefined`)
 * means that the caller does not own the run: it must stop and post nothing.
 * @throws RunnerError `ledger_unavailable`
 */
export interface Ledger {
  open(run: NewRun): Promise<void>;
  /** Moves `leased` to `running` for exactly one invocation of the leg; `undefined` for every other. Safe to repeat by the same one. */
  begin(fence: Fence, atMs: number): Promise<Run | undefined>;
  beat(fence: Fence, beat: { readonly atMs: number; readonly leaseExpiresAtMs: number }): Promise<boolean>;
  noteRound(
    fence: Fence,
    round: { readonly number: number; readonly responseId: string; readonly usage: Usage },
  ): Promise<boolean>;
  /** Safe to repeat by the same invocation with the same state. */
  close(fence: Fence, ending: Ending): Promise<boolean>;
  /** Closes a run whose leg never began. */
  closeUnbegun(leg: LegRef, ending: Ending): Promise<boolean>;
  read(pool: string, runId: string): Promise<Run | undefined>;
  /** Open runs whose lease is live at `atMs`. Eventually consistent. */
  inFlight(pool: string, atMs: number): Promise<readonly Run[]>;
}

export function createLedger(table: Table): Ledger {
  return {
    open: (run) => open(table, run),
    begin: (fence, atMs) => begin(table, fence, atMs),

    beat: (fence, { atMs, leaseExpiresAtMs }) =>
      updateOwned(table, fence, { beatAtMs: atMs, leaseExpiresAtMs }),

    noteRound: (fence, { number, responseId, usage }) =>
      updateOwned(table, fence, { rounds: number, lastResponseId: responseId, usage }),

    close: (fence, ending) =>
      close(table, keyOf(fence), {
        ...ending,
        condition: {
          text: "#leg = :leg AND #invocationId = :invocationId AND #state IN (:running, :end)",
          values: { ...ownedValues(fence), end: ending.state },
        },
      }),

    closeUnbegun: (leg, ending) =>
      close(table, keyOf(leg), {
        ...ending,
        condition: { text: "#leg = :leg AND #state = :leased", values: { leg: leg.leg, leased: "leased" } },
      }),

    read: async (pool, runId) => {
      const item = await table.get({ pool, id: runItemId(runId) });
      return item && parseRun(item);
    },

    inFlight: async (pool, atMs) => {
      const where = { text: "#openIn = :pool AND #leaseExpiresAtMs > :now", values: { pool, now: atMs } };
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
    openIn: run.pool,
    ...ttl(run.leasedAtMs),
  };
  // Repeating the write is harmless until the leg has begun, which is never before this returns.
  const unclaimed = { text: "attribute_not_exists(#id) OR #state = :leased", values: { leased: "leased" } };
  if (!(await table.put(item, unclaimed)))
    throw new RunnerError("internal", `run ${run.runId} was opened twice`);
}

async function begin(table: Table, fence: Fence, atMs: number): Promise<Run | undefined> {
  const item = await table.update(keyOf(fence), {
    set: { state: "running", invocationId: fence.invocationId, beganAtMs: atMs },
    condition: {
      text: `#leg = :leg AND (#state = :leased OR (${owned}))`,
      values: { leased: "leased", ...ownedValues(fence) },
    },
  });
  return item && parseRun(item);
}

const owned = "#state = :running AND #invocationId = :invocationId";

function ownedValues(fence: Fence): Item {
  return { leg: fence.leg, running: "running", invocationId: fence.invocationId };
}

function keyOf(leg: LegRef): ItemKey {
  return { pool: leg.pool, id: runItemId(leg.runId) };
}

async function updateOwned(table: Table, fence: Fence, set: Item): Promise<boolean> {
  const condition = { text: `#leg = :leg AND ${owned}`, values: ownedValues(fence) };
  return (await table.update(keyOf(fence), { set, condition })) !== undefined;
}

async function close(
  table: Table,
  key: ItemKey,
  ending: Ending & { readonly condition: Expression },
): Promise<boolean> {
  const { state, reason, explanation, atMs, condition } = ending;
  const set = { state, reason, explanation, endedAtMs: atMs, ...ttl(atMs) };
  return (await table.update(key, { set, remove: ["openIn"], condition })) !== undefined;
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
