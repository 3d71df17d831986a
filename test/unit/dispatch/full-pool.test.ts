import { describe, expect, it } from "vitest";
import { full, pollingTimes } from "../../../lib/dispatch/polling.ts";
import { runCycle } from "../../../lib/dispatch/cycle.ts";
import type { Lease } from "../../../lib/studio/schemas.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { build, empty, queueOf, settings, time } from "./cycle-world.ts";

describe("a pool whose places are all taken", () => {
  it.each(["economy", "balanced", "fast"] as const)(
    "%s fills a place within 0.1 s while the pool is full, until the queue is empty",
    async (mode) => {
      const clock = createFakeClock();
      const leasedAtMs: number[] = [];
      const queue = queueOf(5, clock);
      const lease = async (): Promise<Lease | undefined> => {
        const leased = await queue();
        if (leased) leasedAtMs.push(clock.now());
        return leased;
      };
      const world = build({ clock, lease });
      // Each run takes 2.05 s.
      const { read } = world.deps.runStore;
      const runStore = {
        ...world.deps.runStore,
        read: async (of: string, runId: string) => {
          const run = await read(of, runId);
          return run && run.leasedAtMs + 2_050 > clock.now() ? run : undefined;
        },
      };
      const cycle = runCycle(
        { ...world.deps, runStore },
        { ...settings, polling: pollingTimes[mode], concurrency: 2 },
        time,
      );
      await clock.advance(60_000);
      expect(await cycle).toMatchObject({ reason: "leased", leased: 5 });
      expect(leasedAtMs).toEqual([0, 0, 2_100, 2_100, 4_200]);
    },
  );

  it("economy looks at a full pool until its minute is over, with one read each time", async () => {
    const clock = createFakeClock();
    const world = build({ clock, lease: empty, alreadyOpen: 10, spentUsd: () => 1 });
    const reads = { openRuns: 0, backoff: 0, spend: 0 };
    const { runStore, backoff, spend } = world.deps;
    const deps = {
      ...world.deps,
      runStore: { ...runStore, openRuns: (of: string) => (reads.openRuns++, runStore.openRuns(of)) },
      backoff: { ...backoff, read: (of: string) => (reads.backoff++, backoff.read(of)) },
      spend: { ...spend, read: (of: string, day: string) => (reads.spend++, spend.read(of, day)) },
    };
    const cycle = runCycle(deps, { ...settings, dailyCapUsd: 5 }, time);
    await clock.advance(60_000);
    expect(await cycle).toMatchObject({ reason: "at_capacity", polls: 570 });
    expect(reads).toEqual({ openRuns: 570, backoff: 1, spend: 1 });
    expect(world.leasedWith).toEqual([]);
  });

  it.each(["economy", "balanced", "fast"] as const)(
    "%s does not go on for a pool that may run nothing",
    async (mode) => {
      const clock = createFakeClock();
      const world = build({ clock, lease: empty, control: { concurrency: 0 } });
      const cycle = runCycle(world.deps, { ...settings, polling: pollingTimes[mode] }, time);
      expect(await cycle).toMatchObject({ reason: "at_capacity", polls: 1 });
    },
  );
});

it.each([
  [1, 100],
  [50, 100],
  [100, 200],
  [1_000, 2_000],
])("%i runs are looked at every %i ms", (inFlight, expected) => {
  expect(full.waitMs(inFlight)).toBe(expected);
});
