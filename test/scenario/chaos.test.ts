import { expect, inject, test } from "vitest";
import { chaosOf } from "../chaos/options.ts";
import { jobKinds } from "../chaos/jobs.ts";
import { runChaos } from "../chaos/chaos.ts";
import { allKinds } from "../chaos/kinds.ts";
import { unstruck } from "../chaos/report.ts";

/** The short form of `npm run chaos`, with shorter legs and leases. */
test("40 jobs under faults of every kind: none is lost, none completed twice, nothing is posted after a loss", async () => {
  const report = await runChaos(inject("templateFile"), {
    ...chaosOf(40),
    // Without the kind whose rounds are as long as a leg: it takes a quarter of a minute by itself.
    kinds: jobKinds.filter(({ name }) => name !== "a round as long as a leg"),
    seed: 7,
    legSeconds: 5,
    leaseMs: 10_000,
    limitMs: 60_000,
  });

  expect(report.broken).toEqual([]);
  expect(report.completed + [...report.failed.values()].reduce((sum, count) => sum + count, 0)).toBe(40);
  expect(unstruck(report.faults, new Set(allKinds))).toEqual([]);
}, 150_000);
