import * as z from "zod";
import type { Expression, Table } from "../adapters/dynamodb.ts";

const lastCycleSchema = z.object({
  /** A `CycleReason`. */
  reason: z.string(),
  /** When it ended. */
  atMs: z.number(),
  polls: z.number(),
  leased: z.number(),
  inFlight: z.number(),
});

/** The dispatcher reads this too: an unreadable record of an earlier cycle must not stop the pool. */
const lockSchema = z.object({
  /** Absent while no cycle runs. */
  owner: z.string().optional(),
  lockedUntilMs: z.number().optional(),
  /** The newest cycle that ended normally; shown by `status`. */
  lastCycle: lastCycleSchema.optional().catch(undefined),
  /** When Studio last answered, or was not asked for a good reason (paused, at capacity, daily cap). */
  goodPollAtMs: z.number().optional().catch(undefined),
});

export type LastCycle = Readonly<z.output<typeof lastCycleSchema>>;
export type LockState = Readonly<z.output<typeof lockSchema>>;

export interface EndedCycle {
  readonly lastCycle: LastCycle;
  /** Absent if no poll succeeded: the earlier time stays. */
  readonly goodPollAtMs?: number | undefined;
}

export interface LockOwner {
  readonly pool: string;
  readonly owner: string;
}

/** Prevents overlapping dispatch cycles of one pool. Expires by itself if its holder dies. */
export interface DispatchLock {
  /** The state with the new owner; `undefined` while another owner holds the lock. */
  acquire(lock: {
    readonly pool: string;
    readonly owner: string;
    readonly nowMs: number;
    readonly untilMs: number;
  }): Promise<LockState | undefined>;
  /** Records a good poll of a cycle that goes on. Does nothing if another owner holds the lock by then. */
  recordGoodPoll(lock: LockOwner, atMs: number): Promise<void>;
  /** Releases the lock and records the cycle's result. Does nothing if another owner holds the lock by then. */
  release(lock: LockOwner, ended: EndedCycle): Promise<void>;
  read(pool: string): Promise<LockState>;
}

const id = "lock";
const heldBy = (owner: string): Expression => ({ text: "#owner = :owner", values: { owner } });

export function createDispatchLock(table: Table): DispatchLock {
  return {
    acquire: async ({ pool, owner, nowMs, untilMs }) => {
      const condition = {
        text: "attribute_not_exists(#owner) OR #lockedUntilMs < :now OR #owner = :owner",
        values: { now: nowMs, owner },
      };
      const locked = await table.update({ pool, id }, { set: { owner, lockedUntilMs: untilMs }, condition });
      return locked && lockSchema.parse(locked);
    },
    recordGoodPoll: async ({ pool, owner }, atMs) => {
      await table.update({ pool, id }, { set: { goodPollAtMs: atMs }, condition: heldBy(owner) });
    },
    release: async ({ pool, owner }, ended) => {
      await table.update(
        { pool, id },
        {
          set: { ...ended },
          remove: ["owner", "lockedUntilMs"],
          condition: heldBy(owner),
        },
      );
    },
    read: async (pool) => lockSchema.parse((await table.get({ pool, id })) ?? {}),
  };
}
