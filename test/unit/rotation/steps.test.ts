import { describe, expect, it } from "vitest";
import { rotationSteps } from "../../../lib/rotation/rotation-event.ts";
import { setKeys } from "../../../lib/rotation/stages.ts";
import { runRotation } from "../../../lib/rotation/steps.ts";
import type { AdminCall } from "../../../lib/studio/studio.ts";
import { Crash, createWorld, keyOf, secretId, settings, version, type World } from "./world.ts";

const step = (world: World, name: (typeof rotationSteps)[number], number = 1) =>
  runRotation(world.deps, settings, { step: name, versionId: version(number) });

async function rotate(world: World, number = 1): Promise<void> {
  for (const name of rotationSteps) await step(world, name, number);
}

const revoke = (world: World) => runRotation(world.deps, settings, { step: "revokeUnused" });
const quarterOfAnHourMs = 900_000;

describe("createSecret", () => {
  it("mints a key and stores it as pending, with the instance that it belongs to", async () => {
    const world = createWorld();
    await step(world, "createSecret");
    expect(world.value("AWSPENDING")).toEqual({
      keys: ["new1.secret"],
      retired: ["old.secret"],
      instances: [{ instanceId: "instance-of-new1", credentialId: "new1", createdAtMs: 1_795_176_000_000 }],
      replaces: (await world.deps.store.stages(secretId)).AWSCURRENT,
    });
    await expect(world.deps.store.stages(secretId)).resolves.toMatchObject({ AWSPENDING: version(1) });
  });

  it("mints as many keys as the pool has", async () => {
    const world = createWorld('["a.secret", "b.secret", "c.secret"]');
    await step(world, "createSecret");
    expect(world.value("AWSPENDING").keys).toEqual(["new1.secret", "new2.secret", "new3.secret"]);
  });

  it("leaves keys of another kind in place, and mints for those of its own", async () => {
    const instance = { instanceId: "instance-of-g", credentialId: "g", createdAtMs: 1, kind: "global" };
    const world = createWorld(JSON.stringify({ keys: ["a.secret", "g.secret"], instances: [instance] }));
    await step(world, "createSecret");
    expect(world.value("AWSPENDING")).toEqual({
      keys: ["new1.secret", "g.secret"],
      retired: ["a.secret"],
      instances: [
        { instanceId: "instance-of-new1", credentialId: "new1", createdAtMs: 1_795_176_000_000 },
        instance,
      ],
      replaces: expect.any(String),
    });
  });

  it("mints one where there is none of its own kind yet", async () => {
    const instance = { instanceId: "instance-of-g", credentialId: "g", createdAtMs: 1, kind: "global" };
    const world = createWorld(JSON.stringify({ keys: ["g.secret"], instances: [instance] }));
    await expect(step(world, "createSecret")).resolves.toBeDefined();
    expect(world.value("AWSPENDING").keys).toEqual(["new1.secret", "g.secret"]);
  });

  it("mints nothing when it is repeated, pending or promoted", async () => {
    const world = createWorld();
    await step(world, "createSecret");
    await step(world, "createSecret");
    await step(world, "finishSecret");
    await step(world, "createSecret");
    expect(world.minted).toEqual(["new1"]);
  });

  it("keeps the keys before it, an older one too that a running job needs", async () => {
    const world = createWorld("first.secret");
    world.put("second.secret");
    world.open = ["first", "second"];
    await step(world, "createSecret");
    expect(world.value("AWSPENDING")).toMatchObject({
      keys: ["new1.secret"],
      retired: ["second.secret", "first.secret"],
    });
    await step(world, "finishSecret");
    expect(await world.deps.store.readStage(secretId, "AWSPREVIOUS")).toBe("second.secret");
  });
});

