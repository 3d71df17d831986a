import type { RunnerInstance } from "../keys/runner-secret.ts";
import type { RunnerKey } from "../core/secret.ts";
import type { RunnerKind } from "../studio/studio.ts";
import type { RotationPorts } from "./ports.ts";

export type MintPorts = Pick<RotationPorts, "studio" | "signIn" | "rotation" | "clock" | "log">;

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
export async function mintKeys(ports: MintPorts, { pool, kind, count }: Minting): Promise<Minted> {
  const accountToken = await ports.signIn();
  const day = new Date(ports.clock.now()).toISOString().slice(0, 10);
  const keys: RunnerKey[] = [];
  const instances: RunnerInstance[] = [];
  for (let number = 1; number <= count; number++) {
    const name = `studio-runner ${pool} ${day}${count === 1 ? "" : ` (${number} of ${count})`}`;
    const call = { accountToken, signal: new AbortController().signal };
    const { instanceId, key } = await ports.studio.createRunnerInstance(call, { kind, name });
    const instance = { instanceId, credentialId: key.id, createdAtMs: ports.clock.now() };
    await ports.rotation.change(pool, (known) => [...known, instance]);
    ports.log.info("key_minted", { pool, keyId: key.id });
    keys.push(key);
    instances.push(instance);
  }
  return { keys, instances };
}
