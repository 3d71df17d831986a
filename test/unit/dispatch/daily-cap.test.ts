import { describe, expect, it } from "vitest";
import { pollingTimes } from "../../../lib/dispatch/polling.ts";
import { runCycle } from "../../../lib/dispatch/cycle.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { build, empty, queueOf, settings, time } from "./cycle-world.ts";

const capped = { ...settings, dailyCapUsd: 5 };

describe("a daily cap", () => {
  it("that is reached stops leasing; what runs goes on, and the cycle says why", async () => {
    const clock = createFakeClock();
    const world = build({ clock, lease: queueOf(3, clock), spentUsd: () => 5, alreadyOpen: 2 });
    expect(await runCycle(world.deps, capped, time)).toEqual({
      reason: "daily_cap",
      polls: 1,
      leased: 0,
      inFlight: 2,
      reaped: 0,
    });
    expect(world.leasedWith).toEqual([]);
    expect(world.log.lines[0]).toEqual({
      event: "daily_cap_reached",
      fields: { pool: "default", spentUsd: 5, capUsd: 5 },
    });
    expect(world.metrics.emitted).toEqual([
      "Cycles{pool=default,reason=daily_cap} 1",
      "GoodPolls{pool=default} 1",
      "DailySpendPercent{pool=default} 100",
      "InFlight{pool=default} 2",
      "FreeCapacity{pool=default} 8",
    ]);
    expect(world.left).toEqual([
      {
        lastCycle: { reason: "daily_cap", atMs: 0, polls: 1, leased: 0, inFlight: 2 },
        goodPollAtMs: 0,
      },
    ]);
  });

  it("that is not reached lets the pool lease, and shows how near it is", async () => {
    const clock = createFakeClock();
    const world = build({ clock, lease: queueOf(1, clock), spentUsd: () => 4 });
    expect(await runCycle(world.deps, capped, time)).toMatchObject({ reason: "leased", leased: 1 });
    expect(world.metrics.emitted).toContain("DailySpendPercent{pool=default} 80");
  });

  it("is looked at again while runs are in flight, and ends the cycle that reaches it", async () => {
    const clock = createFakeClock();
    const world = build({
      clock,
      lease: empty,
      spentUsd: () => (clock.now() < 1_000 ? 4 : 5),
      alreadyOpen: 9,
    });
    const cycle = runCycle(world.deps, { ...capped, polling: pollingTimes.balanced }, time);
    await clock.advance(2_000);
    expect(await cycle).toMatchObject({ reason: "daily_cap", polls: 3, leased: 0, inFlight: 9 });
  });

  it("is of one UTC day: the next day's spending begins at nothing", async () => {
    const lastSecond = Date.parse("2026-10-04T23:59:59Z");
    const days: string[] = [];
    const spendOn = async (atMs: number): Promise<string> => {
      const clock = createFakeClock(atMs);
      const world = build({ clock, lease: queueOf(1, clock) });
      const { spend } = world.deps;
      const read = async (pool: string, day: string) => {
        days.push(day);
        return { ...(await spend.read(pool, day)), costUsd: day === "2026-10-04" ? 9 : 0 };
      };
      return (await runCycle({ ...world.deps, spend: { ...spend, read } }, capped, time)).reason;
    };
    expect(await spendOn(lastSecond)).toBe("daily_cap");
    expect(await spendOn(lastSecond + 1_000)).toBe("leased");
    expect(days).toEqual(["2026-10-04", "2026-10-05"]);
  });

  it.each([
    [{ dailyCapUsd: 20 }, "leased"],
    [{ dailyCapUsd: 3 }, "daily_cap"],
    [{ dailyCapUsd: 0 }, "daily_cap"],
    [{}, "daily_cap"],
  ])(
    "may be set for now by an operator: %j over the deployed 5, of which 5 are spent: %s",
    async (control, reason) => {
      const clock = createFakeClock();
      const world = build({ clock, lease: queueOf(1, clock), spentUsd: () => 5, control });
      expect(await runCycle(world.deps, capped, time)).toMatchObject({ reason });
    },
  );

  it("may be set for now where none is deployed", async () => {
    const clock = createFakeClock();
    const world = build({ clock, lease: queueOf(1, clock), spentUsd: () => 5, control: { dailyCapUsd: 1 } });
    expect(await runCycle(world.deps, settings, time)).toMatchObject({ reason: "daily_cap" });
  });

  it("costs nothing where there is none: nothing is read, nothing emitted", async () => {
    const clock = createFakeClock();
    const spentUsd = (): never => {
      throw new Error("there is no cap");
    };
    const world = build({ clock, lease: empty, spentUsd });
    await runCycle(world.deps, settings, time);
    expect(world.metrics.emitted).toEqual([
      "Cycles{pool=default,reason=empty} 1",
      "GoodPolls{pool=default} 1",
    ]);
  });

  it("is shown while the pool is paused, which stays the reason", async () => {
    const clock = createFakeClock();
    const world = build({ clock, lease: empty, control: { paused: true }, spentUsd: () => 6 });
    expect(await runCycle(world.deps, capped, time)).toMatchObject({ reason: "paused" });
    expect(world.metrics.emitted).toEqual([
      "Cycles{pool=default,reason=paused} 1",
      "GoodPolls{pool=default} 1",
      "DailySpendPercent{pool=default} 120",
    ]);
  });
});
