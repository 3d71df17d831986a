import { expect, test } from "vitest";
import { createControlRow } from "../../lib/runs/control.ts";
import { createDispatchLock } from "../../lib/runs/dispatch-lock.ts";
import { createSpendRow, utcDay } from "../../lib/runs/spend.ts";
import { buildWith } from "../support/build-with.ts";
import { eventually, eventuallyTrue } from "../support/eventually.ts";
import { operatorOf } from "../support/here-cli.ts";
import { heldMs } from "../support/hold.ts";
import { startScenario } from "../support/stack.ts";

const pool = "local";

/** At this price a job costs about 0.10 USD. */
const expensive = { inputPerMillionUsd: 10, cachedInputPerMillionUsd: 1, outputPerMillionUsd: 50 };

test("at the daily cap running jobs end and no more are leased, until the cap is raised", async ({
  onTestFinished,
}) => {
  // Each job costs more than the whole cap.
  const build = buildWith({ spend: { prices: { "offline-canned": expensive } } }, { dailyCapUsd: 0.01 });
  const scenario = await startScenario({ concurrency: 2, build }, onTestFinished);
  const spend = createSpendRow(scenario.table);
  const lock = createDispatchLock(scenario.table);
  const queue = (count: number): readonly string[] =>
    Array.from({ length: count }, (_, index) => scenario.queue(`Plan launch ${index}.`));

  // Nothing has been spent yet, so both are leased and finish, although they exceed the cap.
  const leased = queue(2);
  await scenario.cycle();
  for (const id of leased) expect(await scenario.ended(id)).toMatchObject({ state: "completed" });

  const today = utcDay(Date.now());
  await eventually("the day's spending", async () =>
    (await spend.read(pool, today)).runs === 2 ? true : undefined,
  );

  const waiting = queue(3);
  const states = (): readonly string[] => [...leased, ...waiting].map((id) => scenario.summary(id).state);
  const { summary, error } = await scenario.cycle();
  expect(error).toBeUndefined();
  expect(summary).toMatchObject({ reason: "daily_cap", leased: 0 });
  expect(states()).toEqual(["completed", "completed", "queued", "queued", "queued"]);
  expect(scenario.lines("daily_cap_reached").at(-1)).toMatchObject({ level: "WARN", pool, capUsd: 0.01 });
  const state = await lock.read(pool);
  expect(state.lastCycle).toMatchObject({ reason: "daily_cap", leased: 0 });
  expect(state.goodPollAtMs).toBe(state.lastCycle?.atMs);

  // The day's spending is the sum of its runs.
  const runs = await scenario.runs();
  const costs = runs.map(({ costUsd }) => costUsd!);
  expect(Math.min(...costs)).toBeGreaterThan(0.01);
  const spent = await spend.read(pool, today);
  expect(spent).toMatchObject({ runs: 2, completed: 2, failed: 0, lost: 0 });
  expect(spent.costUsd).toBeCloseTo(costs[0]! + costs[1]!, 9);
  expect(scenario.metric("CostUsd")).toBeCloseTo(spent.costUsd, 9);
  expect(scenario.metric("DailySpendPercent")).toBeGreaterThan(100);

  const cli = await operatorOf(scenario);
  const status = await cli(["status", "--local"]);
  expect(status.stdout).toContain("at its daily cap, no new leases until 00:00 UTC");
  expect(status.stdout).toContain("the day's spending has reached its cap");
  const asJson = JSON.parse((await cli(["status", "--local", "--json"])).stdout) as unknown;
  expect(asJson).toMatchObject({
    pools: [{ state: "capped", dailyCapUsd: { value: 0.01 }, lastCycle: { reason: "daily_cap" } }],
  });

  expect((await cli(["set-cap", "100", "--local"])).code).toBe(0);
  await scenario.drain();
  expect(states()).toEqual(["completed", "completed", "completed", "completed", "completed"]);
  expect((await lock.read(pool)).lastCycle?.reason).toBe("empty");
  expect((await spend.read(pool, today)).runs).toBe(5);
});

test("an operator's concurrency applies from the next cycle without a deploy", async ({ onTestFinished }) => {
  const scenario = await startScenario({ concurrency: 4, turnMs: heldMs }, onTestFinished);
  const { studio } = scenario;
  const leased = (): number => studio.snapshot().filter(({ state }) => state === "leased").length;
  let widest = 0;
  studio.onChange(() => (widest = Math.max(widest, leased())));
  const control = createControlRow(scenario.table);
  const work = async (concurrency: number | null): Promise<number> => {
    await control.write(pool, { concurrency, concurrencyBy: "ada", concurrencyAtMs: 1 });
    for (let index = 0; index < 4; index++) scenario.queue(`Plan launch ${index}.`);
    widest = 0;
    scenario.hold(() => true);
    const cycle = scenario.cycle();
    await eventuallyTrue("as many are leased as may be", () => leased() === (concurrency ?? 4));
    scenario.hold(() => false);
    await cycle;
    await scenario.drain();
    return widest;
  };

  expect(await work(1)).toBe(1);
  expect(await work(null)).toBe(4);
});
