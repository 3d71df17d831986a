import { RunnerError } from "../../../lib/core/errors.ts";
import type { KnownInstances, RotationRow } from "../../../lib/runs/rotation.ts";
import type { Run } from "../../../lib/runs/run.ts";
import type { RotatorDeps, RotatorSettings } from "../../../lib/rotation/steps.ts";
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

export interface World {
  readonly deps: RotatorDeps & { readonly newId: () => string };
  readonly clock: FakeClock;
  readonly log: RecordedLog;
  /** The value of the version with a stage, as JSON. */
  value(stage: "AWSCURRENT" | "AWSPENDING" | "AWSPREVIOUS"): { keys: string[]; retired: string[] };
  put(text: string): void;
  /** Runner instances at Studio that are alive, by credential id. */
  alive(): readonly string[];
  readonly minted: readonly string[];
  readonly signedIn: { times: number };
  /** Key ids of the open runs. */
  open: string[];
  /** Key ids that Studio refuses. */
  readonly refused: Set<string>;
  known(): KnownInstances;
  /** Breaks off at the end of the n-th call from now on that changes something. */
  crashAfter(calls: number): void;
}

export class Crash extends Error {}

export function createWorld(text = "old.secret"): World {
  const clock = createFakeClock(startMs);
  const log = recordingLog();
  const resource = { logicalId: "Keys", name: "keys", arn: secretId, initialValue: text };
  const stored = createSecretStore([resource], clock);
  const state = {
    left: Number.POSITIVE_INFINITY,
    versions: 100,
    open: [] as string[],
    known: [] as KnownInstances,
  };
  const instances = new Map<string, { id: string; alive: boolean }>();
  const refused = new Set<string>();
  const signedIn = { times: 0 };
  const after = <T>(result: T): T => {
    if (--state.left === 0) throw new Crash();
    return result;
  };

  const rotation: RotationRow = {
    read: async () => state.known,
    change: async (_pool, change) => {
      state.known = change(state.known);
      return after(state.known);
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
      return after({ instanceId: `instance-of-${id}`, key: keyOf(id), kind, name });
    },
    revokeRunnerInstance: async (_call: unknown, instanceId: string) => {
      const instance = instances.get(instanceId);
      if (!instance?.alive) throw new RunnerError("studio_rejected", "no such instance", { status: 404 });
      instance.alive = false;
      after(undefined);
    },
  } as unknown as RotatorDeps["studio"];
  return {
    deps: {
      clock,
      random: () => 0,
      newId: () => version(++state.versions),
      log,
      store: storeOver(stored, after),
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
    known: () => state.known,
    crashAfter: (calls) => {
      state.left = calls;
    },
  };
}

/** The local cloud's versions and stages behind the port. */
function storeOver(
  stored: ReturnType<typeof createSecretStore>,
  after: <T>(result: T) => T,
): SecretStore & { read(id: string): Promise<string> } {
  const valueOf = (which: { readonly versionId?: string; readonly stage?: string }): string | undefined => {
    try {
      return stored.get(secretId, which).version.value;
    } catch {
      return undefined;
    }
  };
  return {
    read: async () => valueOf({}) ?? "",
    readStage: async (_id, stage) => valueOf({ stage }),
    readVersion: async (_id, versionId) => valueOf({ versionId }),
    stages: async () => {
      const { versions } = stored.find(secretId);
      return Object.fromEntries(
        [...versions].flatMap(([id, { stages }]) => [...stages].map((one) => [one, id])),
      );
    },
    putStaged: async (_id, { versionId, text, stage }) => {
      const present = valueOf({ versionId });
      if (present !== undefined && present !== text) return "taken";
      stored.put(secretId, { value: text, versionId, stages: [stage] });
      return after("stored");
    },
    put: async (_id, text) => {
      stored.put(secretId, { value: text });
      after(undefined);
    },
    moveStage: async (_id, { stage, to, from }) => {
      try {
        stored.moveStage(secretId, { stage, toVersion: to, fromVersion: from });
      } catch (cause) {
        throw new RunnerError("secrets_unavailable", "the move was refused", { cause });
      }
      after(undefined);
    },
  };
}
