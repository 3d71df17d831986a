import * as z from "zod";
import type { ItemKey, Table } from "../adapters/dynamodb.ts";

/** Totals of the runs that ended on one day (UTC). */
const spendSchema = z.object({
  /** Estimated; runs of models with unknown prices add nothing. */
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
  /** Atomic. If an answer is lost, the retry may add twice: the cap is then reached early, never late. */
  add(pool: string, day: string, amounts: Partial<Spend>): Promise<void>;
  /** All zero if no run ended on that day. */
  read(pool: string, day: string): Promise<Spend>;
}

/** Kept for a year, so that years can be compared; runs are kept for a month (run-store.ts). */
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
