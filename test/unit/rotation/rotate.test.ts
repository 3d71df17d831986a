import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { rotateKeys, type RotateDeps } from "../../../lib/rotation/rotate.ts";
import { dropPending, promote, readPresent, setKeys, stageKey } from "../../../lib/rotation/stages.ts";
import { tryKey } from "../../../lib/rotation/try-key.ts";
import { watchRefusals } from "../../../lib/rotation/watch.ts";
import { createWorld, keyOf, secretId, version, type World } from "./world.ts";

const given = {
  pool: "mine",
  secretId,
  keys: [keyOf("fresh")],
  instances: [],
  watch: { forMs: 120_000, everyMs: 20_000 },
};

/** Lets the watch go by; `during` is run in its middle. */
async function rotating(world: World, deps: Partial<RotateDeps> = {}, during?: () => void) {
  const steps: string[] = [];
  const present = await readPresent(world.deps.store, secretId);
  const rotated = rotateKeys(
    { ...world.deps, onStep: (step) => steps.push(step), ...deps },
    { ...given, present },
  );
  await world.clock.advance(60_000);
  during?.();
  await world.clock.advance(60_000);
  return { ...(await rotated), steps };
}

describe("a rotation by command", () => {
  it("tries, stores, promotes and watches", async () => {
    const world = createWorld();
    const { outcome, steps } = await rotating(world);
    expect(outcome).toBe("promoted");
    expect(steps).toEqual(["tried", "promoted", "watched"]);
    expect(world.value("AWSCURRENT")).toMatchObject({ keys: ["fresh.secret"], retired: ["old.secret"] });
    expect(await world.deps.store.stages(secretId)).not.toHaveProperty("AWSPENDING");
  });

  it("changes nothing for a key that Studio refuses", async () => {
    const world = createWorld();
    world.refused.add("fresh");
    expect(await rotating(world)).toMatchObject({
      outcome: "refused",
      refused: ["fresh"],
      steps: [],
    });
    expect(await world.deps.store.readStage(secretId, "AWSCURRENT")).toBe("old.secret");
    expect(Object.keys(await world.deps.store.stages(secretId))).toEqual(["AWSCURRENT"]);
  });

  it("goes back by itself when the new key is refused during the watch", async () => {
    const world = createWorld();
    const { outcome, steps } = await rotating(world, {}, () => world.refused.add("fresh"));
    expect(outcome).toBe("rolled_back");
    expect(steps).toEqual(["tried", "promoted"]);
    // The new key stays at hand for jobs that it has leased meanwhile.
    expect(world.value("AWSCURRENT")).toMatchObject({ keys: ["old.secret"], retired: ["fresh.secret"] });
  });

  it("changes nothing when somebody has stored another value since it began", async () => {
    const world = createWorld();
    const { heartbeat } = world.deps.studio;
    const trying: typeof heartbeat = (call) => {
      world.put("third.secret");
      return heartbeat(call);
    };
    const { outcome, steps } = await rotating(world, { studio: { heartbeat: trying } });
    expect(outcome).toBe("overtaken");
    expect(steps).toEqual(["tried"]);
    expect(await world.deps.store.readStage(secretId, "AWSCURRENT")).toBe("third.secret");
    expect(await world.deps.store.readStage(secretId, "AWSPREVIOUS")).toBe("old.secret");
  });

  it("cannot go back where there were no keys before", async () => {
    const world = createWorld("");
    const deps = { ...world.deps, sawRefusal: async () => true };
    const rotated = rotateKeys(deps, { ...given, present: await readPresent(deps.store, secretId) });
    await expect(rotated).rejects.toMatchObject({ code: "secret_missing" });
    expect(world.value("AWSCURRENT").keys).toEqual(["fresh.secret"]);
  });

  it("goes back when a dispatch cycle was refused", async () => {
    const world = createWorld();
    expect(await rotating(world, { sawRefusal: async () => true })).toMatchObject({ outcome: "rolled_back" });
  });

  it("leaves a third value that somebody has put in meanwhile", async () => {
    const world = createWorld();
    const { outcome } = await rotating(world, {}, () => {
      world.refused.add("fresh");
      world.put("third.secret");
    });
    expect(outcome).toBe("superseded");
    expect(await world.deps.store.readStage(secretId, "AWSCURRENT")).toBe("third.secret");
  });

  it("does not go back because Studio is out of reach for a while", async () => {
    const world = createWorld();
    let down = false;
    const { studio } = world.deps;
    const heartbeat: typeof studio.heartbeat = (call) =>
      down ? Promise.reject(new RunnerError("studio_unavailable", "502")) : studio.heartbeat(call);
    const { outcome } = await rotating(world, { studio: { heartbeat } }, () => {
      down = true;
    });
    expect(outcome).toBe("promoted");
  });
});

