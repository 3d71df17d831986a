import { describe, expect, it } from "vitest";
import { createFakeClock } from "../../support/fake-clock.ts";
import { build } from "./cycle-world.ts";

const capped = { dailyCapUsd: 5 };

describe("the daily cap", () => {
  it("stops leasing once it is reached, which is logged and recorded as the cycle's reason", async () => {
    const { cycle, leasedWith, log, metrics, left } = build({ jobs: 3, spentUsd: () => 5, alreadyOpen: 2 });
    const ended = { reason: "daily_cap", polls: 1, leased: 0, inFlight: 2 };
    expect(await cycle(capped)).toEqual({ ...ended, reaped: 0 });
    expect(leasedWith).toEqual([]);
    const fields = { pool: "default", spentUsd: 5, capUsd: 5 };
    expect(log.lines[0]).toEqual({ event: "daily_cap_reached", fields });
    expect(metrics.emitted).toContain("Cycles{pool=default,reason=daily_cap} 1");
    expect(metrics.emitted).toContain("DailySpendPercent{pool=default} 100");
    expect(left).toEqual([{ lastCycle: { ...ended, atMs: 0 }, goodPollAtMs: 0 }]);
  });

  it("lets the pool lease before it is reached, and emits how much of it is spent", async () => {
    const { cycle, metrics } = build({ jobs: 1, spentUsd: () => 4 });
    expect(await cycle(capped)).toMatchObject({ reason: "leased", leased: 1 });
    expect(metrics.emitted).toContain("DailySpendPercent{pool=default} 80");
  });

  it("is checked again while runs are in flight, and ends the cycle in which it is reached", async () => {
    const clock = createFakeClock();
    const spentUsd = () => (clock.now() < 1_000 ? 4 : 5);
    const { cycle } = build({ clock, spentUsd, alreadyOpen: 9 });
    const ended = { reason: "daily_cap", polls: 3, leased: 0, inFlight: 9 };
    expect(await cycle({ ...capped, mode: "balanced" })).toMatchObject(ended);
  });

  it.each([
    ["2026-10-04T23:59:59Z", "2026-10-04", "daily_cap"],
    ["2026-10-05T00:00:00Z", "2026-10-05", "leased"],
  ])("applies to a UTC day: at %s it counts the spend of %s", async (time, today, reason) => {
    const { cycle, ports } = build({ clock: createFakeClock(Date.parse(time)), jobs: 1 });
    const { read } = ports.spend;
    ports.spend.read = async (pool, day) => {
      expect(day).toBe(today);
      return { ...(await read(pool, day)), costUsd: day === "2026-10-04" ? 9 : 0 };
    };
    expect(await cycle(capped)).toMatchObject({ reason });
  });

  it.each([
    [{ dailyCapUsd: 20 }, 5, "leased"],
    [{ dailyCapUsd: 3 }, 5, "daily_cap"],
    [{ dailyCapUsd: 0 }, 5, "daily_cap"],
    [{}, 5, "daily_cap"],
    [{ dailyCapUsd: 1 }, undefined, "daily_cap"],
  ])(
    "can be overridden by an operator: with %j over the deployed %s and 5 spent the reason is %s",
    async (control, dailyCapUsd, reason) => {
      const { cycle } = build({ jobs: 1, spentUsd: () => 5, control });
      expect(await cycle({ dailyCapUsd })).toMatchObject({ reason });
    },
  );

  it("causes no read of the spend and no metric when it is not set", async () => {
    const { cycle, metrics } = build({
      spentUsd: () => {
        throw new Error("there is no cap");
      },
    });
    expect(await cycle()).toMatchObject({ reason: "empty" });
    expect(metrics.emitted.filter((line) => line.startsWith("DailySpend"))).toEqual([]);
  });

  it("is emitted while the pool is paused, which stays the reason", async () => {
    const { cycle, metrics } = build({ control: { paused: true }, spentUsd: () => 6 });
    expect(await cycle(capped)).toMatchObject({ reason: "paused" });
    expect(metrics.emitted).toContain("DailySpendPercent{pool=default} 120");
  });
});
