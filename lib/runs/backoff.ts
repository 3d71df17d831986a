import * as z from "zod";
import type { Clock } from "../core/clock.ts";
import type { Table } from "../adapters/dynamodb.ts";
import { timing } from "../core/timing.ts";

/** What is not a number was not written by us. */
const epochMs = z.number().default(0).catch(0);

const backoffSchema = z.object({
  /** No round is asked of the model before this (epoch ms), by any run of the pool. */
  modelUntilMs: epochMs,
  /** No lease is asked of Studio before this. */
  studioUntilMs: epochMs,
});

export type Backoff = Readonly<z.output<typeof backoffSchema>>;
export type Throttler = "model" | "studio";

/**
 * How long the whole pool holds back, as the other side asked one of us: `timing.maxRetryWaitMs` from now at most. Until
 * it is over or cleared, it only ever grows.
 */
export interface BackoffRow {
  read(pool: string): Promise<Backoff>;
  extend(pool: string, throttler: Throttler, untilMs: number): Promise<void>;
  clear(pool: string): Promise<void>;
}

const id = "backoff";
const attributes = { model: "modelUntilMs", studio: "studioUntilMs" } as const;

export function createBackoffRow(table: Table, clock: Clock): BackoffRow {
  const latestMs = (): number => clock.now() + timing.maxRetryWaitMs;
  return {
    read: async (pool) => {
      const { modelUntilMs, studioUntilMs } = backoffSchema.parse((await table.get({ pool, id })) ?? {});
      // A time that is later was written by an older version or by hand. To cut it to the latest would move it along with
      // the clock, and it would never be over.
      const latest = latestMs();
      const valid = (atMs: number): number => (atMs <= latest ? atMs : 0);
      return { modelUntilMs: valid(modelUntilMs), studioUntilMs: valid(studioUntilMs) };
    },
    extend: async (pool, throttler, untilMs) => {
      const name = attributes[throttler];
      const latest = latestMs();
      const until = Math.min(untilMs, latest);
      await table.update(
        { pool, id },
        {
          set: { [name]: until },
          condition: {
            text: `attribute_not_exists(#${name}) OR #${name} < :until OR #${name} > :latest`,
            values: { until, latest },
          },
        },
      );
    },
    clear: async (pool) => void (await table.update({ pool, id }, { remove: Object.values(attributes) })),
  };
}
