import * as fc from "fast-check";
import { expect, test } from "vitest";
import { mintKeys } from "../../../lib/rotation/mint.ts";
import { revokeUnused } from "../../../lib/rotation/revoke.ts";
import { rotateKeys } from "../../../lib/rotation/on-demand-rotation.ts";
import { readPresent, setKeys } from "../../../lib/rotation/stages.ts";
import { handleRotationEvent } from "../../../lib/rotation/scheduled-rotation.ts";
import { tryKey } from "../../../lib/rotation/try-key.ts";
import type { RunnerInstance } from "../../../lib/keys/runner-secret.ts";
import type { RunnerKey } from "../../../lib/core/secret.ts";
import { createSharedWorld, type Actor, type SharedWorld } from "./shared-world.ts";
import { keyOf, secretId, settings } from "./world.ts";

const pool = "mine";
const steps = ["createSecret", "setSecret", "testSecret", "finishSecret"] as const;

/** Secrets Manager's rotation: an unfinished one is resumed with its pending version. */
async function rotation(world: SharedWorld, actor?: Actor): Promise<string> {
  const pending = world.stage("AWSPENDING");
  const isOpen = pending !== undefined && pending !== world.stage("AWSCURRENT");
  const versionId = isOpen ? pending : world.newId();
  world.reserve(versionId);
  for (const step of steps) await handleRotationEvent(world.portsOf(actor), settings, { step, versionId });
  return versionId;
}

/** `secrets set runner-keys` with a key from Studio's page, whose instance the person may have noted. */
async function secretsSet(world: SharedWorld, actor: Actor, knowsInstance: boolean): Promise<void> {
  const key = keyOf(world.nextKeyId("hand"));
  const instanceId = world.createInstance(key.id, true);
  const instances: readonly RunnerInstance[] = knowsInstance
    ? [{ instanceId, credentialId: key.id, createdAtMs: world.nowMs() }]
    : [];
  await set(world, actor, { key, instances });
}

/** The same with a key that was replaced before, if Studio still accepts it. */
async function secretsSetBack(world: SharedWorld, actor: Actor): Promise<void> {
  const present = new Set(world.presentIds());
  const keyId = [...world.everPresent].find((id) => !present.has(id) && world.isAlive(id));
  if (keyId === undefined) return;
  const key = keyOf(keyId);
  const ports = world.portsOf(actor);
  if ((await tryKey(ports, key)) === "accepted") await set(world, actor, { key, instances: [] });
}

interface Given {
  readonly key: RunnerKey;
  readonly instances: readonly RunnerInstance[];
}

async function set(world: SharedWorld, actor: Actor, { key, instances }: Given): Promise<void> {
  const ports = { ...world.portsOf(actor), newId: world.newId };
  const versionId = await setKeys(ports, { pool, secretId, keys: [key], instances });
  expect(world.wasPresent(versionId), "a value that was set was the present one").toBe(true);
}

/** `rotate --mint`, whose new key is refused during the watch or not. */
async function rotateByCommand(world: SharedWorld, actor: Actor, isRefused: boolean): Promise<void> {
  const ports = { ...world.portsOf(actor), newId: world.newId, sawRefusal: async () => isRefused };
  const present = await readPresent(ports.store, secretId);
  const { keys, instances } = await mintKeys(ports, { pool, kind: "user", count: 1 });
  await rotateKeys(ports, {
    pool,
    secretId,
    keys,
    instances,
    present,
    watch: { forMs: 2_000, everyMs: 1_000 },
  });
}

/** One job of a dispatch cycle: the key is read, Studio leases with it, and the run is created. */
async function dispatch(world: SharedWorld, actor: Actor): Promise<void> {
  const [key] = await world.runnerKeys(actor).get();
  const ports = world.portsOf(actor);
  const leases = await ports.studio.lease({ key: key!, signal: new AbortController().signal });
  if (leases) await world.createRun(actor, key!.id);
}

/** A processor looks up the key of its run as lib/attempt does: in the current keys, then in retired ones. */
async function lookUp(world: SharedWorld, actor: Actor): Promise<void> {
  const [run] = world.runs;
  if (!run) return;
  const [runId, keyId] = run;
  const keys = world.runnerKeys(actor);
  const found = [...(await keys.refresh()), ...(await keys.retired())];
  if (!world.runs.has(runId)) return;
  expect(
    found.map(({ id }) => id),
    "the key of a run, while others write",
  ).toContain(keyId);
}

const workers = {
  rotation: (world: SharedWorld, actor: Actor) => rotation(world, actor),
  secretsSet: (world: SharedWorld, actor: Actor) => secretsSet(world, actor, false),
  secretsSetBack,
  secretsSetWithInstance: (world: SharedWorld, actor: Actor) => secretsSet(world, actor, true),
  rotateByCommand: (world: SharedWorld, actor: Actor) => rotateByCommand(world, actor, false),
  rotateAndRollBack: (world: SharedWorld, actor: Actor) => rotateByCommand(world, actor, true),
  dispatch,
  lookUp,
  look: (world: SharedWorld, actor: Actor) => revokeUnused(world.portsOf(actor), settings),
} as const;

type WorkerName = keyof typeof workers;
type Command = fc.AsyncCommand<object, SharedWorld>;

