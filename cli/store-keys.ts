import { createRotationRow } from "../lib/runs/rotation.ts";
import type { RunnerSecret } from "../lib/keys/runner-secret.ts";
import { setKeys } from "../lib/rotation/stages.ts";
import type { Context } from "./context.ts";

export interface Stored {
  readonly secretId: string;
  readonly versionId: string;
}

/** Stores a value as the secret's current version. Returns the new version's id. */
export async function storeText(context: Context, secretId: string, text: string): Promise<Stored> {
  const store = await context.secrets();
  await store.put(secretId, text);
  const { AWSCURRENT = "" } = await store.stages(secretId);
  return { secretId, versionId: AWSCURRENT };
}

interface NewRunnerKeys {
  readonly pool: string;
  readonly secretId: string;
  readonly secret: RunnerSecret;
}

/** The same for runner keys. The keys of running jobs stay in the secret, however often it is set. */
export async function storeRunnerKeys(
  context: Context,
  { pool, secretId, secret: { keys, instances } }: NewRunnerKeys,
): Promise<Stored> {
  const { clock, newId } = context;
  const [store, { runs: runStore, table }] = await Promise.all([context.secrets(), context.runStore()]);
  const ports = { store, runStore, rotation: createRotationRow(table), clock, newId };
  return { secretId, versionId: await setKeys(ports, { pool, secretId, keys, instances }) };
}
