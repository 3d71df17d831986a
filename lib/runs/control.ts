import * as z from "zod";
import type { Table } from "../adapters/dynamodb.ts";

const controlSchema = z.object({
  paused: z.boolean().default(false),
  /** Who paused or resumed, and why; shown by `status`. */
  by: z.string().optional(),
  why: z.string().optional(),
  atMs: z.number().optional(),
  /** Overrides the deployed concurrency. */
  concurrency: z.number().int().nonnegative().optional(),
  concurrencyBy: z.string().optional(),
  concurrencyAtMs: z.number().optional(),
  /** Overrides the deployed cap, so that it can be raised at once. */
  dailyCapUsd: z.number().nonnegative().optional(),
  dailyCapBy: z.string().optional(),
  dailyCapAtMs: z.number().optional(),
});

/** What an operator set for a pool without a deploy. No row: not paused, all settings as deployed. */
export type Control = Readonly<z.output<typeof controlSchema>>;

/** Changes only the given fields; null removes a field, so that the deployed value applies again. */
export type ControlChange = { readonly [K in keyof Control]?: Control[K] | null };

export interface ControlRow {
  read(pool: string): Promise<Control>;
  write(pool: string, change: ControlChange): Promise<void>;
}

const id = "control";

export function createControlRow(table: Table): ControlRow {
  return {
    read: async (pool) => controlSchema.parse((await table.get({ pool, id })) ?? {}),
    write: async (pool, change) => {
      const given = Object.entries(change).filter(([, value]) => value !== undefined);
      await table.update(
        { pool, id },
        {
          set: Object.fromEntries(given.filter(([, value]) => value !== null)),
          remove: given.flatMap(([name, value]) => (value === null ? [name] : [])),
        },
      );
    },
  };
}
