import * as z from "zod";
import type { ItemKey, Table } from "../adapters/dynamodb.ts";

/** What a day's ended runs come to. The day is that of a run's end, in UTC. */
const spendSchema = z.object({
  /** Estimated; runs of models without a known price add nothing. */
  costUsd: z.number().default(0),
  runs: z.number().default(0),
  completed: z.number().default(0),
  failed: z.number().default(0),
  lost: z.number().default(0),
  inputTokens: z.number().default(0),
  outputTokens: z.number().default(0),
});

export type Spend = Readonly<z.output<typeof spendSchema>>;

export interface SpendRow {
  /** Atomic. An answer that is lost may make a repetition add twice: the cap then holds back early, never late. */
  add(pool: string, day: string, amounts: Partial<Spend>): Promise<void>;
  /** All zero where nothing has ended on that day. */
  read(pool: string, day: string): Promise<Spend>;
}

/** For a year's comparison; runs are kept for a month (run-store.ts). */
const keptForSeconds = 400 * 24 * 3600;

export const utcDay = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10);

export function createSpendRow(table: Table): SpendRow {
  return {
    add: async (pool, day, amounts) => {
      const expiresAtSeconds = Date.parse(day) / 1000 + keptForSeconds;
      await table.update(keyOf(pool, day), { add: definedOf(amounts), set: { expiresAtSeconds } });
    },
    read: async (pool, day) => spendSchema.parse((await table.get(keyOf(pool, day))) ?? {}),
  };
}

const keyOf = (pool: string, day: string): ItemKey => ({ pool, id: `spend#${day}` });

function definedOf(amounts: Partial<Spend>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(amounts).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
