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
          'polling "fast" polls for 57 s, but timing.scheduleMs starts the next cycle after 50 s. Choose a polling mode with a shorter cycle.',
      },
    ]);
  });

  it.each<readonly [overrides: Partial<PoolTimes>, path: string, sentence: string]>([
    [
      { dispatcherTimeoutSeconds: 64 },
      "dispatcher.timeoutSeconds",
      'polling "balanced" polls for 50 s and timing.dispatchReserveMs keeps 15 s free after it, but dispatcher.timeoutSeconds is 64. Give 65 or more, or a polling mode with a shorter cycle.',
    ],
    [
      { dispatcherTimeoutSeconds: 121 },
      "dispatcher.timeoutSeconds",
      "dispatcher.timeoutSeconds is 121, but timing.scheduleMs starts a cycle every 60 s, and a cycle that hangs holds back the next ones. Give 120 or less.",
    ],
    [
      { processorTimeoutSeconds: 79 },
      "processor.timeoutSeconds",
      "processor.timeoutSeconds is 79, but timing.attemptReserveMs keeps 20 s of it free and an attempt needs 60 s to work. Give 80 or more.",
    ],
    [
      { processorTimeoutSeconds: 296 },
      "runLimitMinutes",
      "runLimitMinutes is 60, but timing.maxContinuations allows a run 13 attempts, each of which works for 276 s: processor.timeoutSeconds (296) less timing.attemptReserveMs. Give 59 or less, or a processor.timeoutSeconds of 297 or more.",
    ],
  ])("are broken with %j: %s is reported", (overrides, path, sentence) => {
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
      "timing.maxEventAgeMs (300.001 s) is more than half of Studio's lease (600 s): a late attempt would begin with too little of its lease left.",
    ],
    [
      { maxEventAgeMs: 59_000 },
      "timing.maxEventAgeMs (59 s) is below Lambda's floor for an event's age (60 s).",
    ],
    [
      { hardReserveMs: 11_000 },
      "timing.hardReserveMs (11 s) takes more than half of timing.attemptReserveMs (20 s): an attempt at its deadline would have no time to report.",
    ],
    [
      { invokeLimitMs: 8_001 },
      "timing.attemptReserveMs (20 s) is shorter than three times timing.runStoreLimitMs (4 s) and timing.invokeLimitMs (8.001 s) together: an attempt's last note, its last heartbeat and its continuation could outlast the function.",
    ],
    [
      { hardReserveMs: 7_999 },
      "timing.hardReserveMs (7.999 s) is shorter than twice timing.runStoreLimitMs (4 s): an attempt's last heartbeat and its close could outlast the function.",
    ],
    [
      { maxHeartbeatMs: 301_000 },
      "timing.maxHeartbeatMs (301 s) is more than half of Studio's lease (600 s): one lost heartbeat would cost the lease.",
    ],
    [
      { maxContinuations: 13 },
      "timing.maxContinuations (13) and timing.maxStarts (3) let a run call its processor 16 times, but Lambda takes about 16 for a loop and drops the call.",
    ],
  ])("are broken with %j: %s", (overrides, sentence) => {
    expect(brokenTimingRelations(withTiming(overrides))).toEqual([
      { path: sentence.split(" ")[0], sentence },
    ]);
  });

  it("give recovery time for a heartbeat and a report", () => {
    expect(brokenTimingRelations({ ...bounds, recoveryTimeoutMs: 54_000 })).toEqual([]);
    expect(brokenTimingRelations({ ...bounds, recoveryTimeoutMs: 53_000 })).toEqual([
      {
        path: "recoveryTimeoutMs",
        sentence:
          "recoveryTimeoutMs (53 s) does not hold timing.recoverHeartbeatLimitMs (15 s), timing.recoverReportLimitMs (30 s) and timing.hardReserveMs (9 s): Lambda would end recovery before it has closed the run.",
      },
    ]);
  });
});
