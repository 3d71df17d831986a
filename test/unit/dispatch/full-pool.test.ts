import { describe, expect, it } from "vitest";
import { full } from "../../../lib/dispatch/polling.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { build, queueOf } from "./cycle-world.ts";

const modes = ["economy", "balanced", "fast"] as const;

describe("a full pool", () => {
  it.each(modes)("in %s mode fills a free slot within 0.1 s until the queue is empty", async (mode) => {
    const clock = createFakeClock();
    const leasedAtMs: number[] = [];
    const queue = queueOf(5, clock);
    const lease = async () => {
      const leased = await queue();
      if (leased) leasedAtMs.push(clock.now());
      return leased;
    };
    const { cycle, ports } = build({ clock, lease });
    const { read } = ports.runStore;
    // Each run takes 2.05 s.
    ports.runStore.read = async (pool, runId) => {
      const run = await read(pool, runId);
      return run && run.leasedAtMs + 2_050 > clock.now() ? run : undefined;
    };
    expect(await cycle({ mode, concurrency: 2 })).toMatchObject({ reason: "leased", leased: 5 });
    expect(leasedAtMs).toEqual([0, 0, 2_100, 2_100, 4_200]);
  });

  it("in economy mode is checked until the minute is over, with one read each time", async () => {
    const { cycle, ports, leasedWith } = build({ alreadyOpen: 10, spentUsd: () => 1 });
    const reads = { openRuns: 0, backoff: 0, spend: 0 };
    const { openRuns } = ports.runStore;
    const { read: readBackoff } = ports.backoff;
    const { read: readSpend } = ports.spend;
    ports.runStore.openRuns = (pool) => (reads.openRuns++, openRuns(pool));
    ports.backoff.read = (pool) => (reads.backoff++, readBackoff(pool));
    ports.spend.read = (pool, day) => (reads.spend++, readSpend(pool, day));
    expect(await cycle({ dailyCapUsd: 5 })).toMatchObject({ reason: "at_capacity", polls: 570 });
    expect(reads).toEqual({ openRuns: 570, backoff: 1, spend: 1 });
    expect(leasedWith).toEqual([]);
  });

  it.each(modes)("in %s mode ends the cycle after one poll when its concurrency is 0", async (mode) => {
    const { cycle } = build({ control: { concurrency: 0 } });
    expect(await cycle({ mode })).toMatchObject({ reason: "at_capacity", polls: 1 });
  });
});

it.each([
  [1, 100],
  [50, 100],
  [100, 200],
  [1_000, 2_000],
])("a full pool with %i runs is checked every %i ms", (inFlight, expected) => {
  expect(full.waitMs(inFlight)).toBe(expected);
});
