/**
 * Scheduled rotation: Secrets Manager invokes the rotator function once per step; it creates the new keys at Studio and at the
 * end revokes old ones. The `rotate` command does not use this file: see on-demand-rotation.ts.
 */

import { RunnerError } from "../core/errors.ts";
import { parseRunnerSecret, splitByKind, type RunnerSecret } from "../keys/runner-secret.ts";
import type { RunnerKind } from "../studio/studio.ts";
import { mintKeys } from "./mint.ts";
import { revokeUnused, type RevokeSettings, type RevokeSummary } from "./revoke.ts";
import type { RotationEvent, RotationStep } from "./rotation-event.ts";
import type { RotationPorts } from "./ports.ts";
import { dropPending, promote, readPresent, stageKey } from "./stages.ts";
import { nameRefused, refusedKeys } from "./try-key.ts";

export type RotatorPorts = Omit<RotationPorts, "newId">;

export interface RotatorSettings extends RevokeSettings {
  readonly kind: RunnerKind;
}

export type RotationResult = { readonly step: RotationEvent["step"] } & Partial<RevokeSummary>;

type Steps = Readonly<
  Record<
    RotationStep,
    (ports: RotatorPorts, settings: RotatorSettings, versionId: string) => Promise<Partial<RevokeSummary>>
  >
>;

/** Each step reads the present state first, so it can be repeated after a crash at any point. */
const steps: Steps = {
  createSecret: async (ports, settings, versionId) => {
    const { store } = ports;
    const { pool, kind, secretId } = settings;
    const present = await readPresent(store, secretId);
    if (present.versionId === versionId) return {};
    if ((await store.readVersion(secretId, versionId)) !== undefined) return {};
    const { replaced, kept } = splitByKind(present.current, kind);
    const minted = await mintKeys(ports, { pool, kind, count: Math.max(1, replaced.length) });
    const keys = [...minted.keys, ...kept.keys];
    const instances = [...minted.instances, ...kept.instances];
    // "taken" means that a concurrent invocation was faster. The keys minted here are never used and will be
    // revoked.
    await stageKey(ports, { pool, secretId, versionId, keys, instances, present }, "AWSPENDING");
    return {};
  },

  /** Studio needs no change: it has already accepted the keys that it created. */
  setSecret: async (ports, settings, versionId) => {
    await readPending(ports, settings, versionId);
    return {};
  },

  testSecret: async (ports, settings, versionId) => {
    const value = await readPending(ports, settings, versionId);
    const refused = await refusedKeys(ports, value.keys);
    if (refused.length === 0) return {};
    const old = splitByKind(value, settings.kind).kept.keys.map(({ id }) => id);
    const which = `${nameRefused(refused, old)} (secret "${settings.secretId}")`;
    throw new RunnerError("key_refused", `Studio refuses ${which}; the previous keys stay in use`);
  },

  finishSecret: async (ports, settings, versionId) => {
    const { store } = ports;
    const { secretId } = settings;
    const { replaces } = await readPending(ports, settings, versionId);
    const { AWSCURRENT } = await store.stages(secretId);
    if (AWSCURRENT !== versionId) {
      await warnOfOthers(ports, settings);
      if (!(await promote(store, { secretId, versionId, replaces })))
        return abandon(ports, settings, versionId);
    }
    return revokeUnused(ports, settings);
  },
};

/**
 * Runs the step that an event of Secrets Manager names, or the scheduled revocation.
 * @throws RunnerError from any part; Secrets Manager then retries the rotation with the same version
 */
export async function handleRotationEvent(
  ports: RotatorPorts,
  settings: RotatorSettings,
  event: RotationEvent,
): Promise<RotationResult> {
  const { step } = event;
  const summary =
    step === "revokeUnused"
      ? await revokeUnused(ports, settings)
      : await steps[step](ports, settings, event.versionId);
  ports.log.info("rotation_step", { pool: settings.pool, what: step });
  return { step, ...summary };
}

async function readPending(
  { store }: RotatorPorts,
  { secretId }: RotatorSettings,
  versionId: string,
): Promise<RunnerSecret> {
  const text = await store.readVersion(secretId, versionId);
  if (text !== undefined) return parseRunnerSecret(text, secretId);
  throw new RunnerError(
    "secret_missing",
    `the secret "${secretId}" has no version ${versionId} with a value`,
  );
}

/**
 * Gives up a version because another value has been stored since it was created; that value has keys that
 * this version lacks. Without the AWSPENDING label the next rotation starts from the beginning, and
 * revokeUnused revokes the minted keys.
 */
async function abandon(
  { store }: RotatorPorts,
  { secretId }: RotatorSettings,
  versionId: string,
): Promise<never> {
  await dropPending(store, { secretId, versionId });
  const sentence =
    `the secret "${secretId}" got another value during this rotation (version ${versionId}): that value stays, and ` +
    "the rotation is cancelled. Its new key will be revoked; the next rotation starts over";
  throw new RunnerError("rotation_superseded", sentence);
}

/** Warns of keys that were stored by hand without their instance, because the rotator cannot revoke them. */
async function warnOfOthers(ports: RotatorPorts, { pool, secretId }: RotatorSettings): Promise<void> {
  const [{ current }, known] = await Promise.all([
    readPresent(ports.store, secretId),
    ports.rotation.read(pool),
  ]);
  const { keys, instances } = current;
  const revocable = new Set([...instances, ...known].map(({ credentialId }) => credentialId));
  for (const { id } of keys) {
    if (revocable.has(id)) continue;
    const explanation = "its instance is not known: revoke it on Studio's page once no job uses it";
    ports.log.warn("key_not_revocable", { pool, keyId: id, explanation });
  }
}
