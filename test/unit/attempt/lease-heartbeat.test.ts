import { afterEach, describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { heartbeatIntervalMs, LeaseHeartbeat } from "../../../lib/attempt/lease-heartbeat.ts";
import type { Cancellation } from "../../../lib/runs/run.ts";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.ts";
import { partOf } from "../../support/part-of.ts";
import { recordingLog } from "../../support/silent.ts";
import {
  keyRefused,
  lost,
  outage,
  throttled,
  throwing,
  throwingFirst,
  tooManyRequests,
} from "./attempt-world.ts";

const byAnn = { by: "ann", atMs: 5 };
const never = new AbortController().signal;

const running: LeaseHeartbeat[] = [];
afterEach(() => Promise.all(running.splice(0).map((heartbeat) => heartbeat.stop())));

interface World {
  /** Studio's answer: the lease's new end, or undefined, which is the default. */
  readonly answer?: (signal: AbortSignal, clock: FakeClock) => Promise<number | undefined>;
  /** Whether the run store accepts the heartbeat. */
  readonly isOurs?: () => boolean;
  readonly takenAgoMs?: number;
  /** When the run's row is marked. */
  readonly cancelledAtMs?: number;
}

/** Keeps a lease of ten minutes, with `random` 1 so that the interval is the whole 120 s. */
function keep({
  answer,
  isOurs = () => true,
  takenAgoMs = 0,
  cancelledAtMs = Number.POSITIVE_INFINITY,
}: World = {}) {
  const clock = createFakeClock();
  const sentAtMs: number[] = [];
  const cancelled: Cancellation[] = [];
  const held = () => ({ cancelled: clock.now() < cancelledAtMs ? undefined : byAnn });
  const heartbeat = new LeaseHeartbeat(
    {
      clock,
      random: () => 1,
      log: recordingLog(),
      onHeartbeat: () => undefined,
      onHeartbeatFailed: () => undefined,
      onCancelled: (cancellation) => void cancelled.push(cancellation),
      job: partOf({
        heartbeat: async (signal) => {
          sentAtMs.push(clock.now());
          return { leaseExpiresAtMs: await answer?.(signal, clock) };
        },
      }),
      runStore: partOf({
        heartbeat: async () => (isOurs() ? held() : undefined),
        owns: async () => held(),
      }),
    },
    {
      fence: { pool: "default", runId: "r", attempt: 1, invocationId: "i" },
      leaseMs: 600_000,
      leaseExpiresAtMs: 600_000 - takenAgoMs,
    },
  );
  running.push(heartbeat);
  return { clock, sentAtMs, cancelled, heartbeat, signal: heartbeat.signal };
}

const unanswered = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

describe("the heartbeat interval", () => {
  it.each([
    [600_000, 120_000],
    [3_600_000, 120_000],
    [60_000, 12_000],
    [100, 200],
  ])("for a lease of %i ms is %i ms", (leaseMs, expected) => {
    expect(heartbeatIntervalMs(leaseMs, () => 1)).toBe(expected);
  });

  it("is shortened by at most a tenth at random", () => {
    expect(heartbeatIntervalMs(600_000, () => 0)).toBe(108_000);
  });
});

describe("the lease heartbeat", () => {
  it("is sent on its interval and keeps the lease while it is accepted", async () => {
    const { clock, sentAtMs, signal } = keep();
    await clock.advance(1_300_000);
    expect(sentAtMs).toEqual([
      120_000, 240_000, 360_000, 480_000, 600_000, 720_000, 840_000, 960_000, 1_080_000, 1_200_000,
    ]);
    expect(signal.aborted).toBe(false);
  });

  it("is never in flight twice, and is aborted after one interval when it hangs", async () => {
    let [open, most] = [0, 0];
    const { clock, sentAtMs } = keep({
      answer: (signal) => {
        most = Math.max(most, ++open);
        return unanswered(signal).finally(() => open--);
      },
    });
    await clock.advance(599_000);
    expect(most).toBe(1);
    expect(sentAtMs).toEqual([120_000, 241_000, 363_000, 487_000]);
  });

  it.each([
    ["lease_lost", "Studio says that the lease is gone", { answer: throwing(lost) }],
    ["superseded", "the run store's fence refuses it", { isOurs: () => false }],
  ])("aborts the attempt at once as %s when %s", async (code, _, world) => {
    const { clock, signal } = keep(world);
    await clock.advance(120_000);
    expect(signal.reason).toMatchObject({ code });
  });

  it.each([
    ["is accepted", undefined],
    ["fails", throwing(outage)],
    ["is refused for its key", throwing(keyRefused)],
  ])("shows that the run was cancelled when it %s, and goes on", async (_, answer) => {
    const { clock, sentAtMs, cancelled, signal } = keep({
      cancelledAtMs: 100_000,
      ...(answer && { answer }),
    });
    await clock.advance(119_000);
    expect(cancelled).toEqual([]);
    await clock.advance(1_000);
    expect(cancelled).toEqual([byAnn]);
    await clock.advance(120_000);
    expect(sentAtMs.length).toBeGreaterThan(1);
    expect(signal.aborted).toBe(false);
  });

  it("continues when a refused key is accepted again", async () => {
    let isRefused = true;
    const { clock, heartbeat, signal } = keep({
      answer: async () => {
        if (isRefused) throw keyRefused;
        return undefined;
      },
    });
    await clock.advance(300_000);
    expect(heartbeat.isKeyRefused).toBe(true);
    isRefused = false;
    await clock.advance(400_000);
    expect(heartbeat.isKeyRefused).toBe(false);
    expect(signal.aborted).toBe(false);
  });

  it("continues when Studio is back before the lease expires", async () => {
    let isDown = true;
    const { clock, signal } = keep({
      answer: async () => {
        if (isDown) throw outage;
        return undefined;
      },
    });
    await clock.advance(590_000);
    isDown = false;
    await clock.advance(600_000);
    expect(signal.aborted).toBe(false);
  });

  const refusedThenUnanswered = () => {
    let heartbeats = 0;
    return async (): Promise<never> => {
      throw ++heartbeats === 1 ? keyRefused : outage;
    };
  };

  it.each([
    ["lease_lost", "no heartbeat has succeeded", throwing(outage)],
    ["lease_lost", "a heartbeat in flight is never answered", unanswered],
    ["key_refused", "the key was refused each time", throwing(keyRefused)],
    ["key_refused", "the key was refused and Studio then stops answering", refusedThenUnanswered()],
  ])("aborts the attempt as %s exactly when the lease expires if %s", async (code, _, answer) => {
    const { clock, signal } = keep({ answer });
    await clock.advance(599_999);
    expect(signal.aborted).toBe(false);
    await clock.advance(1);
    expect(signal.reason).toMatchObject({ code });
  });

  it("adopts the new end of the lease from Studio's answer", async () => {
    const { clock, heartbeat } = keep({ answer: async () => 5_000_000 });
    await clock.advance(120_000);
    expect(heartbeat.leaseLeftMs()).toBe(4_880_000);
  });

  it("counts as accepted even when its answer gives an end that is long past", async () => {
    const { clock, heartbeat, signal } = keep({ answer: async () => 5 });
    await clock.advance(120_000);
    expect(heartbeat.leaseLeftMs()).toBe(600_000);
    await clock.advance(1_200_000);
    expect(signal.aborted).toBe(false);
  });

  it("is sent at growing intervals when Studio keeps answering 429 with Retry-After: 0", async () => {
    const { clock, sentAtMs } = keep({ answer: throwing(tooManyRequests(0)) });
    await clock.advance(210_000);
    expect(sentAtMs).toEqual([120_000, 121_000, 123_000, 127_000, 135_000, 151_000, 181_000]);
  });

  it("is not sent after stop, which leaves no timer running", async () => {
    const { clock, sentAtMs, heartbeat } = keep();
    await heartbeat.stop();
    await clock.advance(1_000_000);
    expect(sentAtMs).toEqual([]);
    expect(clock.sleeping()).toBe(0);
  });

  it("counts a start as late once half of the lease has passed", () => {
    expect(keep({ takenAgoMs: 299_000 }).heartbeat.isLate()).toBe(false);
    expect(keep({ takenAgoMs: 301_000 }).heartbeat.isLate()).toBe(true);
  });
});

describe("confirm", () => {
  it("sends a heartbeat at once, and another one when the last is more than ten seconds old", async () => {
    const { clock, sentAtMs, heartbeat } = keep();
    for (const passedMs of [0, 9_000, 2_000]) {
      await clock.advance(passedMs);
      await heartbeat.confirm(never);
    }
    expect(sentAtMs).toEqual([0, 11_000]);
  });

  it("sends no heartbeat right after one was sent on the interval", async () => {
    const { clock, sentAtMs, heartbeat } = keep();
    await clock.advance(121_000);
    await heartbeat.confirm(never);
    expect(sentAtMs).toEqual([120_000]);
  });

  it("waits until the run store has accepted the heartbeat too", async () => {
    let isDown = true;
    const { clock, heartbeat } = keep({
      isOurs: () => {
        if (isDown) throw throttled;
        return true;
      },
    });
    let isConfirmed = false;
    const confirmed = heartbeat.confirm(never).then(() => (isConfirmed = true));
    await clock.advance(20_000);
    expect(isConfirmed).toBe(false);
    isDown = false;
    await clock.advance(30_000);
    await confirmed;
  });

  it("does not count a heartbeat that was sent before the time that the caller gives", async () => {
    const { clock, sentAtMs, heartbeat } = keep({
      answer: async (signal, { sleep }) => {
        await sleep(1_000, signal);
        return undefined;
      },
    });
    await clock.advance(120_500);
    const confirmed = heartbeat.confirm(never, clock.now());
    await clock.advance(3_000);
    await confirmed;
    expect(sentAtMs).toEqual([120_000, 121_200]);
  });

  it("sends another heartbeat when the last one is older than the caller allows", async () => {
    const { clock, sentAtMs, heartbeat } = keep();
    await heartbeat.confirm(never);
    await clock.advance(1_000);
    await heartbeat.confirm(never, 500);
    expect(sentAtMs).toEqual([0, 1_000]);
  });

  it("retries until a heartbeat succeeds", async () => {
    const { clock, sentAtMs, heartbeat } = keep({ answer: throwingFirst(outage, 2) });
    const confirmed = heartbeat.confirm(never);
    await clock.advance(3_000);
    await confirmed;
    expect(sentAtMs).toEqual([0, 1_000, 3_000]);
  });

  it("rejects when the caller's deadline passes", async () => {
    const { heartbeat } = keep({ answer: () => new Promise(() => undefined) });
    const deadline = new AbortController();
    const confirmed = heartbeat.confirm(deadline.signal);
    deadline.abort(new RunnerError("attempt_deadline", "over"));
    await expect(confirmed).rejects.toMatchObject({ code: "attempt_deadline" });
  });
});
