import type { Table } from "../dynamodb.ts";

/** Keeps two dispatch windows of one pool from overlapping. It dies by itself when its holder does. */
export interface DispatchLock {
  /** `false` while another owner holds it. */
  acquire(lock: {
    readonly pool: string;
    readonly owner: string;
    readonly nowMs: number;
    readonly untilMs: number;
  }): Promise<boolean>;
  release(pool: string, owner: string): Promise<void>;
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
    release: async (pool, owner) => {
      await table.remove({ pool, id }, { text: "#owner = :owner", values: { owner } });
    },
  };
}
