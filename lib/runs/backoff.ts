import * as z from "zod";
import type { Clock } from "../core/clock.ts";
import type { Table } from "../adapters/dynamodb.ts";
import { timing } from "../core/timing.ts";

/** A value that is not a number counts as absent. */
const epochMs = z.number().default(0).catch(0);

const backoffSchema = z.object({
  /** No run of the pool starts a round before this (epoch ms). */
  modelUntilMs: epochMs,
  /** The pool sends no lease call before this (epoch ms). */
  studioUntilMs: epochMs,
});

export type Backoff = Readonly<z.output<typeof backoffSchema>>;
export type Throttler = "model" | "studio";

/**
 * How long the whole pool waits because Studio or the model asked one of its processes to: at most `timing.maxRetryWaitMs` from now.
 * The wait can only be extended until it is over or cleared.
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
      // A later time was written by an older version or by hand. Limiting it to the maximum would move it along with
      // the clock, and it would never end.
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
