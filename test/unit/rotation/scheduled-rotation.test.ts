import { describe, expect, it } from "vitest";
import { rotationSteps } from "../../../lib/rotation/rotation-event.ts";
import { setKeys } from "../../../lib/rotation/stages.ts";
import { handleRotationEvent } from "../../../lib/rotation/scheduled-rotation.ts";
import { createWorld, keyOf, secretId, settings, version, type World } from "./world.ts";

const step = (world: World, name: (typeof rotationSteps)[number], number = 1) =>
  handleRotationEvent(world.ports, settings, { step: name, versionId: version(number) });

async function rotate(world: World, number = 1): Promise<void> {
  for (const name of rotationSteps) await step(world, name, number);
}

/** A world in which the first `count` rotations are finished. */
async function rotated(count: number, text?: string): Promise<World> {
  const world = createWorld(text);
  for (let number = 1; number <= count; number++) await rotate(world, number);
  return world;
}

/** A world whose first rotation has a pending version. */
async function created(text?: string): Promise<World> {
  const world = createWorld(text);
  await step(world, "createSecret");
  return world;
}

/** The instance of a key of another kind, and a secret value that contains it. */
const instance = { instanceId: "instance-of-g", credentialId: "g", createdAtMs: 1, kind: "global" };
const withGlobal = (...keys: readonly string[]) => JSON.stringify({ keys, instances: [instance] });

const revoke = (world: World) => handleRotationEvent(world.ports, settings, { step: "revokeUnused" });
const set = (world: World, id: string) =>
  setKeys(world.ports, { pool: "mine", secretId, keys: [keyOf(id)], instances: [] });
const quarterOfAnHourMs = 900_000;

