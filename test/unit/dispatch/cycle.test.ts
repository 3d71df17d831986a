import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import type { Lease } from "../../../lib/studio/schemas.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import {
  build,
  fails,
  key,
  onePoll,
  queueOf,
  throttled,
  tooManyRequests,
  unavailable,
} from "./cycle-world.ts";

/** A world whose queue is empty, with the times at which it is polled. */
function watched() {
  const clock = createFakeClock();
  const times: number[] = [];
  return { ...build({ clock, lease: async () => void times.push(clock.now()) }), times };
}

describe("a dispatch cycle", () => {
  it("leases in growing batches until the queue is empty", async () => {
    const { cycle, leasedWith, opened, invoked } = build({ jobs: 7 });
    const leased = { reason: "leased", polls: 1, leased: 7, inFlight: 7, reaped: 0 };
    expect(await cycle()).toEqual(leased);
    expect(leasedWith).toHaveLength(10);
    const workspaces = opened.map((run) => run.workspaceId).toSorted();
    expect(workspaces).toEqual(["ws1", "ws2", "ws3", "ws4", "ws5", "ws6", "ws7"]);
    expect(invoked).toHaveLength(7);
  });

  it("creates the run before it invokes its attempt, and puts neither key nor workspace into the event", async () => {
    const order: string[] = [];
    const openRun = async () => void order.push("open");
    const { cycle, invoked } = build({ jobs: 1, openRun, invoke: async () => void order.push("invoke") });
    await cycle();
    expect(order).toEqual(["open", "invoke"]);
    expect(invoked).toEqual([{ pool: "default", runId: "id2", attempt: 1 }]);
  });

  it("creates no run for a lease that has already expired", async () => {
    let left = 1;
    const clock = createFakeClock(5_000);
    const over = { workspaceId: "ws1", leaseExpiresAtMs: 4_999 };
    const { cycle, opened, invoked } = build({ clock, lease: async () => (left-- > 0 ? over : undefined) });
    await cycle();
    expect([...opened, ...invoked]).toEqual([]);
  });

  it.each([
    [4, { reason: "leased", leased: 6, inFlight: 10 }],
    [10, { reason: "at_capacity", leased: 0, inFlight: 10 }],
  ])("leases no more than the free capacity with %i of 10 runs open", async (alreadyOpen, summary) => {
    const { cycle, leasedWith } = build({ jobs: 100, alreadyOpen });
    expect(await cycle(onePoll)).toMatchObject(summary);
    expect(leasedWith).toHaveLength(summary.leased);
  });

  it.each([
    ["paused", { control: { paused: true } }, ["id1"]],
    ["overlap", { locked: true }, []],
  ])("leases nothing when its reason is %s, and releases only its own lock", async (reason, world, locks) => {
    const { cycle, leasedWith, released } = build({ jobs: 1, ...world });
    expect(await cycle()).toMatchObject({ reason });
    expect(leasedWith).toEqual([]);
    expect(released).toEqual(locks);
  });

  it("records its outcome in one log line and in its metrics", async () => {
    const { cycle, log, metrics } = build();
    await cycle();
    expect(log.events).toEqual(["cycle_ended"]);
    expect(metrics.emitted).toEqual(["Cycles{pool=default,reason=empty} 1", "GoodPolls{pool=default} 1"]);
  });
});

describe("polling", () => {
  it("in economy mode happens once", async () => {
    const { cycle, times } = watched();
    await cycle();
    expect(times).toEqual([0]);
  });

  it.each([
    ["balanced", "for 50 s, slowing to every 2 s while idle", [0, 500, 1_500, 3_500, 5_500], 49_500],
    ["fast", "every second", [0, 1_000, 2_000, 3_000], 56_000],
  ] as const)("in %s mode happens %s", async (mode, _, first, last) => {
    const { cycle, times } = watched();
    await cycle({ mode, remainingMs: 90_000 });
    expect(times.slice(0, first.length)).toEqual(first);
    expect(times.at(-1)).toBe(last);
  });

  it("stops in time before the function's timeout", async () => {
    const { cycle, times } = watched();
    await cycle({ mode: "fast", remainingMs: 20_000 });
    expect(times.at(-1)).toBe(4_000);
  });

  it("ends early, without an error, when asked to stop", async () => {
    const { cycle, clock } = build();
    const stop = new AbortController();
    void clock.sleep(1_000).then(() => stop.abort());
    const summary = await cycle({ mode: "balanced", stop: stop.signal });
    expect(summary).toMatchObject({ reason: "empty", polls: 2 });
    expect(clock.sleeping()).toBe(0);
  });
});