describe("each step by itself", () => {
  const one = { secretId, versionId: version(1) };

  async function staged(world: World) {
    const present = await readPresent(world.deps.store, secretId);
    const stage = (keys = given.keys) =>
      stageKey(world.deps, { ...given, ...one, keys, present }, "AWSPENDING");
    return { stage, replaces: present.versionId };
  }

  it("is safe to repeat", async () => {
    const world = createWorld();
    const { store } = world.deps;
    const { stage, replaces } = await staged(world);
    expect(await stage()).toBe("stored");
    expect(await stage()).toBe("stored");
    expect(await promote(store, { ...one, replaces })).toBe(true);
    expect(await promote(store, { ...one, replaces })).toBe(true);
    await dropPending(store, one);
    await dropPending(store, one);
    expect(world.value("AWSCURRENT").keys).toEqual(["fresh.secret"]);
  });

  it("says that a version has other keys already", async () => {
    const { stage } = await staged(createWorld());
    await stage();
    expect(await stage([keyOf("other")])).toBe("taken");
  });

  it("counts a promotion whose answer was lost, although its repetition is refused", async () => {
    const world = createWorld();
    const { stage, replaces } = await staged(world);
    await stage();
    const { store } = world.deps;
    const moveStage: typeof store.moveStage = async (id, move) => {
      await store.moveStage(id, move);
      await store.moveStage(id, move);
    };
    expect(await promote({ ...store, moveStage }, { ...one, replaces })).toBe(true);
  });

  it("promotes over nothing but what the version was made to replace", async () => {
    const world = createWorld();
    const { stage, replaces } = await staged(world);
    await stage();
    world.put("third.secret");
    expect(await promote(world.deps.store, { ...one, replaces })).toBe(false);
    expect(await world.deps.store.readStage(secretId, "AWSCURRENT")).toBe("third.secret");
  });
});

describe("a retired key", () => {
  const set = (world: World, id: string) =>
    setKeys(world.deps, { pool: "mine", secretId, keys: [keyOf(id)], instances: [] });

  it("stays for as long as an open run holds it, and then for a quarter of an hour", async () => {
    const world = createWorld("a.secret");
    world.open = ["a"];
    await set(world, "b");
    await world.clock.advance(10 * 900_000);
    await set(world, "c");
    expect(world.value("AWSCURRENT").retired).toEqual(["b.secret", "a.secret"]);
    world.open = [];
    await set(world, "d");
    await world.clock.advance(899_999);
    await set(world, "e");
    expect(world.value("AWSCURRENT").retired).toEqual(["d.secret", "c.secret", "b.secret", "a.secret"]);
    await world.clock.advance(1);
    await set(world, "f");
    expect(world.value("AWSCURRENT").retired).toEqual(["e.secret", "d.secret", "c.secret"]);
  });

  it("is retired no more when it is set again", async () => {
    const world = createWorld("a.secret");
    await set(world, "b");
    await set(world, "a");
    expect(world.value("AWSCURRENT")).toMatchObject({ keys: ["a.secret"], retired: ["b.secret"] });
  });

  it("that somebody replaced by hand, in the middle, stays too", async () => {
    const world = createWorld("a.secret");
    world.put("b.secret");
    await set(world, "c");
    expect(world.value("AWSCURRENT").retired).toEqual(["b.secret", "a.secret"]);
  });
});

describe("setting keys", () => {
  const keys = { pool: "mine", secretId, keys: [keyOf("fresh")], instances: [] };

  it("replaces a value that somebody else stores at the same time, and keeps its keys", async () => {
    const world = createWorld();
    const openRuns = world.deps.runStore.openRuns;
    let looks = 0;
    const runStore = {
      openRuns: (pool: string) => {
        if (++looks === 1) world.put("third.secret");
        return openRuns(pool);
      },
    };
    await setKeys({ ...world.deps, runStore }, keys);
    expect(world.value("AWSCURRENT")).toMatchObject({
      keys: ["fresh.secret"],
      retired: ["third.secret", "old.secret"],
    });
  });

  it("gives up where somebody else is faster each time", async () => {
    const world = createWorld();
    let puts = 0;
    const runStore = {
      openRuns: async () => {
        world.put(`other${++puts}.secret`);
        return [];
      },
    };
    await expect(setKeys({ ...world.deps, runStore }, keys)).rejects.toMatchObject({
      code: "rotation_superseded",
    });
    expect(await world.deps.store.readStage(secretId, "AWSCURRENT")).toBe("other5.secret");
  });
});

