import { expect, inject, onTestFailed, test } from "vitest";
import { runChaos } from "../chaos/chaos.ts";
import { jobKinds } from "../chaos/jobs.ts";
import { chaosOf } from "../chaos/options.ts";
import { format, unstruck } from "../chaos/report.ts";

const declined = jobKinds.filter(({ fails }) => fails !== undefined);
// Without the kind whose rounds take as long as an attempt, which alone needs 15 seconds.
const quick = jobKinds.filter(({ name }) => name !== "a round as long as an attempt");

/**
 * The short form of `npm run chaos`, with shorter leases, and with enough failing jobs that their answers are
 * lost in every way. Adds jobs if a fault has not been applied among the first ones.
 */
test(
  "50 jobs under faults of every kind each get their own answer once, nothing is posted after a lease is lost, and the run store agrees with Studio",
  { timeout: 480_000 },
  async () => {
    const options = {
      ...chaosOf(50),
      kinds: [...quick, ...declined],
      seed: 7,
      leaseMs: 10_000,
      limitMs: 120_000,
    };
    const report = await runChaos(inject("templateFile"), options);
    onTestFailed(() => console.error(format(report, options)));

    expect(report.broken).toEqual([]);
    expect(report.jobs).toBeGreaterThanOrEqual(50);
    expect(report.completed + [...report.failed.values()].reduce((sum, count) => sum + count, 0)).toBe(
      report.jobs,
    );
    expect(unstruck(report.faults, options)).toEqual([]);
  },
);