describe("slow start", () => {
  it.each([
    ["the process is asked to stop", { remainingMs: 75_000, stopAtMs: 6_000 }],
    ["the function's time is nearly over", { remainingMs: 8_000, stopAtMs: 1e9 }],
  ])("takes no more leases once %s, and starts those that it has", async (_, { remainingMs, stopAtMs }) => {
    const clock = createFakeClock();
    const stop = new AbortController();
    void clock.sleep(stopAtMs).then(() => stop.abort());
    const queue = queueOf(100, clock);
    const lease = async (): Promise<Lease | undefined> => {
      await clock.sleep(5_000);
      return queue();
    };
    const { cycle, invoked } = build({ clock, lease });
    const summary = await cycle({ concurrency: 50, remainingMs, stop: stop.signal });
    expect(summary).toMatchObject({ reason: "leased", leased: 3 });
    expect(invoked).toHaveLength(3);
  });
});

describe("a failing lease call", () => {
  it("ends slow start at the first error and is not repeated at once", async () => {
    const { cycle, leasedWith } = build({
      lease: async (_, call) => {
        if (call === 3) throw unavailable;
        return { workspaceId: `ws${call}`, leaseExpiresAtMs: 600_000 };
      },
    });
    expect(await cycle()).toMatchObject({ reason: "leased", leased: 2 });
    expect(leasedWith).toHaveLength(3);
  });

  it("makes the cycle throw, after its reason is recorded, when no poll was answered", async () => {
    const { cycle, metrics, released } = build({ lease: fails(unavailable) });
    await expect(cycle()).rejects.toMatchObject({ code: "studio_unavailable" });
    expect(metrics.emitted).toEqual(["Cycles{pool=default,reason=studio_unavailable} 1"]);
    expect(released).toEqual(["id1"]);
  });

  it("fails the cycle when its answer is malformed, and does not count as an empty queue", async () => {
    const broken = new RunnerError("studio_contract", "leaseExpiresAt: expected number");
    const { cycle, leasedWith } = build({ lease: fails(broken) });
    await expect(cycle({ mode: "balanced" })).rejects.toMatchObject({ code: "studio_contract" });
    expect(leasedWith).toHaveLength(1);
  });

  it("is repeated after the Retry-After of a 429, or ends the cycle without an error when that is too late", async () => {
    const clock = createFakeClock();
    const times: number[] = [];
    const { cycle } = build({
      clock,
      lease: async (_, call) => {
        times.push(clock.now());
        throw tooManyRequests(call === 1 ? 7_000 : 90_000);
      },
    });
    expect(await cycle({ mode: "balanced" })).toMatchObject({ reason: "rate_limited" });
    expect(times).toEqual([0, 7_000]);
  });
});

describe("the pool's back-off", () => {
  it.each([
    [{ modelUntilMs: 70_000 }, "model_rate_limited"],
    [{ studioUntilMs: 70_000 }, "rate_limited"],
  ])("of %j keeps the whole cycle from leasing, with the reason %s", async (backoff, reason) => {
    const { cycle, leasedWith } = build({ jobs: 1, backoff });
    expect(await cycle({ mode: "balanced" })).toMatchObject({ reason, leased: 0 });
    expect(leasedWith).toEqual([]);
  });

  it("lets the cycle lease once it is over", async () => {
    const { cycle } = build({ jobs: 1, backoff: { modelUntilMs: 7_000 } });
    expect(await cycle({ mode: "balanced" })).toMatchObject({ reason: "leased", leased: 1 });
  });
});

