import { afterEach, describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { heartbeatIntervalMs, LeaseHeartbeat } from "../../../lib/attempt/lease-heartbeat.ts";
import type { StudioJob } from "../../../lib/attempt/studio-job.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { recordingLog } from "../../support/silent.ts";

const never = new AbortController().signal;
const tenMinutes = 600_000;

type Heartbeat = StudioJob["heartbeat"];

const running: LeaseHeartbeat[] = [];
afterEach(() => Promise.all(running.splice(0).map((heartbeat) => heartbeat.stop())));

/** Keeps a lease of ten minutes taken now, with `random` 1 so that the interval is the whole 120 s. */
function keep(
  answer: Heartbeat,
  options: { readonly ours?: () => boolean; readonly takenAgoMs?: number } = {},
) {
  const clock = createFakeClock();
  const heartbeats: number[] = [];
  const startMs = clock.now();
  const leasedAtMs = startMs - (options.takenAgoMs ?? 0);
  const unused = (): never => {
    throw new Error("not a heartbeat's business");
  };
  const heartbeat = new LeaseHeartbeat(
    {
      clock,
      random: () => 1,
      log: recordingLog(),
      onHeartbeat: () => undefined,
      onHeartbeatFailed: () => undefined,
      job: {
        heartbeat: (signal) => {
          heartbeats.push(clock.now() - startMs);
          return answer(signal);
        },
        context: unused,
        updateSummary: unused,
        complete: unused,
        fail: unused,
      },
      runStore: {
        heartbeat: async () => options.ours?.() ?? true,
        owns: unused,
        touch: unused,
        supersede: unused,
        create: unused,
        start: unused,
        note: unused,
        continueRun: unused,
        restart: unused,
        finish: unused,
        finishAbandoned: unused,
        read: unused,
        openRuns: unused,
        recentRuns: unused,
        runsOf: unused,
      },
    },
    {
      fence: { pool: "default", runId: "r", attempt: 1, invocationId: "i" },
      leaseMs: tenMinutes,
      leaseExpiresAtMs: leasedAtMs + tenMinutes,
    },
  );
  running.push(heartbeat);
  return { clock, heartbeats, heartbeat, startMs };
}

const extendsBy =
  (clockOf: () => number): Heartbeat =>
  async () => ({ leaseExpiresAtMs: clockOf() + tenMinutes });
const unavailable = new RunnerError("studio_unavailable", "502", { retryable: true, status: 502 });

describe("the heartbeat interval", () => {
  it.each([
    [600_000, 120_000],
    [3_600_000, 120_000],
    [60_000, 12_000],
    [100, 200],
  ])("of a lease of %i ms is %i ms", (leaseMs, expected) => {
    expect(heartbeatIntervalMs(leaseMs, () => 1)).toBe(expected);
  });

  it("is jittered downwards by at most a tenth", () => {
    expect(heartbeatIntervalMs(600_000, () => 0)).toBe(108_000);
  });
});

describe("the heartbeat", () => {
  it("sends heartbeats on its interval for as long as it runs", async () => {
    const kept = keep(async () => ({ leaseExpiresAtMs: undefined }));
    await kept.clock.advance(1_300_000);
    expect(kept.heartbeats).toEqual([
      120_000, 240_000, 360_000, 480_000, 600_000, 720_000, 840_000, 960_000, 1_080_000, 1_200_000,
    ]);
    expect(kept.heartbeat.signal.aborted).toBe(false);
  });

  it("never has two heartbeats in flight, and cuts a hanging one off after one interval", async () => {
    let open = 0;
    let most = 0;
    const kept = keep(
      (signal) =>
        new Promise((_, reject) => {
          most = Math.max(most, ++open);
          signal.addEventListener("abort", () => {
            open--;
            reject(signal.reason);
          });
        }),
    );
    await kept.clock.advance(599_000);
    expect(most).toBe(1);
    expect(kept.heartbeats).toEqual([120_000, 241_000, 363_000, 487_000]);
  });

  it("aborts at once when Studio says that the lease is gone", async () => {
    const kept = keep(async () => {
      throw new RunnerError("lease_lost", "gone");
    });
    await kept.clock.advance(120_000);
    expect(kept.heartbeat.signal.reason).toMatchObject({ code: "lease_lost" });
  });

  it("goes on when a key that was refused is accepted again", async () => {
    let isRefused = true;
    const kept = keep(async () => {
      if (isRefused) throw new RunnerError("key_refused", "401", { status: 401 });
      return { leaseExpiresAtMs: undefined };
    });
    await kept.clock.advance(300_000);
    expect(kept.heartbeat.isKeyRefused).toBe(true);
    isRefused = false;
    await kept.clock.advance(400_000);
    expect(kept.heartbeat.isKeyRefused).toBe(false);
    expect(kept.heartbeat.signal.aborted).toBe(false);
  });

  it("names the refused key when the lease ends without one that is accepted", async () => {
    const kept = keep(async () => {
      throw new RunnerError("key_refused", "401", { status: 401 });
    });
    await kept.clock.advance(600_000);
    expect(kept.heartbeat.signal.reason).toMatchObject({ code: "key_refused" });
  });

  it("names the refused key also when nobody answers the heartbeats after it", async () => {
    let isRefused = true;
    const kept = keep(async () => {
      if (!isRefused) throw unavailable;
      isRefused = false;
      throw new RunnerError("key_refused", "401", { status: 401 });
    });
    await kept.clock.advance(1_000_000);
    expect(kept.heartbeat.signal.reason).toMatchObject({ code: "key_refused" });
  });

  it("takes an accepted heartbeat as such, whatever end of the lease it tells", async () => {
    const kept = keep(async () => ({ leaseExpiresAtMs: 5 }));
    await kept.clock.advance(120_000);
    expect(kept.heartbeat.leaseLeftMs()).toBe(600_000);
    await kept.clock.advance(1_200_000);
    expect(kept.heartbeat.signal.aborted).toBe(false);
  });

  it("aborts as superseded when the run store's fence refuses the heartbeat", async () => {
    const kept = keep(async () => ({ leaseExpiresAtMs: undefined }), { ours: () => false });
    await kept.clock.advance(120_000);
    expect(kept.heartbeat.signal.reason).toMatchObject({ code: "superseded" });
  });

  it("tries again through an outage and goes on when Studio is back", async () => {
    let broken = true;
    const kept = keep(async () => {
      if (broken) throw unavailable;
      return { leaseExpiresAtMs: undefined };
    });
    await kept.clock.advance(590_000);
    expect(kept.heartbeat.signal.aborted).toBe(false);
    broken = false;
    await kept.clock.advance(600_000);
    expect(kept.heartbeat.signal.aborted).toBe(false);
  });

  it("gives the lease up as lost exactly at its end when no heartbeat has succeeded", async () => {
    const kept = keep(async () => {
      throw unavailable;
    });
    await kept.clock.advance(599_999);
    expect(kept.heartbeat.signal.aborted).toBe(false);
    await kept.clock.advance(1);
    expect(kept.heartbeat.signal.reason).toMatchObject({ code: "lease_lost" });
  });

  it("gives it up exactly then also when a heartbeat is on its way that nobody answers", async () => {
    const kept = keep(
      (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    );
    await kept.clock.advance(599_999);
    expect(kept.heartbeat.signal.aborted).toBe(false);
    await kept.clock.advance(1);
    expect(kept.heartbeat.signal.reason).toMatchObject({ code: "lease_lost" });
  });

  it("waits as long as Studio asks before the next try", async () => {
    const kept = keep(async () => {
      throw new RunnerError("studio_unavailable", "429", {
        retryable: true,
        status: 429,
        retryAfterMs: 45_000,
      });
    });
    await kept.clock.advance(215_000);
    expect(kept.heartbeats).toEqual([120_000, 165_000, 210_000]);
  });

  it("sends heartbeats less and less often when Studio says Retry-After: 0, and keeps the lease", async () => {
    const kept = keep(async () => {
      if (kept.heartbeats.length >= 200) return { leaseExpiresAtMs: undefined };
      throw new RunnerError("studio_unavailable", "429", { retryable: true, status: 429, retryAfterMs: 0 });
    });
    await kept.clock.advance(210_000);
    expect(kept.heartbeats).toEqual([120_000, 121_000, 123_000, 127_000, 135_000, 151_000, 181_000]);
  });

  it("sends no heartbeat after stop, and leaves no timer behind", async () => {
    const kept = keep(async () => ({ leaseExpiresAtMs: undefined }));
    await kept.heartbeat.stop();
    await kept.clock.advance(1_000_000);
    expect(kept.heartbeats).toEqual([]);
    expect(kept.clock.sleeping()).toBe(0);
  });

  it("follows the lease's new end that a heartbeat's answer gives", async () => {
    const kept = keep(extendsBy(() => 5_000_000));
    await kept.clock.advance(120_000);
    expect(kept.heartbeat.leaseLeftMs()).toBe(5_600_000 - (kept.startMs + 120_000));
  });

  it("knows a late begin: half of the lease or more has passed", () => {
    expect(
      keep(async () => ({ leaseExpiresAtMs: undefined }), { takenAgoMs: 299_000 }).heartbeat.isLate(),
    ).toBe(false);
    expect(
      keep(async () => ({ leaseExpiresAtMs: undefined }), { takenAgoMs: 301_000 }).heartbeat.isLate(),
    ).toBe(true);
  });
});

describe("confirm", () => {
  it("sends a heartbeat at once", async () => {
    const kept = keep(async () => ({ leaseExpiresAtMs: undefined }));
    await kept.heartbeat.confirm(never);
    expect(kept.heartbeats).toEqual([0]);
  });

  it("needs no second heartbeat right after one", async () => {
    const kept = keep(async () => ({ leaseExpiresAtMs: undefined }));
    await kept.clock.advance(121_000);
    await kept.heartbeat.confirm(never);
    expect(kept.heartbeats).toEqual([120_000]);
  });

  it("waits until the run store has accepted the heartbeat too", async () => {
    let isDown = true;
    const kept = keep(async () => ({ leaseExpiresAtMs: undefined }), {
      ours: () => {
        if (isDown) throw new RunnerError("run_store_unavailable", "not now", { retryable: true });
        return true;
      },
    });
    let isConfirmed = false;
    const confirmed = kept.heartbeat.confirm(never).then(() => (isConfirmed = true));
    await kept.clock.advance(20_000);
    expect(isConfirmed).toBe(false);
    isDown = false;
    await kept.clock.advance(30_000);
    await confirmed;
  });

  it("sends another heartbeat after a process was frozen", async () => {
    const kept = keep(async () => ({ leaseExpiresAtMs: undefined }));
    await kept.heartbeat.confirm(never);
    await kept.clock.advance(9_000);
    await kept.heartbeat.confirm(never);
    expect(kept.heartbeats).toEqual([0]);
    await kept.clock.advance(2_000);
    await kept.heartbeat.confirm(never);
    expect(kept.heartbeats).toEqual([0, 11_000]);
  });

  it("takes no heartbeat for a proof that was sent before the time that the caller names", async () => {
    const kept: ReturnType<typeof keep> = keep(async () => {
      await kept.clock.sleep(1_000);
      return { leaseExpiresAtMs: undefined };
    });
    await kept.clock.advance(120_500);
    const confirmed = kept.heartbeat.confirm(never, kept.clock.now());
    await kept.clock.advance(3_000);
    await confirmed;
    expect(kept.heartbeats).toEqual([120_000, 121_200]);
  });

  it("sends another heartbeat where an earlier proof is not recent enough for the caller", async () => {
    const kept = keep(async () => ({ leaseExpiresAtMs: undefined }));
    await kept.heartbeat.confirm(never);
    await kept.clock.advance(1_000);
    await kept.heartbeat.confirm(never, kept.startMs + 500);
    expect(kept.heartbeats).toEqual([0, 1_000]);
  });

  it("throws the loss when the lease is gone", async () => {
    const kept = keep(async () => {
      throw new RunnerError("lease_lost", "gone");
    });
    await expect(kept.heartbeat.confirm(never)).rejects.toMatchObject({ code: "lease_lost" });
  });

  it("tries until a heartbeat succeeds", async () => {
    let tries = 0;
    const kept = keep(async () => {
      if (++tries < 3) throw unavailable;
      return { leaseExpiresAtMs: undefined };
    });
    const confirmed = kept.heartbeat.confirm(never);
    await kept.clock.advance(3_000);
    await confirmed;
    expect(kept.heartbeats).toEqual([0, 1_000, 3_000]);
  });

  it("ends with the caller's deadline", async () => {
    const kept = keep(() => new Promise(() => undefined));
    const deadline = new AbortController();
    const confirmed = kept.heartbeat.confirm(deadline.signal);
    deadline.abort(new RunnerError("attempt_deadline", "over"));
    await expect(confirmed).rejects.toMatchObject({ code: "attempt_deadline" });
  });
});