describe("testSecret", () => {
  it("passes for a key that Studio knows, although there is no such job", async () => {
    const world = createWorld();
    await step(world, "createSecret");
    await expect(step(world, "testSecret")).resolves.toEqual({ step: "testSecret" });
  });

  it("stops the rotation for a key that Studio refuses", async () => {
    const world = createWorld();
    await step(world, "createSecret");
    world.refused.add("new1");
    await expect(step(world, "testSecret")).rejects.toMatchObject({
      code: "key_refused",
      message: 'Studio refuses the new runner key new1 (secret "arn:keys"); the previous keys stay in use',
    });
  });

  it("names a key of another kind that stays as the old one that it is", async () => {
    const instance = { instanceId: "instance-of-g", credentialId: "g", createdAtMs: 1, kind: "global" };
    const world = createWorld(JSON.stringify({ keys: ["a.secret", "g.secret"], instances: [instance] }));
    await step(world, "createSecret");
    world.refused.add("g");
    await expect(step(world, "testSecret")).rejects.toMatchObject({
      message:
        'Studio refuses the old runner key g, which the rotation keeps (secret "arn:keys"); the previous keys stay in use',
    });
  });

  it.each(["setSecret", "testSecret", "finishSecret"] as const)(
    "%s refuses a version that has no value",
    async (name) => {
      await expect(step(createWorld(), name)).rejects.toMatchObject({ code: "secret_missing" });
    },
  );
});

describe("finishSecret", () => {
  it("promotes, and says which old key it cannot revoke", async () => {
    const world = createWorld();
    await rotate(world);
    expect(world.value("AWSCURRENT").keys).toEqual(["new1.secret"]);
    expect(world.log.lines.filter(({ event }) => event === "key_not_revocable")).toMatchObject([
      { fields: { pool: "mine", keyId: "old" } },
    ]);
  });

  it("promotes once: repeated, it changes nothing", async () => {
    const world = createWorld();
    await rotate(world);
    await step(world, "finishSecret");
    expect(world.value("AWSCURRENT").keys).toEqual(["new1.secret"]);
    expect(await world.deps.store.readStage(secretId, "AWSPREVIOUS")).toBe("old.secret");
  });
});

describe("a value that somebody stores between createSecret and finishSecret", () => {
  async function setInBetween(): Promise<World> {
    const world = createWorld();
    world.open = ["old"];
    await step(world, "createSecret");
    world.put("newer.secret");
    await expect(step(world, "finishSecret")).rejects.toMatchObject({
      code: "rotation_superseded",
      message:
        `the secret "arn:keys" got another value during this rotation (version ${version(1)}): that value stays, and ` +
        "the rotation is cancelled. Its new key will be revoked; the next rotation starts over",
    });
    return world;
  }

  it("stays the present one", async () => {
    const { store } = (await setInBetween()).deps;
    expect(await store.readStage(secretId, "AWSCURRENT")).toBe("newer.secret");
  });

  it("leaves a running job's key in the secret", async () => {
    const { store } = (await setInBetween()).deps;
    const values = [
      await store.readStage(secretId, "AWSCURRENT"),
      await store.readStage(secretId, "AWSPREVIOUS"),
    ];
    expect(values.join()).toContain("old.secret");
  });
});

describe("a rotation that was given up", () => {
  async function givenUp(): Promise<World> {
    const world = createWorld();
    await step(world, "createSecret");
    world.put("newer.secret");
    return world;
  }

  it("stands in no later rotation's way", async () => {
    const world = await givenUp();
    await expect(step(world, "finishSecret")).rejects.toThrow("the rotation is cancelled");
    expect(await world.deps.store.stages(secretId)).not.toHaveProperty("AWSPENDING");
    await rotate(world, 2);
    expect(world.value("AWSCURRENT").keys).toEqual(["new2.secret"]);
  });

  it("is still given up when Secrets Manager tries it again", async () => {
    const world = await givenUp();
    await expect(step(world, "finishSecret")).rejects.toThrow("the rotation is cancelled");
    await expect(rotate(world)).rejects.toMatchObject({ code: "rotation_superseded" });
    expect(await world.deps.store.readStage(secretId, "AWSCURRENT")).toBe("newer.secret");
  });

  it("leaves no key behind: its new one is revoked", async () => {
    const world = await givenUp();
    await expect(step(world, "finishSecret")).rejects.toThrow("the rotation is cancelled");
    await revoke(world);
    await world.clock.advance(quarterOfAnHourMs);
    expect(await revoke(world)).toMatchObject({ revoked: ["new1"] });
  });

  it("is cleared away by the look for old keys where nobody has finished it", async () => {
    const world = await givenUp();
    await revoke(world);
    expect(await world.deps.store.stages(secretId)).not.toHaveProperty("AWSPENDING");
    await world.clock.advance(quarterOfAnHourMs);
    expect(await revoke(world)).toMatchObject({ revoked: ["new1"] });
  });

  it("is left alone by the look for old keys while it may still be finished", async () => {
    const world = createWorld();
    await step(world, "createSecret");
    await world.clock.advance(10 * quarterOfAnHourMs);
    expect(await revoke(world)).toMatchObject({ revoked: [], waiting: [] });
    await step(world, "finishSecret");
    expect(world.value("AWSCURRENT").keys).toEqual(["new1.secret"]);
  });
});