describe("the reaper", () => {
  it("also recovers the runs of a paused pool", async () => {
    const clock = createFakeClock(10_000_000);
    const { cycle, ports } = build({ clock, control: { paused: true }, alreadyOpen: 2 });
    const silent = (await ports.runStore.openRuns("default")).map((run) => ({ ...run, leaseMs: 600_000 }));
    ports.runStore.openRuns = async () => silent;
    ports.runStore.restart = async () => undefined;
    ports.studio.heartbeat = async () => ({ leaseExpiresAtMs: undefined });
    ports.studio.context = fails(unavailable);
    expect(await cycle()).toMatchObject({ reason: "paused", reaped: 2 });
  });

  it("does not keep the cycle from leasing when it fails", async () => {
    const { cycle, ports, log } = build({ jobs: 1 });
    let asked = 0;
    ports.runStore.openRuns = async () => {
      if (++asked === 1) throw throttled;
      return [];
    };
    expect(await cycle()).toMatchObject({ reason: "leased" });
    expect(log.events).toContain("reaper_failed");
  });
});

describe("runner keys", () => {
  const refusal = new RunnerError("key_refused", "the key was refused", { status: 401 });
  const [k1, k2] = [key("k1"), key("k2")];

  /** A queue of `jobs` that refuses k1. */
  const refusingK1 = (jobs: number) => {
    const queue = queueOf(jobs, createFakeClock());
    return async (keyId: string) => {
      if (keyId === "k1") throw refusal;
      return queue();
    };
  };

  it("are used in turn", async () => {
    const { cycle, leasedWith } = build({ jobs: 3, keys: [k1, k2] });
    await cycle({ concurrency: 3, ...onePoll });
    expect(leasedWith).toEqual(["k1", "k2", "k1"]);
  });

  it("are used from a random start, so that none comes last in every cycle", async () => {
    const { cycle, leasedWith } = build({ keys: [k1, k2], random: 0.5 });
    await cycle();
    expect(leasedWith).toEqual(["k2"]);
  });

  it("take no more leases than their limit", async () => {
    const { cycle, leasedWith } = build({ jobs: 9, keys: [k1, k2] });
    expect(await cycle({ leasesPerKey: 1, ...onePoll })).toMatchObject({ leased: 2 });
    expect(leasedWith.toSorted()).toEqual(["k1", "k2"]);
  });

  it("are read again when one is refused: the new key is used, and the refused one is not tried again", async () => {
    const { cycle, leasedWith } = build({ keys: [k1], freshKeys: [k2], lease: refusingK1(1) });
    expect(await cycle({ mode: "balanced" })).toMatchObject({ reason: "leased", leased: 1 });
    expect(leasedWith.filter((id) => id === "k1")).toHaveLength(1);
  });

  it("do not end a poll when one is refused: the other one is tried, even in economy mode", async () => {
    const { cycle, leasedWith, metrics } = build({ keys: [k1, k2], lease: refusingK1(1) });
    expect(await cycle()).toMatchObject({ reason: "leased", polls: 1, leased: 1 });
    expect(leasedWith.slice(0, 2)).toEqual(["k1", "k2"]);
    expect(metrics.emitted).toContain("KeysRefused{pool=default} 1");
  });

  it("are not counted as refused when they were replaced in the meantime", async () => {
    const { cycle, metrics } = build({ keys: [k1], freshKeys: [k2], lease: refusingK1(0) });
    expect(await cycle()).toMatchObject({ reason: "empty" });
    expect(metrics.emitted.filter((line) => line.startsWith("KeysRefused"))).toEqual([]);
  });

  it("make the cycle throw at once when all are refused", async () => {
    const { cycle, leasedWith } = build({ lease: fails(refusal) });
    await expect(cycle({ mode: "fast" })).rejects.toMatchObject({ code: "key_refused" });
    expect(leasedWith).toEqual(["k1"]);
  });
});

describe("a lease whose run cannot be started", () => {
  it("is left to the reaper when its attempt cannot be invoked, and the others are started", async () => {
    let invokes = 0;
    const { cycle, invoked, log } = build({
      jobs: 2,
      invoke: async () => {
        if (++invokes === 1) throw new RunnerError("invoke_failed", "TooManyRequestsException");
      },
    });
    expect(await cycle()).toMatchObject({ leased: 2 });
    expect(invoked).toHaveLength(1);
    expect(log.events).toContain("attempt_not_invoked");
  });

  it("is dropped and counted when the run store cannot create the run, and no attempt is invoked", async () => {
    const { cycle, invoked, metrics } = build({ jobs: 1, openRun: fails(throttled) });
    expect(await cycle()).toMatchObject({ reason: "empty", leased: 0 });
    expect(invoked).toEqual([]);
    expect(metrics.emitted).toContain("LeasesDropped{pool=default} 1");
  });
});

