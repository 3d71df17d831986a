import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { rotateKeys } from "../../../lib/rotation/on-demand-rotation.ts";
import { promote, readPresent, setKeys, stageKey } from "../../../lib/rotation/stages.ts";
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

type Ports = Parameters<typeof rotateKeys>[0];

/** Rotates and lets the watch pass; `during` runs in the middle of it. */
async function rotating(world: World, changed: Partial<Ports> = {}, during?: () => void) {
  const steps: string[] = [];
  const ports = { ...world.ports, onStep: (step: string) => steps.push(step), ...changed };
  const rotated = rotateKeys(ports, { ...given, present: await readPresent(ports.store, secretId) });
  await world.clock.advance(60_000);
  during?.();
  await world.clock.advance(60_000);
  return { ...(await rotated), steps };
}

describe("a rotation by the rotate command", () => {
  it("tries, stores and promotes the new key, then watches for refusals", async () => {
    const world = createWorld();
    const { outcome, steps } = await rotating(world);
    expect(outcome).toBe("promoted");
    expect(steps).toEqual(["tried", "promoted", "watched"]);
    expect(world.value("AWSCURRENT")).toMatchObject({ keys: ["fresh.secret"], retired: ["old.secret"] });
    expect(world.text("AWSPENDING")).toBeUndefined();
  });

  it("changes nothing when Studio refuses the new key", async () => {
    const world = createWorld();
    world.refused.add("fresh");
    expect(await rotating(world)).toMatchObject({ outcome: "refused", refused: ["fresh"], steps: [] });
    expect(world.text("AWSCURRENT")).toBe("old.secret");
    expect(Object.keys(await world.ports.store.stages(secretId))).toEqual(["AWSCURRENT"]);
  });

  it("rolls back when the new key is refused during the watch", async () => {
    const world = createWorld();
    const { outcome, steps } = await rotating(world, {}, () => world.refused.add("fresh"));
    expect(outcome).toBe("rolled_back");
    expect(steps).toEqual(["tried", "promoted"]);
    // The new key is kept for jobs that it has leased meanwhile.
    expect(world.value("AWSCURRENT")).toMatchObject({ keys: ["old.secret"], retired: ["fresh.secret"] });
  });

  it("rolls back when a dispatch cycle was refused", async () => {
    const rotated = await rotating(createWorld(), { sawRefusal: async () => true });
    expect(rotated).toMatchObject({ outcome: "rolled_back" });
  });

  it("cannot roll back when there were no keys before", async () => {
    const world = createWorld("");
    const ports = { ...world.ports, sawRefusal: async () => true };
    const rotated = rotateKeys(ports, { ...given, present: await readPresent(ports.store, secretId) });
    await expect(rotated).rejects.toMatchObject({ code: "secret_missing" });
    expect(world.value("AWSCURRENT").keys).toEqual(["fresh.secret"]);
  });

  it("changes nothing when another value has been stored since it started", async () => {
    const world = createWorld();
    const { heartbeat } = world.ports.studio;
    const trying: typeof heartbeat = (call) => {
      world.put("third.secret");
      return heartbeat(call);
    };
    const rotated = await rotating(world, { studio: { heartbeat: trying } });
    expect(rotated).toMatchObject({ outcome: "overtaken", steps: ["tried"] });
    expect(world.text("AWSCURRENT")).toBe("third.secret");
    expect(world.text("AWSPREVIOUS")).toBe("old.secret");
  });

  it("does not roll back over a third value that was stored during the watch", async () => {
    const world = createWorld();
    const { outcome } = await rotating(world, {}, () => {
      world.refused.add("fresh");
      world.put("third.secret");
    });
    expect(outcome).toBe("superseded");
    expect(world.text("AWSCURRENT")).toBe("third.secret");
  });

  it("does not roll back when Studio is unreachable for a while", async () => {
    const world = createWorld();
    let isDown = false;
    const { studio } = world.ports;
    const heartbeat: typeof studio.heartbeat = (call) =>
      isDown ? Promise.reject(new RunnerError("studio_unavailable", "502")) : studio.heartbeat(call);
    const { outcome } = await rotating(world, { studio: { heartbeat } }, () => (isDown = true));
    expect(outcome).toBe("promoted");
  });
});

describe("a single rotation step", () => {
  const one = { secretId, versionId: version(1) };

  async function staged(world: World) {
    const present = await readPresent(world.ports.store, secretId);
    const stage = (keys = given.keys) =>
      stageKey(world.ports, { ...given, ...one, keys, present }, "AWSPENDING");
    return { stage, replaces: present.versionId };
  }

  it("reports a version that already has other keys", async () => {
    const { stage } = await staged(createWorld());
    await stage();
    expect(await stage([keyOf("other")])).toBe("taken");
  });

  it("counts a promotion as done when its answer was lost and its repetition is refused", async () => {
    const world = createWorld();
    const { stage, replaces } = await staged(world);
    await stage();
    const { store } = world.ports;
    const moveStage: typeof store.moveStage = async (id, move) => {
      await store.moveStage(id, move);
      await store.moveStage(id, move);
    };
    expect(await promote({ ...store, moveStage }, { ...one, replaces })).toBe(true);
  });

  it("promotes only over the version that the new one was made to replace", async () => {
    const world = createWorld();
    const { stage, replaces } = await staged(world);
    await stage();
    world.put("third.secret");
    expect(await promote(world.ports.store, { ...one, replaces })).toBe(false);
    expect(world.text("AWSCURRENT")).toBe("third.secret");
  });
});