describe("the old key", () => {
  async function rotatedTwice(): Promise<World> {
    const world = createWorld();
    await rotate(world, 1);
    await rotate(world, 2);
    return world;
  }

  it("is revoked a quarter of an hour after nothing uses it any more, not sooner", async () => {
    const world = await rotatedTwice();
    await world.clock.advance(quarterOfAnHourMs - 1);
    expect(await revoke(world)).toEqual({ step: "revokeUnused", revoked: [], waiting: ["new1"] });
    expect(world.alive()).toEqual(["new1", "new2"]);
    await world.clock.advance(1);
    expect(await revoke(world)).toEqual({ step: "revokeUnused", revoked: ["new1"], waiting: [] });
    expect(world.alive()).toEqual(["new2"]);
  });

  it("is kept for as long as a job that it leased runs, and the time begins at that job's end", async () => {
    const world = createWorld();
    await rotate(world, 1);
    world.open = ["new1"];
    await rotate(world, 2);
    await world.clock.advance(10 * quarterOfAnHourMs);
    expect(await revoke(world)).toMatchObject({ revoked: [], waiting: [] });
    world.open = [];
    await revoke(world);
    await world.clock.advance(quarterOfAnHourMs);
    expect(await revoke(world)).toMatchObject({ revoked: ["new1"] });
  });

  it("is not revoked when somebody has gone back to it meanwhile", async () => {
    const world = await rotatedTwice();
    await world.deps.store.moveStage(secretId, { stage: "AWSCURRENT", to: version(1), from: version(2) });
    await world.clock.advance(quarterOfAnHourMs);
    await revoke(world);
    expect(world.alive()).toContain("new1");
  });

  it("waits anew after it has leased again, although nobody looked meanwhile", async () => {
    const world = await rotatedTwice();
    const set = (id: string) =>
      setKeys(world.deps, { pool: "mine", secretId, keys: [keyOf(id)], instances: [] });
    await set("new1");
    await world.clock.advance(quarterOfAnHourMs - 1);
    await set("other");
    await world.clock.advance(1);
    expect(await revoke(world)).toMatchObject({ revoked: [], waiting: ["new2", "new1"] });
  });

  it("is not stored again once it is being revoked", async () => {
    const world = await rotatedTwice();
    await world.clock.advance(quarterOfAnHourMs);
    const { revokeRunnerInstance } = world.deps.studio;
    const studio = {
      ...world.deps.studio,
      revokeRunnerInstance: async (call: AdminCall, instanceId: string) => {
        const given = { pool: "mine", secretId, keys: [keyOf("new1")], instances: [] };
        await expect(setKeys(world.deps, given)).rejects.toMatchObject({
          code: "key_refused",
          message: "the runner key new1 is being revoked",
        });
        await revokeRunnerInstance(call, instanceId);
      },
    };
    await runRotation({ ...world.deps, studio }, settings, { step: "revokeUnused" });
    expect(world.value("AWSCURRENT").keys).toEqual(["new2.secret"]);
    expect(world.alive()).toEqual(["new2"]);
  });

  it("is revoked once, and nobody signs in when there is nothing to revoke", async () => {
    const world = await rotatedTwice();
    await world.clock.advance(quarterOfAnHourMs);
    await revoke(world);
    const before = world.signedIn.times;
    await world.clock.advance(quarterOfAnHourMs);
    expect(await revoke(world)).toMatchObject({ revoked: [], waiting: [] });
    expect(world.signedIn.times).toBe(before);
  });

  it("is revoked too when a new one is put in by hand", async () => {
    const world = createWorld();
    await rotate(world);
    world.put("by-hand.secret");
    await revoke(world);
    await world.clock.advance(quarterOfAnHourMs);
    expect(await revoke(world)).toMatchObject({ revoked: ["new1"] });
  });

  it("that came in by hand is revoked too, where its instance was written down with it", async () => {
    const instances = [{ instanceId: "by-hand", credentialId: "hand", createdAtMs: 1 }];
    const world = createWorld(JSON.stringify({ keys: ["hand.secret"], instances }));
    await rotate(world);
    expect(world.log.events).not.toContain("key_not_revocable");
    await world.clock.advance(quarterOfAnHourMs);
    expect(await revoke(world)).toMatchObject({ revoked: ["hand"] });
  });

  it("is known also when a second rotation follows at once, and the secret does not name it any more", async () => {
    const hand = (id: string) =>
      JSON.stringify({
        keys: [`${id}.secret`],
        instances: [{ instanceId: `by-hand-${id}`, credentialId: id, createdAtMs: 1 }],
      });
    const world = createWorld(hand("a"));
    world.put(hand("b"));
    await rotate(world, 1);
    await rotate(world, 2);
    await world.clock.advance(quarterOfAnHourMs);
    expect((await revoke(world)).revoked?.toSorted()).toEqual(["a", "b", "new1"]);
  });

  it("is not touched while nobody can read the present value", async () => {
    const world = await rotatedTwice();
    await world.clock.advance(quarterOfAnHourMs);
    world.put("not a key");
    await expect(revoke(world)).rejects.toMatchObject({ code: "secret_malformed" });
    expect(world.alive()).toEqual(["new1", "new2"]);
  });
});