describe("trying a key", () => {
  const answering = (code?: "key_refused" | "lease_lost" | "studio_rejected" | "studio_contract") => {
    const world = createWorld();
    const triedWorkspaces: string[] = [];
    const heartbeat = async ({ workspaceId }: { readonly workspaceId: string }) => {
      triedWorkspaces.push(workspaceId);
      if (code !== undefined) throw new RunnerError(code, "no");
      return { leaseExpiresAtMs: undefined };
    };
    return { deps: { ...world.deps, studio: { heartbeat } }, triedWorkspaces };
  };

  it.each([
    [undefined, "accepted"],
    ["lease_lost", "accepted"],
    ["studio_rejected", "accepted"],
    ["key_refused", "refused"],
  ] as const)("%s means %s", async (code, answer) => {
    const { deps, triedWorkspaces } = answering(code);
    expect(await tryKey(deps, keyOf("a"))).toBe(answer);
    expect(triedWorkspaces).toEqual(["studio-runner-key-check"]);
  });

  it("says nothing when a web page answers", async () => {
    const { deps } = answering();
    const studio = { heartbeat: async () => ({ leaseExpiresAtMs: undefined, isPage: true }) };
    await expect(tryKey({ ...deps, studio }, keyOf("a"))).rejects.toMatchObject({ code: "studio_contract" });
  });

  it("says nothing when what answers is not Studio", async () => {
    await expect(tryKey(answering("studio_contract").deps, keyOf("a"))).rejects.toMatchObject({
      code: "studio_contract",
    });
  });
});

it("a watch looks at once, then at its interval, and ends with the first refusal", async () => {
  const { clock } = createWorld();
  const looks: number[] = [];
  const startMs = clock.now();
  const watching = watchRefusals(
    {
      clock,
      look: async () => {
        looks.push(clock.now() - startMs);
        return looks.length === 3 ? "refused" : "unknown";
      },
    },
    { forMs: 100_000, everyMs: 10_000 },
  );
  await clock.advance(100_000);
  expect(await watching).toEqual({ answer: "refused", watchedMs: 20_000 });
  expect(looks).toEqual([0, 10_000, 20_000]);
});

it.each([
  [25_000, 10_000, [0, 10_000, 20_000, 25_000]],
  [30_000, 10_000, [0, 10_000, 20_000, 30_000]],
  [5_000, 10_000, [0, 5_000]],
  [0, 10_000, [0]],
])("a watch of %i ms, every %i ms, looks at %j: at its very end too", async (forMs, everyMs, times) => {
  const { clock } = createWorld();
  const looks: number[] = [];
  const startMs = clock.now();
  const look = async () => {
    looks.push(clock.now() - startMs);
    return "accepted" as const;
  };
  const watching = watchRefusals({ clock, look }, { forMs, everyMs });
  await clock.advance(forMs);
  expect(await watching).toEqual({ answer: "accepted", watchedMs: forMs });
  expect(looks).toEqual(times);
});

it("a watch whose looks take time still ends at its end, and with a look", async () => {
  const { clock } = createWorld();
  const looks: number[] = [];
  const startMs = clock.now();
  const look = async () => {
    looks.push(clock.now() - startMs);
    await clock.sleep(3_000);
    return "accepted" as const;
  };
  const watching = watchRefusals({ clock, look }, { forMs: 20_000, everyMs: 10_000 });
  await clock.advance(23_000);
  expect(await watching).toEqual({ answer: "accepted", watchedMs: 20_000 });
  expect(looks).toEqual([0, 13_000, 20_000]);
});

it("a watch that nobody answers at its end has watched until the last answer", async () => {
  const { clock } = createWorld();
  const startMs = clock.now();
  const look = async () => (clock.now() - startMs > 10_000 ? ("unknown" as const) : ("accepted" as const));
  const watching = watchRefusals({ clock, look }, { forMs: 30_000, everyMs: 10_000 });
  await clock.advance(30_000);
  expect(await watching).toEqual({ answer: "accepted", watchedMs: 10_000 });
});