describe("the record of a cycle", () => {
  it.each([
    ["an empty queue", {}, "empty", true],
    ["a full pool", { alreadyOpen: 10 }, "at_capacity", true],
    ["a paused pool", { control: { paused: true } }, "paused", true],
    ["a pool in back-off", { backoff: { modelUntilMs: 1e9 } }, "model_rate_limited", false],
    ["an outage of Studio", { lease: fails(unavailable) }, "studio_unavailable", false],
  ])("holds its reason and whether a poll succeeded, after %s", async (_, given, reason, good) => {
    const { cycle, left, metrics } = build({ clock: createFakeClock(7_000), ...given });
    await cycle(onePoll).catch(() => undefined);
    expect(left).toMatchObject([{ lastCycle: { reason, atMs: 7_000 } }]);
    expect(left[0]?.goodPollAtMs).toBe(good ? 7_000 : undefined);
    expect(metrics.emitted.includes("GoodPolls{pool=default} 1")).toBe(good);
  });

  const failed = { reason: "secret_missing", atMs: 5_000, polls: 1, leased: 0, inFlight: 0 };
  const good = { ...failed, reason: "empty" };

  it.each([
    ["of a new pool", {}, [7_000]],
    ["after a failed cycle", { lastCycle: failed, goodPollAtMs: 4_000 }, [7_000]],
    ["after a good cycle", { lastCycle: good, goodPollAtMs: 5_000 }, []],
    ["after a long time without a cycle", { lastCycle: good, goodPollAtMs: -114_000 }, [7_000]],
  ])("is preceded by the time of the first good poll %s", async (_, lockState, recorded) => {
    const { cycle, goodPolls } = build({ clock: createFakeClock(7_000), lockState });
    await cycle({ mode: "fast" });
    expect(goodPolls).toEqual(recorded);
  });

  it("does not depend on that of the first good poll", async () => {
    const { cycle, ports, log } = build();
    ports.lock.recordGoodPoll = fails(throttled);
    expect(await cycle({ mode: "fast" })).toMatchObject({ reason: "empty" });
    expect(log.events).toEqual(["good_poll_not_recorded", "cycle_ended"]);
  });

  it("is not written when another cycle holds the lock", async () => {
    const { cycle, left, metrics } = build({ locked: true });
    await cycle();
    expect(left).toEqual([]);
    expect(metrics.emitted).toEqual(["Cycles{pool=default,reason=overlap} 1"]);
  });

  it("does not change the cycle's outcome when it cannot be written", async () => {
    const { cycle, ports, log } = build();
    ports.lock.release = fails(throttled);
    expect(await cycle()).toMatchObject({ reason: "empty" });
    expect(log.events).toEqual(["lock_not_released", "cycle_ended"]);
  });
});

it.each([
  [2, 2],
  [0, 0],
  [20, 20],
  [5_000, 1_000],
])(
  "an operator's concurrency of %i instead of the deployed 10 leases %i jobs of a long queue",
  async (concurrency, leased) => {
    const { cycle } = build({ jobs: 2_000, control: { concurrency } });
    expect(await cycle(onePoll)).toMatchObject({ leased, inFlight: leased });
  },
);

describe("the metrics of a cycle", () => {
  it("show how many runs are in flight and how much capacity is free", async () => {
    const { cycle, metrics } = build({ jobs: 2, alreadyOpen: 3 });
    await cycle();
    expect(metrics.emitted.filter((line) => line.startsWith("JobsLeased"))).toHaveLength(2);
    const numbers = ["InFlight{pool=default} 5", "FreeCapacity{pool=default} 5"];
    expect(metrics.emitted.slice(-2)).toEqual(numbers);
  });

  it("show the most runs at once, even when all have ended before the cycle does", async () => {
    const { cycle, ports, metrics } = build({ jobs: 4 });
    ports.runStore.read = async () => undefined;
    const polling = { cycleMs: 3_000, busyWaitMs: 1_000, idleWaitMs: [1_000, 1_000] } as const;
    expect(await cycle({ polling })).toMatchObject({ leased: 4, inFlight: 0 });
    const numbers = ["InFlight{pool=default} 4", "FreeCapacity{pool=default} 6"];
    expect(metrics.emitted.slice(-2)).toEqual(numbers);
  });
});
