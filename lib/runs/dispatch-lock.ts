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
  /** Absent while no cycle runs. */
  owner: z.string().optional(),
  lockedUntilMs: z.number().optional(),
  /** The newest cycle that ended normally; shown by `status`. */
  lastCycle: lastCycleSchema.optional(),
  /** When Studio last answered, or was not asked for a good reason (paused, at capacity, daily cap). */
  goodPollAtMs: z.number().optional(),
});

export type LastCycle = Readonly<z.output<typeof lastCycleSchema>>;
export type LockState = Readonly<z.output<typeof lockSchema>>;

export interface EndedCycle {
  readonly lastCycle: LastCycle;
  /** Absent if no poll succeeded: the earlier time stays. */
  readonly goodPollAtMs?: number | undefined;
}

/** Prevents overlapping dispatch cycles of one pool. Expires by itself if its holder dies. */
export interface DispatchLock {
  /** `false` while another owner holds it. */
  acquire(lock: {
    readonly pool: string;
    readonly owner: string;
    readonly nowMs: number;
    readonly untilMs: number;
  }): Promise<boolean>;
  /** Releases the lock and records the cycle's result. Does nothing if another owner holds the lock by then. */
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
