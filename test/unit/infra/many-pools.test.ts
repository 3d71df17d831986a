import { expect, it } from "vitest";
import { addStack } from "../../../infra/synthesize.ts";
import { testApp } from "./synthesized.ts";

/** Pools with everything that makes resources; only constructed, as a synthesis of so many takes long. */
const construct = (count: number, level: string): number => {
  const pools = Array.from({ length: count }, (_, index) => ({
    name: `pool-${String.fromCharCode(97 + index)}`,
    kind: "user",
    rotation: { everyDays: 30 },
    dailyCapUsd: 5,
  }));
  return addStack(testApp(), { pools, monitoring: { tracing: "xray", level } }).runner.pools.length;
};

it("pools that do not fit into a stack are refused in the settings' words, and as many as the sentence says fit", () => {
  expect(() => construct(10, "full")).toThrow(
    'the settings "studio-runner" have a problem:\n  - pools: 10 pools with these settings make 544 resources, about 54 each, but a stack holds 500. Give at most 9 and put the others into a second stack, or set monitoring.level to "lean", which makes fewer.',
  );
  expect(construct(9, "full")).toBe(9);
  expect(construct(10, "lean")).toBe(10);
});