describe("createSecret", () => {
  it("mints a key and stores it as pending, with the instance that it belongs to", async () => {
    const world = await created();
    expect(world.value("AWSPENDING")).toEqual({
      keys: ["new1.secret"],
      retired: ["old.secret"],
      instances: [{ instanceId: "instance-of-new1", credentialId: "new1", createdAtMs: 1_795_176_000_000 }],
      replaces: (await world.ports.store.stages(secretId)).AWSCURRENT,
    });
    expect(await world.ports.store.stages(secretId)).toMatchObject({ AWSPENDING: version(1) });
  });

  it("mints as many keys as the pool has", async () => {
    const world = await created('["a.secret", "b.secret", "c.secret"]');
    expect(world.value("AWSPENDING").keys).toEqual(["new1.secret", "new2.secret", "new3.secret"]);
  });

  it("keeps keys of another kind, and mints only for its own", async () => {
    const world = await created(withGlobal("a.secret", "g.secret"));
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

  it("mints one key when there is none of its own kind yet", async () => {
    const world = await created(withGlobal("g.secret"));
    expect(world.value("AWSPENDING").keys).toEqual(["new1.secret", "g.secret"]);
  });

  it("mints nothing when it is repeated, before or after the promotion", async () => {
    const world = await created();
    await step(world, "createSecret");
    await step(world, "finishSecret");
    await step(world, "createSecret");
    expect(world.minted).toEqual(["new1"]);
  });

  it("keeps the previous keys, including an older one that a running job needs", async () => {
    const world = createWorld("first.secret");
    world.put("second.secret");
    world.open = ["first", "second"];
    await step(world, "createSecret");
    expect(world.value("AWSPENDING")).toMatchObject({
      keys: ["new1.secret"],
      retired: ["second.secret", "first.secret"],
    });
    await step(world, "finishSecret");
    expect(world.text("AWSPREVIOUS")).toBe("second.secret");
  });
});

describe("testSecret", () => {
  it("passes when Studio accepts the key, although the job does not exist", async () => {
    const world = await created();
    expect(await step(world, "testSecret")).toEqual({ step: "testSecret" });
  });

  it.each([
    ["new1", "the new runner key new1"],
    ["g", "the old runner key g, which the rotation keeps"],
  ])("stops the rotation when Studio refuses %s, and names it as %s", async (refused, words) => {
    const world = await created(withGlobal("a.secret", "g.secret"));
    world.refused.add(refused);
    await expect(step(world, "testSecret")).rejects.toMatchObject({
      code: "key_refused",
      message: `Studio refuses ${words} (secret "arn:keys"); the previous keys stay in use`,
    });
  });
});

it.each(["setSecret", "testSecret", "finishSecret"] as const)(
  "%s refuses a version that has no value",
  async (name) => {
    await expect(step(createWorld(), name)).rejects.toMatchObject({ code: "secret_missing" });
  },
);

describe("finishSecret", () => {
  it("promotes only once when it is repeated, and logs which old key it cannot revoke", async () => {
    const world = await rotated(1);
    await step(world, "finishSecret");
    expect(world.value("AWSCURRENT").keys).toEqual(["new1.secret"]);
    expect(world.text("AWSPREVIOUS")).toBe("old.secret");
    const logged = world.log.lines.find(({ event }) => event === "key_not_revocable");
    expect(logged?.fields).toMatchObject({ pool: "mine", keyId: "old" });
  });
});

describe("an unfinished rotation", () => {
  /** A rotation in which another value was stored before finishSecret. */
  async function overtaken(): Promise<World> {
    const world = createWorld();
    world.open = ["old"];
    await step(world, "createSecret");
    world.put("newer.secret");
    return world;
  }

  async function cancelled(): Promise<World> {
    const world = await overtaken();
    await expect(step(world, "finishSecret")).rejects.toMatchObject({
      code: "rotation_superseded",
      message:
        `the secret "arn:keys" got another value during this rotation (version ${version(1)}): that value stays, and ` +
        "the rotation is cancelled. Its new key will be revoked; the next rotation starts over",
    });
    return world;
  }

  it("is cancelled when another value is stored: that value stays, and so does a running job's key", async () => {
    const world = await cancelled();
    expect(world.text("AWSCURRENT")).toBe("newer.secret");
    expect(world.text("AWSPREVIOUS")).toContain("old.secret");
  });

  it("does not block a later rotation once it is cancelled", async () => {
    const world = await cancelled();
    expect(world.text("AWSPENDING")).toBeUndefined();
    await rotate(world, 2);
    expect(world.value("AWSCURRENT").keys).toEqual(["new2.secret"]);
  });

  it("stays cancelled when Secrets Manager retries it", async () => {
    const world = await cancelled();
    await expect(rotate(world)).rejects.toMatchObject({ code: "rotation_superseded" });
    expect(world.text("AWSCURRENT")).toBe("newer.secret");
  });

  it.each([
    ["once it is cancelled", cancelled],
    ["when it was overtaken and never finished", overtaken],
  ])("loses its pending version and its new key %s", async (_, given) => {
    const world = await given();
    await revoke(world);
    expect(world.text("AWSPENDING")).toBeUndefined();
    await world.clock.advance(quarterOfAnHourMs);
    expect(await revoke(world)).toMatchObject({ revoked: ["new1"] });
  });

  it("keeps its new key while it can still be finished", async () => {
    const world = await created();
    await world.clock.advance(10 * quarterOfAnHourMs);
    expect(await revoke(world)).toMatchObject({ revoked: [], waiting: [] });
    await step(world, "finishSecret");
    expect(world.value("AWSCURRENT").keys).toEqual(["new1.secret"]);
  });
});

describe("the old key", () => {
  it("is revoked a quarter of an hour after its last use, not sooner", async () => {
    const world = await rotated(2);
    await world.clock.advance(quarterOfAnHourMs - 1);
    expect(await revoke(world)).toEqual({ step: "revokeUnused", revoked: [], waiting: ["new1"] });
    expect(world.alive()).toEqual(["new1", "new2"]);
    await world.clock.advance(1);
    expect(await revoke(world)).toEqual({ step: "revokeUnused", revoked: ["new1"], waiting: [] });
    expect(world.alive()).toEqual(["new2"]);
  });

  it("is kept while a job that it leased runs, and for a quarter of an hour after that job ends", async () => {
    const world = await rotated(1);
    world.open = ["new1"];
    await rotate(world, 2);
    await world.clock.advance(10 * quarterOfAnHourMs);
    expect(await revoke(world)).toMatchObject({ revoked: [], waiting: [] });
    world.open = [];
    await revoke(world);
    await world.clock.advance(quarterOfAnHourMs);
    expect(await revoke(world)).toMatchObject({ revoked: ["new1"] });
  });

  it("is not revoked when it has become the current key again", async () => {
    const world = await rotated(2);
    await world.ports.store.moveStage(secretId, { stage: "AWSCURRENT", to: version(1), from: version(2) });
    await world.clock.advance(quarterOfAnHourMs);
    await revoke(world);
    expect(world.alive()).toContain("new1");
  });

  it("waits the full time again after it was current again, even if no check ran meanwhile", async () => {
    const world = await rotated(2);
    await set(world, "new1");
    await world.clock.advance(quarterOfAnHourMs - 1);
    await set(world, "other");
    await world.clock.advance(1);
    expect(await revoke(world)).toMatchObject({ revoked: [], waiting: ["new2", "new1"] });
  });

  it("cannot be set again once it is being revoked", async () => {
    const world = await rotated(2);
    await world.clock.advance(quarterOfAnHourMs);
    const { revokeRunnerInstance } = world.ports.studio;
    world.ports.studio.revokeRunnerInstance = async (...call) => {
      const refused = { code: "key_refused", message: "the runner key new1 is being revoked" };
      await expect(set(world, "new1")).rejects.toMatchObject(refused);
      await revokeRunnerInstance(...call);
    };
    await revoke(world);
    expect(world.value("AWSCURRENT").keys).toEqual(["new2.secret"]);
    expect(world.alive()).toEqual(["new2"]);
  });

  it("is revoked once, and there is no sign-in when there is nothing to revoke", async () => {
    const world = await rotated(2);
    await world.clock.advance(quarterOfAnHourMs);
    await revoke(world);
    const before = world.signedIn.times;
    await world.clock.advance(quarterOfAnHourMs);
    expect(await revoke(world)).toMatchObject({ revoked: [], waiting: [] });
    expect(world.signedIn.times).toBe(before);
  });

  it("is also revoked when the new one was stored by hand", async () => {
    const world = await rotated(1);
    world.put("by-hand.secret");
    await revoke(world);
    await world.clock.advance(quarterOfAnHourMs);
    expect(await revoke(world)).toMatchObject({ revoked: ["new1"] });
  });

  it("is also revoked when it was stored by hand together with its instance", async () => {
    const instances = [{ instanceId: "by-hand", credentialId: "hand", createdAtMs: 1 }];
    const world = await rotated(1, JSON.stringify({ keys: ["hand.secret"], instances }));
    expect(world.log.events).not.toContain("key_not_revocable");
    await world.clock.advance(quarterOfAnHourMs);
    expect(await revoke(world)).toMatchObject({ revoked: ["hand"] });
  });

  it("is also revoked when a second rotation follows at once and the secret no longer names it", async () => {
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

  it("is not revoked while the current value cannot be read", async () => {
    const world = await rotated(2);
    await world.clock.advance(quarterOfAnHourMs);
    world.put("not a key");
    await expect(revoke(world)).rejects.toMatchObject({ code: "secret_malformed" });
    expect(world.alive()).toEqual(["new1", "new2"]);
  });
});
