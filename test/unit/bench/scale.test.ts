import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { between, head, loads, rowOf } from "../../../bench/scale/page.ts";
import type { Load } from "../../../bench/scale/simulation.ts";
import { simulate } from "../../../bench/scale/simulate.ts";

/** The rows of the table in docs/scaling.md, by cells. */
const page = readFileSync("docs/scaling.md", "utf8");
const shown = page
  .slice(page.indexOf("<!-- npm run scale -->"), page.indexOf("<!-- end -->"))
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .map((line) => line.slice(1, -1).split("|"))
  .map((cells) => cells.map((cell) => cell.trim()));

const load: Load = {
  jobs: 300,
  jobSeconds: 20,
  polling: "economy",
  concurrency: 100,
  dispatcherMemoryMb: 1_769,
};

describe("the simulation of a large queue", () => {
  it("gives the table in docs/scaling.md", async () => {
    // Only the fastest load is simulated; of the others, the test compares the input columns.
    const atOnce = loads[2]!;
    const outcome = await simulate(atOnce);
    expect(shown[0]).toEqual([...head]);
    expect(shown.slice(2).map((row) => row.slice(0, 6))).toEqual(
      loads.map((one) => rowOf(one, outcome).slice(0, 6).map(String)),
    );
    expect(shown[4]).toEqual(rowOf(atOnce, outcome).map(String));
  });

  it("drains the queue in little more than the ideal time, and is deterministic", async () => {
    const outcome = await simulate(load);
    expect(outcome.idealSeconds).toBeCloseTo(3 * 20.45, 9);
    expect(outcome.drainSeconds).toBeGreaterThan(outcome.idealSeconds);
    expect(outcome.drainSeconds).toBeLessThan(1.15 * outcome.idealSeconds);
    expect(outcome.environments).toBe(100);
    expect(await simulate(load)).toEqual(outcome);
  });

  it("takes longer with little memory, and with a Studio that limits requests", async () => {
    const [whole, small, refused] = await Promise.all([
      simulate(load),
      simulate({ ...load, dispatcherMemoryMb: 150 }),
      simulate({ ...load, studioPerSecond: 20 }),
    ]);
    expect(small.fullSeconds).toBeGreaterThan(3 * whole.fullSeconds);
    expect(whole.refusedByStudio).toBe(0);
    expect(refused.refusedByStudio).toBeGreaterThan(0);
    expect(refused.drainSeconds).toBeGreaterThan(whole.drainSeconds);
  });
});

it("a page without a place for the table is rejected", () => {
  expect(() => between("# Scaling", "|")).toThrow("docs/scaling.md has no place for the table");
});
