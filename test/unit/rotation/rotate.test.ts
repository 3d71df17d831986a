import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/errors.ts";
import { rotateKeys, type RotateDeps } from "../../../lib/rotation/rotate.ts";
import { dropPending, promote, rollBack, stageKey } from "../../../lib/rotation/stages.ts";
import { tryKey } from "../../../lib/rotation/try-key.ts";
import { watchRefusals } from "../../../lib/rotation/watch.ts";
import { createWorld, keyOf, secretId, version, type World } from "./world.ts";

const given = {
  pool: "mine",
  secretId,
  versionId: version(1),
  keys: [keyOf("fresh")],
  instances: [],
  watch: { forMs: 120_000, everyMs: 20_000 },
};

/** Lets the watch go by; `during` is run in its middle. */
async function rotating(world: World, deps: Partial<RotateDeps> = {}, during?: () => void) {
  const steps: string[] = [];
  const rotated = rotateKeys({ ...world.deps, onStep: (step) => steps.push(step), ...deps }, given);
  await world.clock.advance(60_000);
  during?.();
  await world.clock.advance(60_000);
  return { ...(await rotated), steps };
}

describe("a rotation by command", () => {
  it("stores, tries, promotes and watches", async () => {
    const world = createWorld();
    const { outcome, steps } = await rotating(world);
    expect(outcome).toBe("promoted");
    expect(steps).toEqual(["staged", "tried", "promoted", "watched"]);
    expect(world.value("AWSCURRENT").keys).toEqual(["fresh.secret"]);
    expect(await world.deps.store.stages(secretId)).not.toHaveProperty("AWSPENDING");
  });

  it("changes nothing for a key that Studio refuses", async () => {
    const world = createWorld();
    world.refused.add("fresh");
    expect(await rotating(world)).toMatchObject({
      outcome: "refused",
      refused: ["fresh"],
      steps: ["staged"],
    });
    expect(await world.deps.store.readStage(secretId, "AWSCURRENT")).toBe("old.secret");
    expect(await world.deps.store.stages(secretId)).not.toHaveProperty("AWSPENDING");
  });

  it("goes back by itself when the new key is refused during the watch", async () => {
    const world = createWorld();
    const { outcome, steps } = await rotating(world, {}, () => world.refused.add("fresh"));
    expect(outcome).toBe("rolled_back");
    expect(steps).toEqual(["staged", "tried", "promoted"]);
    expect(await world.deps.store.readStage(secretId, "AWSCURRENT")).toBe("old.secret");
  });

  it("goes back when a dispatch window was refused", async () => {
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
  it("is safe to repeat", async () => {
    const world = createWorld();
    const { store } = world.deps;
    const one = { secretId, versionId: version(1) };
    expect(await stageKey(world.deps, given)).toBe("stored");
    expect(await stageKey(world.deps, given)).toBe("stored");
    const first = await promote(store, one);
    expect(await promote(store, one)).toEqual(first);
    await dropPending(store, one);
    await dropPending(store, one);
    const back = { ...one, ...first };
    expect(await rollBack(store, back)).toBe(true);
    expect(await rollBack(store, back)).toBe(true);
    expect(await store.readStage(secretId, "AWSCURRENT")).toBe("old.secret");
  });

  it("says that a version has other keys already", async () => {
    const world = createWorld();
    await stageKey(world.deps, given);
    expect(await stageKey(world.deps, { ...given, keys: [keyOf("other")] })).toBe("taken");
  });

  it("cannot go back from a first value", async () => {
    const world = createWorld();
    const none = { secretId, versionId: version(1), previousVersionId: undefined };
    await expect(rollBack(world.deps.store, none)).rejects.toMatchObject({ code: "secret_missing" });
  });
});

describe("trying a key", () => {
  const answering = (code?: "key_refused" | "lease_lost" | "studio_rejected" | "studio_contract") => {
    const world = createWorld();
    const beaten: string[] = [];
    const heartbeat = async ({ workspaceId }: { readonly workspaceId: string }) => {
      beaten.push(workspaceId);
      if (code !== undefined) throw new RunnerError(code, "no");
      return { leaseExpiresAtMs: undefined };
    };
    return { deps: { ...world.deps, studio: { heartbeat } }, beaten };
  };

  it.each([
    [undefined, "accepted"],
    ["lease_lost", "accepted"],
    ["studio_rejected", "accepted"],
    ["key_refused", "refused"],
  ] as const)("%s means %s", async (code, answer) => {
    const { deps, beaten } = answering(code);
    expect(await tryKey(deps, keyOf("a"))).toBe(answer);
    expect(beaten).toEqual(["studio-runner-key-check"]);
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
  expect(await watching).toBe("refused");
  expect(looks).toEqual([0, 10_000, 20_000]);
});

it.fails.each([
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

it.fails("a watch whose looks take time still ends at its end, and with a look", async () => {
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

it.fails("a watch that nobody answers at its end has watched until the last answer", async () => {
  const { clock } = createWorld();
  const startMs = clock.now();
  const look = async () => (clock.now() - startMs > 10_000 ? ("unknown" as const) : ("accepted" as const));
  const watching = watchRefusals({ clock, look }, { forMs: 30_000, everyMs: 10_000 });
  await clock.advance(30_000);
  expect(await watching).toEqual({ answer: "accepted", watchedMs: 10_000 });
});
