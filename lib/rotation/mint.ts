import type { Clock } from "../core/clock.ts";
import type { RotationRow } from "../runs/rotation.ts";
import type { Log } from "../core/log.ts";
import type { RunnerInstance } from "../keys/runner-secret.ts";
import type { RunnerKey, Secret } from "../core/secret.ts";
import type { RunnerKind, StudioAdmin } from "../studio/studio.ts";

export interface MintDeps {
  readonly studio: StudioAdmin;
  /** Returns a fresh account token (sign-in.ts). */
  readonly signIn: () => Promise<Secret>;
  readonly rotation: RotationRow;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Minting {
  readonly pool: string;
  readonly kind: RunnerKind;
  /** The number of keys to create. */
  readonly count: number;
}

export interface Minted {
  readonly keys: readonly RunnerKey[];
  readonly instances: readonly RunnerInstance[];
}

/**
 * Creates new runner instances at Studio. Records each one at once, so that revoke.ts can revoke it later if
 * its key is never used. Only a crash between Studio's answer and the record leaves an unknown instance, and
 * nobody has its key.
 * @throws RunnerError as `StudioAdmin` and `signIn` do; `run_store_unavailable`
 */
export async function mintKeys(deps: MintDeps, { pool, kind, count }: Minting): Promise<Minted> {
  const accountToken = await deps.signIn();
  const day = new Date(deps.clock.now()).toISOString().slice(0, 10);
  const keys: RunnerKey[] = [];
  const instances: RunnerInstance[] = [];
  for (let number = 1; number <= count; number++) {
    const name = `studio-runner ${pool} ${day}${count === 1 ? "" : ` (${number} of ${count})`}`;
    const call = { accountToken, signal: new AbortController().signal };
    const { instanceId, key } = await deps.studio.createRunnerInstance(call, { kind, name });
    const instance = { instanceId, credentialId: key.id, createdAtMs: deps.clock.now() };
    await deps.rotation.change(pool, (known) => [...known, instance]);
    deps.log.info("key_minted", { pool, keyId: key.id });
    keys.push(key);
    instances.push(instance);
  }
  return { keys, instances };
}
