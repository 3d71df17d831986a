import { describe, expect, it } from "vitest";
import {
  bounds,
  brokenPoolRelations,
  brokenTimingRelations,
  type Bounds,
  type PoolTimes,
} from "../../../infra/relations.ts";
import type { Problem } from "../../../infra/problems.ts";

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

describe("relations of a pool's settings", () => {
  it.each(["economy", "balanced", "fast"] as const)(
    "hold with polling %s and the default time-outs",
    (polling) => {
      expect(brokenPoolRelations(times({ polling }))).toEqual([]);
    },
  );

  it("keep the polling cycle inside the schedule's period", () => {
    expect(brokenPoolRelations(times({ polling: "fast" }), withTiming({ scheduleMs: 50_000 }))).toEqual([
      {
        path: "polling",
        sentence:
          'polling "fast" polls for 57 s, but timing.scheduleMs starts the next cycle after 50 s. Choose a polling mode with a shorter cycle.',
      },
    ]);
  });

  it("keep the cycle and its reserve inside the dispatcher's time-out", () => {
    expect(brokenPoolRelations(times({ dispatcherTimeoutSeconds: 65 }))).toEqual([]);
    expect(brokenPoolRelations(times({ dispatcherTimeoutSeconds: 64 }))).toEqual([
      {
        path: "dispatcher.timeoutSeconds",
        sentence:
          'polling "balanced" polls for 50 s and timing.dispatchReserveMs keeps 15 s free after it, but dispatcher.timeoutSeconds is 64. Give 65 or more, or a polling mode with a shorter cycle.',
      },
    ]);
  });
});

describe("the time-outs of a pool", () => {
  it("let no dispatcher hang for longer than two periods", () => {
    expect(brokenPoolRelations(times({ dispatcherTimeoutSeconds: 120 }))).toEqual([]);
    expect(brokenPoolRelations(times({ dispatcherTimeoutSeconds: 121 }))).toEqual([
      {
        path: "dispatcher.timeoutSeconds",
        sentence:
          "dispatcher.timeoutSeconds is 121, but timing.scheduleMs starts a cycle every 60 s, and a cycle that hangs holds back the next ones. Give 120 or less.",
      },
    ]);
  });

  it("leave an attempt time to work beside its reserve", () => {
    expect(brokenPoolRelations(times({ runLimitMinutes: 13, processorTimeoutSeconds: 80 }))).toEqual([]);
    expect(brokenPoolRelations(times({ processorTimeoutSeconds: 79 }))).toEqual([
      {
        path: "processor.timeoutSeconds",
        sentence:
          "processor.timeoutSeconds is 79, but timing.attemptReserveMs keeps 20 s of it free and an attempt needs 60 s to work. Give 80 or more.",
      },
    ]);
  });

  it("are reported together", () => {
    const broken = brokenPoolRelations(
      times({ polling: "fast", dispatcherTimeoutSeconds: 60, processorTimeoutSeconds: 20 }),
    );
    expect(broken.map(({ path }) => path)).toEqual(["dispatcher.timeoutSeconds", "processor.timeoutSeconds"]);
  });
});

describe("the run limit", () => {
  it("is reached before a run is out of attempts", () => {
    expect(brokenPoolRelations(times({ processorTimeoutSeconds: 297 }))).toEqual([]);
    expect(brokenPoolRelations(times({ processorTimeoutSeconds: 296 }))).toEqual([
      {
        path: "runLimitMinutes",
        sentence:
          "runLimitMinutes is 60, but timing.maxContinuations allows a run 13 attempts, each of which works for 276 s: processor.timeoutSeconds (296) less timing.attemptReserveMs. Give 59 or less, or a processor.timeoutSeconds of 297 or more.",
      },
    ]);
  });

  it("is not judged by attempts that are too short to work", () => {
    const broken = brokenPoolRelations(times({ processorTimeoutSeconds: 79 }));
    expect(broken.map(({ path }) => path)).toEqual(["processor.timeoutSeconds"]);
  });
});

describe("relations of our own times", () => {
  it("hold as they are", () => {
    expect(brokenTimingRelations()).toEqual([]);
  });

  it.each<readonly [what: string, overrides: Partial<Bounds["timing"]>, broken: Problem]>([
    [
      "an event's age stays within half of the lease",
      { maxEventAgeMs: 300_001 },
      {
        path: "timing.maxEventAgeMs",
        sentence:
          "timing.maxEventAgeMs (300.001 s) is more than half of Studio's lease (600 s): a late attempt would begin with too little of its lease left.",
      },
    ],
    [
      "an event's age is one that Lambda allows",
      { maxEventAgeMs: 59_000 },
      {
        path: "timing.maxEventAgeMs",
        sentence: "timing.maxEventAgeMs (59 s) is below Lambda's floor for an event's age (60 s).",
      },
    ],
    [
      "the reserve leaves time to report",
      { hardReserveMs: 11_000 },
      {
        path: "timing.hardReserveMs",
        sentence:
          "timing.hardReserveMs (11 s) takes more than half of timing.attemptReserveMs (20 s): an attempt at its deadline would have no time to report.",
      },
    ],
    [
      "an attempt's last note, its last heartbeat and its continuation fit into the reserve",
      { invokeLimitMs: 8_001 },
      {
        path: "timing.attemptReserveMs",
        sentence:
          "timing.attemptReserveMs (20 s) is shorter than three times timing.runStoreLimitMs (4 s) and timing.invokeLimitMs (8.001 s) together: an attempt's last note, its last heartbeat and its continuation could outlast the function.",
      },
    ],
    [
      "the last heartbeat and the close fit into what is kept after reporting",
      { hardReserveMs: 7_999 },
      {
        path: "timing.hardReserveMs",
        sentence:
          "timing.hardReserveMs (7.999 s) is shorter than twice timing.runStoreLimitMs (4 s): an attempt's last heartbeat and its close could outlast the function.",
      },
    ],
    [
      "one lost heartbeat does not cost the lease",
      { maxHeartbeatMs: 301_000 },
      {
        path: "timing.maxHeartbeatMs",
        sentence:
          "timing.maxHeartbeatMs (301 s) is more than half of Studio's lease (600 s): one lost heartbeat would cost the lease.",
      },
    ],
    [
      "Lambda does not take a run's attempts for a loop",
      { maxContinuations: 13 },
      {
        path: "timing.maxContinuations",
        sentence:
          "timing.maxContinuations (13) and timing.maxStarts (3) let a run call its processor 16 times, but Lambda takes about 16 for a loop and drops the call.",
      },
    ],
  ])("%s", (_, overrides, broken) => {
    expect(brokenTimingRelations(withTiming(overrides))).toEqual([broken]);
  });

  it("recovery has time for a heartbeat and a report", () => {
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
