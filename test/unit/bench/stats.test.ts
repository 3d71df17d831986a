import { expect, it } from "vitest";
import { median, percentile, rounded } from "../../../bench/stats.ts";

it("a percentile is the measured value of the nearest rank", () => {
  const values = [40, 10, 30, 20];
  expect([0, 0.25, 0.5, 0.95, 0.99, 1].map((share) => percentile(values, share))).toEqual([
    10, 10, 20, 40, 40, 40,
  ]);
  expect(median([7])).toBe(7);
});

it("a percentile of no values is NaN", () => {
  expect(percentile([], 0.5)).toBeNaN();
});

it("figures are rounded without an exponent", () => {
  expect([rounded(1.005e-7, 4), rounded(12.346, 2), rounded(12.5)]).toEqual([0, 12.35, 13]);
});
