import * as z from "zod";
import type { Table } from "../dynamodb.ts";

const controlSchema = z.object({
  paused: z.boolean().default(false),
  /** Who paused or resumed, and why: kept for `status`. */
  by: z.string().optional(),
  why: z.string().optional(),
  atMs: z.number().optional(),
});

/** What an operator set for a pool without a deploy. No row means: not paused. */
export type Control = Readonly<z.output<typeof controlSchema>>;

export interface ControlRow {
  read(pool: string): Promise<Control>;
  write(pool: string, control: Control): Promise<void>;
}

const id = "control";

export function createControlRow(table: Table): ControlRow {
  return {
    read: async (pool) => controlSchema.parse((await table.get({ pool, id })) ?? {}),
    write: async (pool, control) => {
      await table.put({ pool, id, ...control }, undefined);
    },
  };
}
