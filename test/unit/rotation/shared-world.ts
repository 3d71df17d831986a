import { SecretsManagerServiceException, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Clock } from "../../../lib/core/clock.ts";
import type { Table } from "../../../lib/adapters/dynamodb.ts";
import { RunnerError } from "../../../lib/core/errors.ts";
import { createRotationRow } from "../../../lib/runs/rotation.ts";
import type { Run } from "../../../lib/runs/run.ts";
import { createRunnerKeys, type RunnerKeys } from "../../../lib/keys/runner-keys.ts";
import { Secret, type RunnerKey } from "../../../lib/core/secret.ts";
import { createSecretStore as createStore } from "../../../lib/adapters/secrets-manager.ts";
import { ServiceError } from "../../../local/cloud/errors.ts";
import type { Rotations } from "../../../local/cloud/rotation.ts";
import { secretsActions } from "../../../local/cloud/secrets-api.ts";
import { createSecretStore, holderOf } from "../../../local/cloud/secrets.ts";
import { recordingLog } from "../../support/silent.ts";
import { keyOf, secretId, type RotatorPorts } from "./world.ts";

/** One call that an actor has made and that has not taken effect yet. */
interface Call {
  readonly take: (isAnswerLost: boolean) => Promise<void>;
}

export interface Actor {
  readonly name: string;
  readonly calls: Call[];
  state: "running" | "done" | "failed";
  /** The number, counted over all actors, of the last call with which this one read the current value. */
  lookedAt: number;
  error?: unknown;
}

/** A version of the secret as the checks see it, whatever the form of its value. */
interface Seen {
  /** When its author last read the secret before writing it. */
  readonly lookedAt: number;
  becameCurrentAt: number | undefined;
}

export interface Instance {
  readonly keyId: string;
  isAlive: boolean;
  /** Its key was given to a person, who may not have stored it. */
  readonly byHand: boolean;
}

const startMs = 1_795_176_000_000;
const oneCallMs = 100;

/**
 * Secrets Manager with the rules of its stages, Studio, the run store and several actors that use them at
 * once. Each actor stops before each of its calls; `take` lets one call take effect and the actor go on.
 */
