import * as z from "zod";
import type { Table } from "../adapters/dynamodb.ts";

const lastCycleSchema = z.object({
  /** A `CycleReason`. */
  reason: z.string(),
  /** When it ended. */
  atMs: z.number(),
  polls: z.number(),
  leased: z.number(),
  inFlight: z.number(),
});

const lockSchema = z.object({
  /** Absent while no cycle is open. */
  owner: z.string().optional(),
  lockedUntilMs: z.number().optional(),
  /** The newest cycle that ended by itself, for `status`. */
  lastCycle: lastCycleSchema.optional(),
  /** When Studio last answered, or was not asked on purpose. */
  goodPollAtMs: z.number().optional(),
});

export type LastCycle = Readonly<z.output<typeof lastCycleSchema>>;
export type LockState = Readonly<z.output<typeof lockSchema>>;

export interface EndedCycle {
  readonly lastCycle: LastCycle;
  /** Absent where no poll was a good one: the earlier time stands. */
  readonly goodPollAtMs?: number | undefined;
}

/** Keeps two dispatch cycles of one pool from overlapping. It dies by itself when its holder does. */
export interface DispatchLock {
  /** `false` while another owner holds it. */
  acquire(lock: {
    readonly pool: string;
    readonly owner: string;
    readonly nowMs: number;
    readonly untilMs: number;
  }): Promise<boolean>;
  /** Leaves behind what came of the cycle. Nothing happens where another owner holds the lock by now. */
  release(lock: { readonly pool: string; readonly owner: string }, ended: EndedCycle): Promise<void>;
  read(pool: string): Promise<LockState>;
}

const id = "lock";

export function createDispatchLock(table: Table): DispatchLock {
  return {
    acquire: async ({ pool, owner, nowMs, untilMs }) => {
      const condition = {
        text: "attribute_not_exists(#owner) OR #lockedUntilMs < :now OR #owner = :owner",
        values: { now: nowMs, owner },
      };
      return (
        (await table.update({ pool, id }, { set: { owner, lockedUntilMs: untilMs }, condition })) !==
        undefined
      );
    },
    release: async ({ pool, owner }, ended) => {
      await table.update(
        { pool, id },
        {
          set: { ...ended },
          remove: ["owner", "lockedUntilMs"],
          condition: { text: "#owner = :owner", values: { owner } },
        },
      );
    },
    read: async (pool) => lockSchema.parse((await table.get({ pool, id })) ?? {}),
  };
}