describe("a retired key", () => {
  const set = (world: World, id: string) =>
    setKeys(world.ports, { pool: "mine", secretId, keys: [keyOf(id)], instances: [] });

  it("is kept while an open run uses it, and for a quarter of an hour after that", async () => {
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

  it("is no longer retired when it is set again", async () => {
    const world = createWorld("a.secret");
    await set(world, "b");
    await set(world, "a");
    expect(world.value("AWSCURRENT")).toMatchObject({ keys: ["a.secret"], retired: ["b.secret"] });
  });

  it("is kept even when it was replaced by hand in between", async () => {
    const world = createWorld("a.secret");
    world.put("b.secret");
    await set(world, "c");
    expect(world.value("AWSCURRENT").retired).toEqual(["b.secret", "a.secret"]);
  });
});

describe("setting keys", () => {
  const keys = { pool: "mine", secretId, keys: [keyOf("fresh")], instances: [] };

  it("replaces a value that is stored at the same time, and retires its keys", async () => {
    const world = createWorld();
    let looks = 0;
    const openRuns = async () => {
      if (++looks === 1) world.put("third.secret");
      return [];
    };
    await setKeys({ ...world.ports, runStore: { openRuns } }, keys);
    expect(world.value("AWSCURRENT")).toMatchObject({
      keys: ["fresh.secret"],
      retired: ["third.secret", "old.secret"],
    });
  });

  it("fails as superseded when another value is stored first every time", async () => {
    const world = createWorld();
    let puts = 0;
    const openRuns = async () => {
      world.put(`other${++puts}.secret`);
      return [];
    };
    const setting = setKeys({ ...world.ports, runStore: { openRuns } }, keys);
    await expect(setting).rejects.toMatchObject({ code: "rotation_superseded" });
    expect(world.text("AWSCURRENT")).toBe("other5.secret");
  });
});

describe("trying a key", () => {
  const triedWith = (answer: () => Promise<{ leaseExpiresAtMs: undefined; isPage?: true }>) => {
    const workspaces: string[] = [];
    const heartbeat = async ({ workspaceId }: { readonly workspaceId: string }) => {
      workspaces.push(workspaceId);
      return answer();
    };
    return { workspaces, tried: tryKey({ ...createWorld().ports, studio: { heartbeat } }, keyOf("a")) };
  };

  it.each([
    ["lease_lost", "accepted"],
    ["studio_rejected", "accepted"],
    ["key_refused", "refused"],
  ] as const)("treats %s as %s", async (code, answer) => {
    const { tried, workspaces } = triedWith(() => Promise.reject(new RunnerError(code, "no")));
    expect(await tried).toBe(answer);
    expect(workspaces).toEqual(["studio-runner-key-check"]);
  });

  it("treats an answer that extends a lease as accepted", async () => {
    const { tried } = triedWith(async () => ({ leaseExpiresAtMs: undefined }));
    expect(await tried).toBe("accepted");
  });

  it.each([
    ["a web page answers", async () => ({ leaseExpiresAtMs: undefined, isPage: true }) as const],
    ["the server is not Studio", () => Promise.reject(new RunnerError("studio_contract", "no"))],
  ])("fails as studio_contract when %s", async (_, answer) => {
    await expect(triedWith(answer).tried).rejects.toMatchObject({ code: "studio_contract" });
  });
});

describe("a watch for refusals", () => {
  type Answer = "accepted" | "refused" | "unknown";

  /** The result and the check times of a watch. A check lasts `lookMs`; its answer depends on its start. */
  async function watched(
    watch: { forMs: number; everyMs: number },
    answer: (atMs: number) => Answer,
    lookMs = 0,
  ) {
    const { clock } = createWorld();
    const looks: number[] = [];
    const startMs = clock.now();
    const check = async (): Promise<Answer> => {
      const atMs = clock.now() - startMs;
      looks.push(atMs);
      if (lookMs > 0) await clock.sleep(lookMs);
      return answer(atMs);
    };
    const watching = watchRefusals({ clock, check }, watch);
    await clock.advance(watch.forMs + lookMs);
    return { ...(await watching), looks };
  }

  it.each([
    [25_000, 10_000, [0, 10_000, 20_000, 25_000]],
    [30_000, 10_000, [0, 10_000, 20_000, 30_000]],
    [5_000, 10_000, [0, 5_000]],
    [0, 10_000, [0]],
  ])("of %i ms, every %i ms, checks at %j, including its very end", async (forMs, everyMs, looks) => {
    const answered = { answer: "accepted", watchedMs: forMs, looks };
    expect(await watched({ forMs, everyMs }, () => "accepted")).toEqual(answered);
  });

  it.each<[string, number, (atMs: number) => Answer, number, object]>([
    [
      "ends at the first refusal",
      100_000,
      (atMs) => (atMs === 20_000 ? "refused" : "unknown"),
      0,
      { answer: "refused", watchedMs: 20_000, looks: [0, 10_000, 20_000] },
    ],
    [
      "ends on time and with a check, even when its checks take time",
      20_000,
      () => "accepted",
      3_000,
      { answer: "accepted", watchedMs: 20_000, looks: [0, 13_000, 20_000] },
    ],
    [
      "counts only the time until the last answer when its end goes unanswered",
      30_000,
      (atMs) => (atMs > 10_000 ? "unknown" : "accepted"),
      0,
      { answer: "accepted", watchedMs: 10_000 },
    ],
  ])("%s", async (_, forMs, answer, lookMs, expected) => {
    expect(await watched({ forMs, everyMs: 10_000 }, answer, lookMs)).toMatchObject(expected);
  });
});