describe("a crash", () => {
  /** What changes something in one rotation: instance, note, pending, label, note of the revocation. */
  it.each([1, 2, 3, 4, 5])("after change %i is healed by repeating", async (changes) => {
    const world = createWorld();
    await rotate(world, 1);
    world.crashAfter(changes);
    await rotate(world, 2).catch((error: unknown) => {
      if (!(error instanceof Crash)) throw error;
    });
    world.crashAfter(Number.POSITIVE_INFINITY);
    await rotate(world, 2);
    await world.clock.advance(quarterOfAnHourMs);
    await revoke(world);
    await world.clock.advance(quarterOfAnHourMs);
    await revoke(world);

    const [inUse] = world.value("AWSCURRENT").keys;
    // Only a crash between Studio's answer and our note leaves a key behind, which nobody has.
    const orphans = changes === 1 ? ["new2"] : [];
    expect(world.alive()).toEqual([...orphans, inUse?.replace(".secret", "")]);
    const unrevoked = world.known().filter(({ revokedAtMs }) => revokedAtMs === undefined);
    expect(unrevoked.map(({ credentialId }) => `${credentialId}.secret`)).toEqual([inUse]);
  });

  it("while revoking is healed by the next look", async () => {
    const world = createWorld();
    await rotate(world, 1);
    await rotate(world, 2);
    await world.clock.advance(quarterOfAnHourMs);
    world.crashAfter(1);
    await expect(revoke(world)).rejects.toThrow(Crash);
    world.crashAfter(Number.POSITIVE_INFINITY);
    expect(await revoke(world)).toMatchObject({ revoked: ["new1"] });
    expect(world.alive()).toEqual(["new2"]);
    expect(await revoke(world)).toMatchObject({ revoked: [] });
  });
});

it("two invocations of one step at a time leave one key in use; the other one's is revoked in time", async () => {
  const world = createWorld();
  await Promise.all([step(world, "createSecret"), step(world, "createSecret")]);
  await step(world, "finishSecret");
  expect(world.minted).toEqual(["new1", "new2"]);
  await world.clock.advance(quarterOfAnHourMs);
  await revoke(world);
  expect(world.alive()).toEqual(world.value("AWSCURRENT").keys.map((key) => key.replace(".secret", "")));
});
