import * as z from "zod";
import type { Table } from "../adapters/dynamodb.ts";
import { RunnerError } from "../core/errors.ts";

const knownInstanceSchema = z.object({
  instanceId: z.string(),
  credentialId: z.string(),
  createdAtMs: z.number(),
  /** Since when nothing has used its key, as far as we saw; absent while it is in use. */
  unusedSinceMs: z.number().optional(),
  /** It is revoked or about to be: its key is no longer stored. */
  isRevoking: z.boolean().optional(),
  /** Kept while the secret still names it, so that it is not revoked repeatedly. */
  revokedAtMs: z.number().optional(),
});

const rowSchema = z.object({
  /** Counts the changes, so that concurrent writers do not overwrite each other. */
  revision: z.number().default(0),
  instances: z.array(knownInstanceSchema).default([]),
});

/** An instance at Studio that this pool's keys came from. Times are epoch ms by our clock. */
export type KnownInstance = Readonly<z.output<typeof knownInstanceSchema>>;
export type KnownInstances = readonly KnownInstance[];

/**
 * The pool's runner instances, recorded so that each is revoked in the end, even one that was created
 * just before a crash. @throws RunnerError `run_store_unavailable`
 */
export interface RotationRow {
  read(pool: string): Promise<KnownInstances>;
  /** Replaces the value with `change(value)`; retries if another writer was faster. Returns the new value. */
  change(pool: string, change: (known: KnownInstances) => KnownInstances): Promise<KnownInstances>;
}

const id = "rotation";
const maxTries = 5;

export function createRotationRow(table: Table): RotationRow {
  const read = async (pool: string) => rowSchema.parse((await table.get({ pool, id })) ?? {});
  return {
    read: async (pool) => (await read(pool)).instances,
    change: async (pool, change) => {
      for (let tried = 0; tried < maxTries; tried++) {
        const { revision, instances } = await read(pool);
        const changed = change(instances);
        const condition = {
          text: "attribute_not_exists(#revision) OR #revision = :seen",
          values: { seen: revision },
        };
        const set = { revision: revision + 1, instances: z.array(knownInstanceSchema).parse(changed) };
        if (await table.update({ pool, id }, { set, condition })) return changed;
      }
      throw new RunnerError("run_store_unavailable", "the rotation row is changed all the time; try again", {
        retryable: true,
      });
    },
  };
}
