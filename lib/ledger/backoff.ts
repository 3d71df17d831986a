import * as z from "zod";
import type { Table } from "../dynamodb.ts";

const backoffSchema = z.object({
  /** No round is asked of the model before this (epoch ms), by any run of the pool. */
  modelUntilMs: z.number().default(0),
  /** No lease is asked of Studio before this. */
  studioUntilMs: z.number().default(0),
});

export type Backoff = Readonly<z.output<typeof backoffSchema>>;
export type Throttler = "model" | "studio";

/** How long the whole pool holds back, as the other side asked one of us. It only ever grows. */
export interface BackoffRow {
  read(pool: string): Promise<Backoff>;
  extend(pool: string, throttler: Throttler, untilMs: number): Promise<void>;
}

const id = "backoff";
const attributes = { model: "modelUntilMs", studio: "studioUntilMs" } as const;

export function createBackoffRow(table: Table): BackoffRow {
  return {
    read: async (pool) => backoffSchema.parse((await table.get({ pool, id })) ?? {}),
    extend: async (pool, throttler, untilMs) => {
      const name = attributes[throttler];
      await table.update(
        { pool, id },
        {
          set: { [name]: untilMs },
          condition: {
            text: `attribute_not_exists(#${name}) OR #${name} < :until`,
            values: { until: untilMs },
          },
        },
      );
    },
  };
}