const command = (name: string, run: (world: SharedWorld) => Promise<void> | void): Command => ({
  check: () => true,
  run: async (_model, world) => {
    await run(world);
    await expectInvariants(world);
  },
  toString: () => name,
});

const nth = <T>(all: readonly T[], at: number): T | undefined => all[at % Math.max(1, all.length)];

const picked = ({ actors }: SharedWorld, at: number): Actor | undefined =>
  nth(
    actors.filter(({ calls }) => calls.length > 0),
    at,
  );

const start = (name: WorkerName): Command =>
  command(`start ${name}`, async (world) => void (await begin(world, name)));

const whole = (name: WorkerName): Command =>
  command(`a whole ${name}`, async (world) => go(world, await begin(world, name)));

/** Enough new values to push an older one out of the secret's stages. */
const burst: Command = command("three whole secretsSets", async (world) => {
  for (let times = 0; times < 3; times++) await go(world, await begin(world, "secretsSet"));
});

const begin = (world: SharedWorld, name: WorkerName): Promise<Actor> =>
  world.start(name, (actor) => workers[name](world, actor));

/** Lets the actor's next calls take effect, one after the other. */
async function go(
  world: SharedWorld,
  actor: Actor,
  calls = Number.POSITIVE_INFINITY,
  order = 0,
): Promise<void> {
  for (let made = 0; actor.calls.length > 0 && made < calls; made++) {
    const [call] = actor.calls.splice(order % actor.calls.length, 1);
    await call!.take(false);
    await expectInvariants(world);
  }
}

const goOn = ({ at, calls, order }: { at: number; calls: number; order: number }): Command =>
  command(`actor ${at} makes ${calls} calls (${order})`, async (world) => {
    const actor = picked(world, at);
    if (actor) await go(world, actor, calls, order);
  });

const loseAnswer = (at: number): Command =>
  command(`an answer to actor ${at} is lost`, async (world) => {
    await picked(world, at)?.calls.shift()?.take(true);
  });

const crash = (at: number): Command =>
  command(`actor ${at} crashes`, (world) => {
    const actor = picked(world, at);
    if (actor) world.crash(actor);
  });

const endRun = (at: number): Command =>
  command(`run ${at} ends`, ({ runs }) => {
    runs.delete(nth([...runs.keys()], at) ?? "");
  });

/** Longer than an invocation or a command lasts. */
const pass: Command = command("a quarter of an hour passes", (world) => {
  world.crashAll();
  world.pass(settings.revokeAfterMs);
});

async function expectInvariants(world: SharedWorld): Promise<void> {
  if (!world.hasChanged()) return;
  const keys = world.runnerKeys();
  const found = [...(await keys.get()), ...(await keys.refresh()), ...(await keys.retired())];
  const ids = new Set(found.map(({ id }) => id));
  for (const keyId of world.runs.values()) {
    expect(ids, `the key of a running job, ${keyId}, is in the secret`).toContain(keyId);
    expect(world.isAlive(keyId), `the key of a running job, ${keyId}, is not revoked`).toBe(true);
  }
  for (const id of world.presentIds()) expect(world.isAlive(id), `the present key ${id} works`).toBe(true);
  expect(world.problems).toEqual([]);
  // An unforeseen error, such as a TypeError, is not a RunnerError.
  for (const { error } of world.actors) if (error) expect(error).toMatchObject({ name: "RunnerError" });
}

/** Once nothing interferes, the next rotation succeeds and every replaced key is revoked. */
async function expectGoodEnd(world: SharedWorld): Promise<void> {
  world.crashAll();
  const look = () => revokeUnused(world.portsOf(), settings);
  await look();
  expect(await rotation(world)).toBe(world.stage("AWSCURRENT"));
  await expectInvariants(world);
  world.runs.clear();
  for (let looks = 0; looks < 3; looks++) {
    await look();
    world.pass(settings.revokeAfterMs);
    await expectInvariants(world);
  }
  const present = new Set(world.presentIds());
  const left = world.instances().filter(({ instanceId, keyId, byHand, isAlive }) => {
    const wasGiven = !byHand || (world.everPresent.has(keyId) && world.isNamed(instanceId));
    return isAlive && wasGiven && !present.has(keyId) && !world.isForgotten(instanceId);
  });
  expect(left.map(({ keyId }) => keyId)).toEqual([]);
}

const small = fc.nat({ max: 3 });
const name = fc.constantFrom(...(Object.keys(workers) as WorkerName[]));
const some = fc.record({ at: small, calls: fc.integer({ min: 1, max: 12 }), order: fc.nat({ max: 2 }) });
const commands = fc.commands(
  [
    fc.constant(whole("dispatch")),
    name.map(whole),
    fc.constant(burst),
    name.map(start),
    some.map(goOn),
    some.map(goOn),
    small.map(loseAnswer),
    small.map(crash),
    small.map(endRun),
    fc.constant(pass),
  ],
  { maxCommands: 40, size: "max" },
);

test("concurrent rotations, sets, leases and revocations, interrupted anywhere, never take a running job's key, replace a newer key with an older one, or leave a replaced key unrevoked", async () => {
  const property = fc.asyncProperty(commands, async (program) => {
    const world = createSharedWorld();
    await fc.asyncModelRun(() => ({ model: {}, real: world }), program);
    await expectGoodEnd(world);
  });
  await fc.assert(property, { numRuns: 300, seed: 3 });
}, 60_000);
