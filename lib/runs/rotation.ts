import * as z from "zod";
import type { Table } from "../adapters/dynamodb.ts";
import { RunnerError } from "../core/errors.ts";

const knownInstanceSchema = z.object({
  instanceId: z.string(),
  credentialId: z.string(),
  createdAtMs: z.number(),
  /** Since when nothing uses its key, as far as we saw; absent while something does. */
  unusedSinceMs: z.number().optional(),
  /** It is revoked now, or was about to be: its key is not stored any more. */
  isRevoking: z.boolean().optional(),
  /** Kept for as long as the secret still names it, so that it is not revoked again and again. */
  revokedAtMs: z.number().optional(),
});

const rowSchema = z.object({
  /** Counts the changes, so that no hand overwrites what another one noted. */
  revision: z.number().default(0),
  instances: z.array(knownInstanceSchema).default([]),
});

/** An instance at Studio that this pool's keys came from. Times are epoch ms by our clock. */
export type KnownInstance = Readonly<z.output<typeof knownInstanceSchema>>;
export type KnownInstances = readonly KnownInstance[];

/**
 * What a pool knows of its runner instances, so that none is forgotten before it is revoked: also not one that was minted
 * just before a crash. @throws RunnerError `run_store_unavailable`
 */
export interface RotationRow {
  read(pool: string): Promise<KnownInstances>;
  /** Puts `change` of what is there in its place; done anew where another hand was faster. Gives what is there then. */
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