export function createSharedWorld() {
  let nowMs = startMs;
  let calls = 0;
  const actors: Actor[] = [];
  const problems: string[] = [];
  const forever: Clock["sleep"] = () => new Promise<void>(() => undefined);
  const stoppedClock: Clock = { now: () => nowMs, sleep: forever };

  const resource = { logicalId: "Keys", name: "keys", arn: secretId, initialValue: "old.secret" };
  const stored = createSecretStore([resource], stoppedClock);
  const secret = stored.find(secretId);
  const present = (): string => holderOf(secret, "AWSCURRENT") ?? "";
  const seen = new Map<string, Seen>([[present(), { lookedAt: 0, becameCurrentAt: 0 }]]);
  const everPresent = new Set<string>(["old"]);
  const everStored: string[] = [];

  const instances = new Map<string, Instance>();
  const runs = new Map<string, string>();
  const rows = new Map<string, Record<string, unknown>>();
  const noted = new Set<string>();
  let counter = 0;

  /** Answers as Secrets Manager does, and records what the checks need. */
  function ask(actor: Actor | undefined, action: string, input: object): object {
    const at = ++calls;
    const before = present();
    const fields = { VersionStage: "", ClientRequestToken: "", SecretString: "", ...input };
    if (actor && (action === "DescribeSecret" || fields.VersionStage === "AWSCURRENT")) actor.lookedAt = at;
    const answer = answerOf(action, input);
    if (action === "PutSecretValue") {
      everStored.push(fields.SecretString);
      if (!seen.has(fields.ClientRequestToken))
        seen.set(fields.ClientRequestToken, { lookedAt: actor?.lookedAt ?? at, becameCurrentAt: undefined });
    }
    if (present() !== before) changed(before, at, actor);
    return answer;
  }

  function answerOf(action: string, input: object): object {
    const rotations = { describe: () => ({}) } as unknown as Rotations;
    try {
      return secretsActions[action]!(input, { secrets: stored, rotations });
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      const { type: name, message } = error;
      throw new SecretsManagerServiceException({
        name,
        message,
        $fault: "client",
        $metadata: { httpStatusCode: 400 },
      });
    }
  }

  /** Checks that an actor had read the value it replaces before it wrote or restored the other one. */
  function changed(before: string, at: number, actor?: Actor): void {
    const replaced = seen.get(before)!;
    const version = seen.get(present())!;
    const { lookedAt } = version.becameCurrentAt === undefined ? version : (actor ?? version);
    if (lookedAt < replaced.becameCurrentAt!) problems.push("a newer value was replaced by an older one");
    version.becameCurrentAt = at;
    for (const id of presentIds()) everPresent.add(id);
  }

  const presentText = (): string => stored.get(secretId).version.value;
  const presentIds = (): readonly string[] => {
    const text = presentText();
    const keys: readonly string[] = text.startsWith("{") ? JSON.parse(text).keys : [text];
    return keys.map((key) => key.replace(/\..*$/, ""));
  };

  const table = (through: Gate): Table => ({
    get: (key) => through(() => rows.get(key.pool), "run_store_unavailable"),
    update: (key, { set = {}, condition }) =>
      through(() => {
        const row = rows.get(key.pool);
        if (row && row["revision"] !== condition?.values["seen"]) return undefined;
        for (const { instanceId } of set["instances"] as readonly { instanceId: string }[])
          noted.add(instanceId);
        rows.set(key.pool, { ...row, ...set });
        return { ...row, ...set };
      }, "run_store_unavailable"),
    put: () => Promise.reject(new Error("nobody puts a row here")),
    query: () => Promise.reject(new Error("nobody asks for rows here")),
  });

  function createInstance(keyId: string, byHand: boolean): string {
    const instanceId = `instance-of-${keyId}`;
    instances.set(instanceId, { keyId, isAlive: true, byHand });
    return instanceId;
  }

  const isAlive = (keyId: string): boolean => instances.get(`instance-of-${keyId}`)?.isAlive ?? true;

  const studio = (through: Gate) =>
    ({
      lease: ({ key }: { readonly key: RunnerKey }) =>
        through(() => {
          if (!isAlive(key.id)) throw new RunnerError("key_refused", "401", { status: 401 });
          return { workspaceId: "w", leaseExpiresAtMs: nowMs, skewMs: 0 };
        }, "studio_unavailable"),
      heartbeat: ({ key }: { readonly key: RunnerKey }) =>
        through(() => {
          throw isAlive(key.id)
            ? new RunnerError("lease_lost", "there is no such job", { status: 404 })
            : new RunnerError("key_refused", "401", { status: 401 });
        }, "studio_unavailable"),
      createRunnerInstance: () =>
        through(() => {
          const key = keyOf(`minted${++counter}`);
          return { instanceId: createInstance(key.id, false), key, kind: "user", name: "" };
        }, "studio_unavailable"),
      revokeRunnerInstance: (_call: unknown, instanceId: string) =>
        through(() => {
          const instance = instances.get(instanceId);
          if (!instance?.isAlive)
            throw new RunnerError("studio_rejected", "no such instance", { status: 404 });
          instance.isAlive = false;
        }, "studio_unavailable"),
    }) as unknown as RotatorPorts["studio"];

  type Gate = <T>(effect: () => T, lost?: keyof typeof lostAnswers) => Promise<T>;

  /** Makes a call as the SDK does: up to three times with one token, without a pause. */
  function clientOf(actor?: Actor): SecretsManagerClient {
    const through = gateOf(actor);
    const send = async (command: { readonly input: object }): Promise<object> => {
      const action = command.constructor.name.replace(/Command$/, "");
      const isTokenNeeded = action === "PutSecretValue" && !("ClientRequestToken" in command.input);
      const input = { ...command.input, ...(isTokenNeeded ? { ClientRequestToken: newId() } : {}) };
      for (let attempt = 1; ; attempt++) {
        try {
          return await through(() => ask(actor, action, input));
        } catch (error) {
          if (error !== lostAnswers.cut_off || attempt === 3) throw error;
        }
      }
    };
    return { send } as unknown as SecretsManagerClient;
  }

  /** The ports of one actor. Without an actor, each call takes effect at once. */
  function portsOf(actor?: Actor): RotatorPorts {
    const through = gateOf(actor);
    const clock = {
      now: () => nowMs,
      sleep: async (ms: number) => through(() => void (nowMs += ms), "nothing"),
    };
    return {
      clock,
      random: () => 0,
      log: recordingLog(),
      store: createStore(clientOf(actor)),
      runStore: {
        openRuns: () =>
          through(() => [...runs.values()].map((keyId) => ({ keyId }) as Run), "run_store_unavailable"),
      },
      rotation: createRotationRow(table(through)),
      studio: studio(through),
      signIn: async () => new Secret("id-token"),
    };
  }

  const gateOf =
    (actor?: Actor): Gate =>
    (effect, lost = "cut_off") =>
      new Promise((resolve, reject) => {
        const take = async (isAnswerLost: boolean): Promise<void> => {
          nowMs += oneCallMs;
          try {
            const answer = effect();
            const error = isAnswerLost ? lostAnswers[lost] : undefined;
            if (error) reject(error);
            else resolve(answer);
          } catch (error) {
            reject(error);
          }
          await settle();
        };
        if (actor) actor.calls.push({ take });
        else void take(false);
      });

  const newId = (): string => `version-${String(++counter).padStart(32, "0")}`;

  function runnerKeys(actor?: Actor): RunnerKeys {
    const { store } = portsOf(actor);
    const read = async (id: string): Promise<string> => (await store.readStage(id, "AWSCURRENT")) ?? "";
    const source = { read, readStage: store.readStage };
    return createRunnerKeys({ source, clock: stoppedClock, secretId, maxAgeMs: 0 });
  }

  let looked = "";
  /** Whether the secret, the open runs, Studio's instances or the actors changed since the last call. */
  function hasChanged(): boolean {
    const stages = [...secret.versions].map(([id, version]) => [id, ...version.stages]);
    const errors = actors.map(({ state }) => state);
    const alive = [...instances.values()].map(({ isAlive: is }) => is);
    const now = JSON.stringify([stages, [...runs.values()], alive, errors, problems]);
    if (now === looked) return false;
    looked = now;
    return true;
  }

  return {
    actors,
    hasChanged,
    problems,
    runs,
    portsOf,
    runnerKeys,
    newId,
    nowMs: () => nowMs,
    isAlive,
    presentIds,
    everPresent,
    wasPresent: (versionId: string): boolean => seen.get(versionId)?.becameCurrentAt !== undefined,
    createInstance,
    nextKeyId: (prefix: string): string => `${prefix}${++counter}`,
    stage: (name: string): string | undefined => holderOf(secret, name),
    reserve: (versionId: string) => stored.reserve(secretId, versionId),
    pass: (ms: number) => void (nowMs += ms),
    createRun: (actor: Actor, keyId: string): Promise<void> =>
      gateOf(actor)(() => void runs.set(`run${++counter}`, keyId), "run_store_unavailable"),
    /** Whether some version of the secret has named the instance to the rotator. */
    isNamed: (instanceId: string): boolean =>
      everStored.some((text) => text.includes(JSON.stringify(instanceId))),
    /** Whether nobody can have the instance's key, since the only answer with it was lost. */
    isForgotten: (instanceId: string): boolean =>
      !noted.has(instanceId) && !everStored.some((text) => text.includes(JSON.stringify(instanceId))),
    instances: () => [...instances].map(([instanceId, instance]) => ({ instanceId, ...instance })),
    async start(name: string, work: (actor: Actor) => Promise<unknown>): Promise<Actor> {
      const actor: Actor = { name, calls: [], state: "running", lookedAt: 0 };
      actors.push(actor);
      void work(actor).then(
        () => (actor.state = "done"),
        (error: unknown) => Object.assign(actor, { state: "failed", error }),
      );
      await settle();
      return actor;
    },
    /** Ends the actor before its next call; what has taken effect stays. */
    crash: (actor: Actor) => void actors.splice(actors.indexOf(actor), 1),
    crashAll: () => void actors.splice(0),
  };
}

export type SharedWorld = ReturnType<typeof createSharedWorld>;

/** What an actor gets when the answer to its call is lost. */
const lostAnswers = {
  cut_off: Object.assign(new Error("cut"), { code: "ECONNRESET" }),
  run_store_unavailable: new RunnerError("run_store_unavailable", "no answer"),
  studio_unavailable: new RunnerError("studio_unavailable", "no answer"),
  nothing: undefined,
};

/** Waits until every actor has stopped at its next call. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
