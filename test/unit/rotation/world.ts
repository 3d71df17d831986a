import { RunnerError } from "../../../lib/core/errors.ts";
import type { KnownInstances, RotationRow } from "../../../lib/runs/rotation.ts";
import type { Run } from "../../../lib/runs/run.ts";
import type { RotatorSettings, handleRotationEvent } from "../../../lib/rotation/scheduled-rotation.ts";
import { Secret, type RunnerKey } from "../../../lib/core/secret.ts";
import type { SecretStore } from "../../../lib/adapters/secrets-manager.ts";
import { createSecretStore } from "../../../local/cloud/secrets.ts";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.ts";
import { recordingLog, type RecordedLog } from "../../support/silent.ts";

export const secretId = "arn:keys";
export const settings: RotatorSettings = { pool: "mine", kind: "user", secretId, revokeAfterMs: 900_000 };
export const version = (number: number): string => `version-${String(number).padStart(32, "0")}`;
export const keyOf = (id: string): RunnerKey => ({ id, value: new Secret(`${id}.secret`) });
/** 2026-11-20T12:00:00Z */
const startMs = 1_795_176_000_000;

export type RotatorPorts = Parameters<typeof handleRotationEvent>[0];
type Stage = "AWSCURRENT" | "AWSPENDING" | "AWSPREVIOUS";

export interface World {
  readonly ports: RotatorPorts & { readonly newId: () => string };
  readonly clock: FakeClock;
  readonly log: RecordedLog;
  /** The value of the version with a stage. */
  text(stage: Stage): string | undefined;
  /** The same value, parsed as JSON. */
  value(stage: Stage): { keys: string[]; retired: string[] };
  put(text: string): void;
  /** Runner instances at Studio that are alive, by credential id. */
  alive(): readonly string[];
  readonly minted: readonly string[];
  readonly signedIn: { times: number };
  /** Key ids of the open runs. */
  open: string[];
  /** Key ids that Studio refuses. */
  readonly refused: Set<string>;
}

export function createWorld(text = "old.secret"): World {
  const clock = createFakeClock(startMs);
  const log = recordingLog();
  const resource = { logicalId: "Keys", name: "keys", arn: secretId, initialValue: text };
  const stored = createSecretStore([resource], clock);
  const state = {
    versions: 100,
    open: [] as string[],
    known: [] as KnownInstances,
  };
  const instances = new Map<string, { id: string; alive: boolean }>();
  const refused = new Set<string>();
  const signedIn = { times: 0 };

  const rotation: RotationRow = {
    read: async () => state.known,
    change: async (_pool, change) => {
      state.known = change(state.known);
      return state.known;
    },
  };
  const answer = (id: string): void => {
    if (refused.has(id)) throw new RunnerError("key_refused", "401", { status: 401 });
    throw new RunnerError("lease_lost", "there is no such job", { status: 404 });
  };
  const studio = {
    heartbeat: async ({ key }: { readonly key: RunnerKey }) => answer(key.id),
    createRunnerInstance: async (_call: unknown, { kind, name }: { kind: string; name?: string }) => {
      const id = `new${instances.size + 1}`;
      instances.set(`instance-of-${id}`, { id, alive: true });
      return { instanceId: `instance-of-${id}`, key: keyOf(id), kind, name };
    },
    revokeRunnerInstance: async (_call: unknown, instanceId: string) => {
      const instance = instances.get(instanceId);
      if (!instance?.alive) throw new RunnerError("studio_rejected", "no such instance", { status: 404 });
      instance.alive = false;
    },
  } as unknown as RotatorPorts["studio"];
  return {
    ports: {
      clock,
      random: () => 0,
      newId: () => version(++state.versions),
      log,
      store: storeOver(stored),
      runStore: { openRuns: async () => state.open.map((keyId) => ({ keyId }) as Run) },
      rotation,
      studio,
      signIn: async () => {
        signedIn.times++;
        return new Secret("id-token");
      },
    },
    clock,
    log,
    text: (stage) => textOf(stored, { stage }),
    value: (stage) => JSON.parse(stored.get(secretId, { stage }).version.value),
    put: (value) => void stored.put(secretId, { value }),
    alive: () => [...instances.values()].flatMap(({ id, alive }) => (alive ? [id] : [])),
    get minted() {
      return [...instances.values()].map(({ id }) => id);
    },
    signedIn,
    get open() {
      return state.open;
    },
    set open(keyIds) {
      state.open = keyIds;
    },
    refused,
  };
}

type Stored = ReturnType<typeof createSecretStore>;

function textOf(stored: Stored, which: { readonly versionId?: string; readonly stage?: string }) {
  try {
    return stored.get(secretId, which).version.value;
  } catch {
    return undefined;
  }
}

/** The port over the versions and stages of the local cloud. */
function storeOver(stored: Stored): SecretStore & { read(id: string): Promise<string> } {
  return {
    read: async () => textOf(stored, {}) ?? "",
    readStage: async (_id, stage) => textOf(stored, { stage }),
    readVersion: async (_id, versionId) => textOf(stored, { versionId }),
    stages: async () => {
      const { versions } = stored.find(secretId);
      return Object.fromEntries(
        [...versions].flatMap(([id, { stages }]) => [...stages].map((one) => [one, id])),
      );
    },
    putStaged: async (_id, { versionId, text, stage }) => {
      const present = textOf(stored, { versionId });
      if (present !== undefined && present !== text) return "taken";
      stored.put(secretId, { value: text, versionId, stages: [stage] });
      return "stored";
    },
    put: async (_id, text) => void stored.put(secretId, { value: text }),
    moveStage: async (_id, { stage, to, from }) => {
      try {
        stored.moveStage(secretId, { stage, toVersion: to, fromVersion: from });
      } catch (cause) {
        throw new RunnerError("secrets_unavailable", "the move was refused", { cause });
      }
    },
  };
}
