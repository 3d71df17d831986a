import { createRotationRow } from "../lib/ledger/rotation.ts";
import type { RunnerSecret } from "../lib/runner-secret.ts";
import { dropPending, promote, stageKey } from "../lib/rotation/stages.ts";
import type { Context } from "./context.ts";

export interface Stored {
  readonly secretId: string;
  readonly versionId: string;
}

/** Stores a value as the secret's present one. Gives the new version. */
export async function storeText(context: Context, secretId: string, text: string): Promise<Stored> {
  const store = await context.secrets();
  await store.put(secretId, text);
  const { AWSCURRENT = "" } = await store.stages(secretId);
  return { secretId, versionId: AWSCURRENT };
}

interface NewRunnerKeys {
  readonly pool: string;
  readonly secretId: string;
  readonly text: string;
  readonly secret: RunnerSecret;
}

/** The same for runner keys: those that running jobs were leased with stay at hand in the new version, however often it is set. */
export async function storeRunnerKeys(
  context: Context,
  { pool, secretId, text, secret }: NewRunnerKeys,
): Promise<Stored> {
  const store = await context.secrets();
  const { AWSCURRENT } = await store.stages(secretId);
  if (AWSCURRENT === undefined) return storeText(context, secretId, text);
  const { runs: ledger, table } = await context.ledger();
  const version = { secretId, versionId: context.newId() };
  const { keys, instances } = secret;
  await stageKey(
    { store, ledger, rotation: createRotationRow(table) },
    { ...version, pool, keys, instances },
  );
  await promote(store, version);
  await dropPending(store, version);
  return version;
}
