import { describe, expect, it } from "vitest";
import {
  bounds,
  brokenPoolRelations,
  brokenTimingRelations,
  type Bounds,
  type PoolTimes,
} from "../../../infra/relations.ts";

const times = (overrides: Partial<PoolTimes> = {}): PoolTimes => ({
  polling: "balanced",
  runLimitMinutes: 60,
  dispatcherTimeoutSeconds: 75,
  processorTimeoutSeconds: 900,
  ...overrides,
});

const withTiming = (overrides: Partial<Bounds["timing"]>): Bounds => ({
  ...bounds,
  timing: { ...bounds.timing, ...overrides },
});

describe("the relations of a pool's settings", () => {
  it.each<Partial<PoolTimes>>([
    { polling: "economy" },
    { polling: "balanced" },
    { polling: "fast" },
    { dispatcherTimeoutSeconds: 65 },
    { dispatcherTimeoutSeconds: 120 },
    { runLimitMinutes: 13, processorTimeoutSeconds: 80 },
    { processorTimeoutSeconds: 297 },
  ])("hold with %j and every other default", (overrides) => {
    expect(brokenPoolRelations(times(overrides))).toEqual([]);
  });

  it("keep the polling cycle within the schedule's period", () => {
    expect(brokenPoolRelations(times({ polling: "fast" }), withTiming({ scheduleMs: 50_000 }))).toEqual([
      {
        path: "polling",
        sentence:
          '"fast" polls for 57 s, but timing.scheduleMs starts the next cycle after 50 s. Choose a polling mode with a shorter cycle.',
      },
    ]);
  });

  it.each<readonly [overrides: Partial<PoolTimes>, path: string, remedy: string]>([
    [{ dispatcherTimeoutSeconds: 64 }, "dispatcher.timeoutSeconds", "Give 65 or more"],
    [{ dispatcherTimeoutSeconds: 121 }, "dispatcher.timeoutSeconds", "Give 120 or less."],
    [{ processorTimeoutSeconds: 79 }, "processor.timeoutSeconds", "Give 80 or more."],
    [
      { processorTimeoutSeconds: 296 },
      "runLimitMinutes",
      "Give 59 or less, or a processor.timeoutSeconds of 297 or more.",
    ],
  ])("are broken with %j: %s is reported with the remedy: %s", (overrides, path, remedy) => {
    const sentence: unknown = expect.stringContaining(remedy);
    expect(brokenPoolRelations(times(overrides))).toEqual([{ path, sentence }]);
  });

  it("are reported together", () => {
    const broken = brokenPoolRelations(
      times({ polling: "fast", dispatcherTimeoutSeconds: 60, processorTimeoutSeconds: 20 }),
    );
    expect(broken.map(({ path }) => path)).toEqual(["dispatcher.timeoutSeconds", "processor.timeoutSeconds"]);
  });
});

describe("the relations of the fixed times", () => {
  it("hold with the values in use", () => {
    expect(brokenTimingRelations()).toEqual([]);
  });

  it.each<readonly [overrides: Partial<Bounds["timing"]>, sentence: string]>([
    [
      { maxEventAgeMs: 300_001 },
      "timing.maxEventAgeMs (300.001 s) is more than half of Studio's lease (600 s)",
    ],
    [{ maxEventAgeMs: 59_000 }, "timing.maxEventAgeMs (59 s) is below Lambda's floor"],
    [
      { hardReserveMs: 11_000 },
      "timing.hardReserveMs (11 s) takes more than half of timing.attemptReserveMs",
    ],
    [{ invokeLimitMs: 8_001 }, "timing.attemptReserveMs (20 s) is shorter than three times"],
    [{ hardReserveMs: 7_999 }, "timing.hardReserveMs (7.999 s) is shorter than twice timing.runStoreLimitMs"],
    [
      { maxHeartbeatMs: 301_000 },
      "timing.maxHeartbeatMs (301 s) is more than half of Studio's lease (600 s)",
    ],
    [
      { maxContinuations: 13 },
      "timing.maxContinuations (13) and timing.maxStarts (3) let a run call its processor 16",
    ],
  ])("are broken with %j: %s", (overrides, words) => {
    const sentence: unknown = expect.stringContaining(words);
    expect(brokenTimingRelations(withTiming(overrides))).toEqual([{ path: words.split(" ")[0], sentence }]);
  });

  it("give recovery time for a heartbeat and a report", () => {
    expect(brokenTimingRelations({ ...bounds, recoveryTimeoutMs: 54_000 })).toEqual([]);
    expect(brokenTimingRelations({ ...bounds, recoveryTimeoutMs: 53_000 })).toMatchObject([
      { path: "recoveryTimeoutMs" },
    ]);
  });
});
