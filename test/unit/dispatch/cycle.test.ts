import { describe, expect, it } from "vitest";
import { pollingTimes } from "../../../lib/dispatch/polling.ts";
import { runCycle } from "../../../lib/dispatch/cycle.ts";
import { RunnerError } from "../../../lib/core/errors.ts";
import type { Lease } from "../../../lib/studio/schemas.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { build, empty, fails, key, onePoll, queueOf, settings, time, unavailable } from "./cycle-world.ts";

describe("a cycle", () => {
  it("leases until the queue is empty: in batches of 1, 2, 4, 8", async () => {
    const clock = createFakeClock();
    const world = build({ clock, lease: queueOf(7, clock) });
    expect(await runCycle(world.deps, settings, time)).toEqual({
      reason: "leased",
      polls: 1,
      leased: 7,
      inFlight: 7,
      reaped: 0,
    });
    expect(world.leasedWith).toHaveLength(10);
    expect(world.opened.map((run) => run.workspaceId).toSorted()).toEqual([
      "ws1",
      "ws2",
      "ws3",
      "ws4",
      "ws5",
      "ws6",
      "ws7",
    ]);
    expect(world.invoked).toHaveLength(7);
  });

  it("opens the run before it invokes its attempt, and names neither key nor workspace in the event", async () => {
    const clock = createFakeClock();
    const order: string[] = [];
    const world = build({
      clock,
      lease: queueOf(1, clock),
      openRun: async () => void order.push("open"),
      invoke: async () => void order.push("invoke"),
    });
    await runCycle(world.deps, settings, time);
    expect(order).toEqual(["open", "invoke"]);
    expect(world.invoked).toEqual([{ pool: "default", runId: "id2", attempt: 1 }]);
  });

  it("records no run for a lease that is over already", async () => {
    const clock = createFakeClock(5_000);
    let left = 1;
    const lease = async () =>
      left-- > 0 ? { workspaceId: "ws1", leaseExpiresAtMs: clock.now() - 1 } : undefined;
    const world = build({ clock, lease });
    await runCycle(world.deps, settings, time);
    expect(world.opened).toEqual([]);
    expect(world.invoked).toEqual([]);
  });

  it("never leases more than the free capacity", async () => {
    const clock = createFakeClock();
    const world = build({ clock, lease: queueOf(100, clock), alreadyOpen: 4 });
    const summary = await runCycle(world.deps, settings, onePoll);
    expect(summary).toEqual({ reason: "leased", polls: 1, leased: 6, inFlight: 10, reaped: 0 });
    expect(world.leasedWith).toHaveLength(6);
  });

  it("asks for nothing at capacity", async () => {
    const clock = createFakeClock();
    const world = build({ clock, lease: queueOf(1, clock), alreadyOpen: 10 });
    expect(await runCycle(world.deps, settings, onePoll)).toMatchObject({
      reason: "at_capacity",
      leased: 0,
    });
    expect(world.leasedWith).toEqual([]);
  });

  it("asks for nothing while paused, or while another cycle holds the lock", async () => {
    const clock = createFakeClock();
    const paused = build({ clock, lease: queueOf(1, clock), control: { paused: true } });
    expect(await runCycle(paused.deps, settings, time)).toMatchObject({ reason: "paused" });
    const locked = build({ clock, lease: queueOf(1, clock), locked: true });
    expect(await runCycle(locked.deps, settings, time)).toMatchObject({ reason: "overlap" });
    expect([...paused.leasedWith, ...locked.leasedWith]).toEqual([]);
    expect(paused.released).toEqual(["id1"]);
    expect(locked.released).toEqual([]);
  });

  it("says what came of it in one log line and one metric", async () => {
    const clock = createFakeClock();
    const world = build({ clock, lease: empty });
    await runCycle(world.deps, settings, time);
    expect(world.log.events).toEqual(["cycle_ended"]);
    expect(world.metrics.emitted).toEqual([
      "Cycles{pool=default,reason=empty} 1",
      "GoodPolls{pool=default} 1",
    ]);
  });
});

describe("polling", () => {
  it("economy polls once", async () => {
    const clock = createFakeClock();
    const world = build({ clock, lease: empty });
    await runCycle(world.deps, settings, time);
    expect(world.leasedWith).toHaveLength(1);
  });

  it("balanced polls for 50 s, slowing to every 2 s while idle", async () => {
    const clock = createFakeClock();
    const times: number[] = [];
    const world = build({ clock, lease: async () => void times.push(clock.now()) });
    const cycle = runCycle(world.deps, { ...settings, polling: pollingTimes.balanced }, time);
    await clock.advance(60_000);
    await cycle;
    expect(times.slice(0, 5)).toEqual([0, 500, 1_500, 3_500, 5_500]);
    expect(times.at(-1)).toBe(49_500);
  });

  it("fast polls every second", async () => {
    const clock = createFakeClock();
    const times: number[] = [];
    const world = build({ clock, lease: async () => void times.push(clock.now()) });
    const cycle = runCycle(
      world.deps,
      { ...settings, polling: pollingTimes.fast },
      { ...time, remainingMs: 90_000 },
    );
    await clock.advance(60_000);
    await cycle;
    expect(times.slice(0, 4)).toEqual([0, 1_000, 2_000, 3_000]);
    expect(times.at(-1)).toBe(56_000);
  });

  it("stops polling in time for its function's time-out, whatever the mode", async () => {
    const clock = createFakeClock();
    const times: number[] = [];
    const world = build({ clock, lease: async () => void times.push(clock.now()) });
    const cycle = runCycle(
      world.deps,
      { ...settings, polling: pollingTimes.fast },
      { ...time, remainingMs: 20_000 },
    );
    await clock.advance(60_000);
    await cycle;
    expect(times.at(-1)).toBe(4_000);
  });

  it("ends early, without an error, when asked to stop", async () => {
    const clock = createFakeClock();
    const stop = new AbortController();
    const world = build({ clock, lease: empty });
    const cycle = runCycle(
      world.deps,
      { ...settings, polling: pollingTimes.balanced },
      { ...time, stop: stop.signal },
    );
    await clock.advance(1_000);
    stop.abort();
    expect(await cycle).toMatchObject({ reason: "empty", polls: 2 });
    expect(clock.sleeping()).toBe(0);
  });
});

describe("slow start", () => {
  it.each([
    ["it is asked to stop", { remainingMs: 75_000, stopAtMs: 6_000 }],
    ["its function's time is over", { remainingMs: 8_000, stopAtMs: 1e9 }],
  ])("takes no more leases once %s; those that it has go on", async (_, { remainingMs, stopAtMs }) => {
    const clock = createFakeClock();
    const stop = new AbortController();
    void clock.sleep(stopAtMs).then(() => stop.abort());
    const queue = queueOf(100, clock);
    const lease = async (): Promise<Lease | undefined> => {
      await clock.sleep(5_000);
      return queue();
    };
    const world = build({ clock, lease });
    const cycle = runCycle(world.deps, { ...settings, concurrency: 50 }, { remainingMs, stop: stop.signal });
    await clock.advance(60_000);
    expect(await cycle).toMatchObject({ reason: "leased", leased: 3 });
    expect(world.invoked).toHaveLength(3);
  });
});

describe("trouble with Studio", () => {
  it("ends slow start at the first error and does not repeat the lease call at once", async () => {
    const clock = createFakeClock();
    const world = build({
      clock,
      lease: async (_, call) => {
        if (call === 3) throw unavailable;
        return { workspaceId: `ws${call}`, leaseExpiresAtMs: 600_000 };
      },
    });
    expect(await runCycle(world.deps, settings, time)).toMatchObject({ reason: "leased", leased: 2 });
    expect(world.leasedWith).toHaveLength(3);
  });

  it("throws when no poll of the cycle was answered, after saying why", async () => {
    const clock = createFakeClock();
    const world = build({ clock, lease: fails(unavailable) });
    await expect(runCycle(world.deps, settings, time)).rejects.toMatchObject({ code: "studio_unavailable" });
    expect(world.metrics.emitted).toEqual(["Cycles{pool=default,reason=studio_unavailable} 1"]);
    expect(world.released).toEqual(["id1"]);
  });

  it("never takes a malformed lease answer for an empty queue", async () => {
    const clock = createFakeClock();
    const broken = new RunnerError(
      "studio_contract",
      "POST /leaseWorkspaceJob: leaseExpiresAt: expected number",
    );
    const world = build({ clock, lease: fails(broken) });
    await expect(
      runCycle(world.deps, { ...settings, polling: pollingTimes.balanced }, time),
    ).rejects.toMatchObject({
      code: "studio_contract",
    });
    expect(world.leasedWith).toHaveLength(1);
  });

  it("waits as long as a 429 asks, and ends the cycle quietly when that is past its end", async () => {
    const clock = createFakeClock();
    const limited = (retryAfterMs: number) =>
      new RunnerError("studio_unavailable", "429", { retryable: true, status: 429, retryAfterMs });
    const times: number[] = [];
    const world = build({
      clock,
      lease: async (_, call) => {
        times.push(clock.now());
        throw limited(call === 1 ? 7_000 : 90_000);
      },
    });
    const cycle = runCycle(world.deps, { ...settings, polling: pollingTimes.balanced }, time);
    await clock.advance(60_000);
    expect(await cycle).toMatchObject({ reason: "rate_limited" });
    expect(times).toEqual([0, 7_000]);
  });
});

describe("holding back", () => {
  it("is noted for the next cycles when Studio answers 429", async () => {
    const clock = createFakeClock();
    const error = new RunnerError("studio_unavailable", "429", {
      retryable: true,
      status: 429,
      retryAfterMs: 90_000,
    });
    const world = build({ clock, lease: fails(error) });
    await runCycle(world.deps, settings, time);
    expect(world.heldBack).toEqual(["studio until 90000"]);
  });

  it.each([
    [{ modelUntilMs: 70_000, studioUntilMs: 0 }, "model_rate_limited"],
    [{ modelUntilMs: 0, studioUntilMs: 70_000 }, "rate_limited"],
  ])("for %j asks for nothing in the whole cycle: %s", async (backoff, reason) => {
    const clock = createFakeClock();
    const world = build({ clock, lease: queueOf(1, clock), backoff });
    const cycle = runCycle(world.deps, { ...settings, polling: pollingTimes.balanced }, time);
    await clock.advance(60_000);
    expect(await cycle).toMatchObject({ reason, leased: 0 });
    expect(world.leasedWith).toEqual([]);
  });

  it("ends within the cycle when its time is over", async () => {
    const clock = createFakeClock();
    const world = build({
      clock,
      lease: queueOf(1, clock),
      backoff: { modelUntilMs: 7_000, studioUntilMs: 0 },
    });
    const cycle = runCycle(world.deps, { ...settings, polling: pollingTimes.balanced }, time);
    await clock.advance(60_000);
    expect(await cycle).toMatchObject({ reason: "leased", leased: 1 });
  });
});

describe("the reaper", () => {
  it("also looks after a paused pool's runs", async () => {
    const clock = createFakeClock(10_000_000);
    const world = build({ clock, lease: empty, control: { paused: true }, alreadyOpen: 2 });
    const runStore = {
      ...world.deps.runStore,
      openRuns: async () =>
        (await world.deps.runStore.openRuns("default")).map((run) => ({ ...run, leaseMs: 600_000 })),
      restart: async () => undefined,
    };
    const heartbeat = async () => ({ leaseExpiresAtMs: undefined });
    const studio = { ...world.deps.studio, heartbeat, context: fails(unavailable) };
    expect(await runCycle({ ...world.deps, runStore, studio }, settings, time)).toMatchObject({
      reason: "paused",
      reaped: 2,
    });
  });

  it("that fails does not keep the cycle from leasing", async () => {
    const clock = createFakeClock();
    const world = build({ clock, lease: queueOf(1, clock) });
    let asked = 0;
    const runStore = {
      ...world.deps.runStore,
      openRuns: async () => {
        if (++asked === 1) throw new RunnerError("run_store_unavailable", "throttled", { retryable: true });
        return [];
      },
    };
    expect(await runCycle({ ...world.deps, runStore }, settings, time)).toMatchObject({ reason: "leased" });
    expect(world.log.events).toContain("reaper_failed");
  });
});

describe("keys", () => {
  const refusal = new RunnerError("key_refused", "the key was refused", { status: 401 });

  it("are used in turn", async () => {
    const clock = createFakeClock();
    const world = build({ clock, lease: queueOf(3, clock), keys: [key("k1"), key("k2")] });
    await runCycle(world.deps, { ...settings, concurrency: 3 }, onePoll);
    expect(world.leasedWith).toEqual(["k1", "k2", "k1"]);
  });

  it("begin with any of them, so that none is asked last in every cycle", async () => {
    const clock = createFakeClock();
    const world = build({ clock, lease: empty, keys: [key("k1"), key("k2")], random: 0.5 });
    await runCycle(world.deps, settings, time);
    expect(world.leasedWith).toEqual(["k2"]);
  });

  it("hold no more leases than their cap", async () => {
    const clock = createFakeClock();
    const world = build({ clock, lease: queueOf(9, clock), keys: [key("k1"), key("k2")] });
    const summary = await runCycle(world.deps, { ...settings, leasesPerKey: 1 }, onePoll);
    expect(summary).toMatchObject({ leased: 2 });
    expect(world.leasedWith.toSorted()).toEqual(["k1", "k2"]);
  });

  it("are read again once when refused; a new value goes on, the refused one is not asked again", async () => {
    const clock = createFakeClock();
    const queue = queueOf(1, clock);
    let rotated = false;
    const world = build({
      clock,
      keys: [key("k1", "k1.old")],
      freshKeys: [key("k2", "k2.new")],
      lease: async (keyId) => {
        if (keyId === "k1") throw refusal;
        rotated = true;
        return queue();
      },
    });
    const cycle = runCycle(world.deps, { ...settings, polling: pollingTimes.balanced }, time);
    await clock.advance(60_000);
    expect(await cycle).toMatchObject({ reason: "leased", leased: 1 });
    expect(rotated).toBe(true);
    expect(world.leasedWith.filter((id) => id === "k1")).toHaveLength(1);
  });

  it("that are refused while another is left do not end a poll: economy too asks with the other one", async () => {
    const clock = createFakeClock();
    const queue = queueOf(1, clock);
    const world = build({
      clock,
      keys: [key("k1"), key("k2")],
      lease: async (keyId) => {
        if (keyId === "k1") throw refusal;
        return queue();
      },
    });
    expect(await runCycle(world.deps, settings, time)).toMatchObject({
      reason: "leased",
      polls: 1,
      leased: 1,
    });
    expect(world.leasedWith.slice(0, 2)).toEqual(["k1", "k2"]);
    expect(world.metrics.emitted).toContain("KeysRefused{pool=default} 1");
  });

  it("that were replaced in the meantime are not counted as refused", async () => {
    const clock = createFakeClock();
    const world = build({
      clock,
      keys: [key("k1", "k1.old")],
      freshKeys: [key("k2", "k2.new")],
      lease: async (keyId) => {
        if (keyId === "k1") throw refusal;
        return undefined;
      },
    });
    expect(await runCycle(world.deps, settings, time)).toMatchObject({ reason: "empty" });
    expect(world.metrics.emitted).toEqual([
      "Cycles{pool=default,reason=empty} 1",
      "GoodPolls{pool=default} 1",
    ]);
  });

  it("that are all refused stop the cycle at once, and the cycle throws", async () => {
    const clock = createFakeClock();
    const world = build({ clock, lease: fails(refusal) });
    await expect(
      runCycle(world.deps, { ...settings, polling: pollingTimes.fast }, time),
    ).rejects.toMatchObject({
      code: "key_refused",
    });
    expect(world.leasedWith).toEqual(["k1"]);
  });
});

describe("a lease that cannot be started", () => {
  it("is left to the reaper when its attempt cannot be invoked; the others go on", async () => {
    const clock = createFakeClock();
    let invokes = 0;
    const world = build({
      clock,
      lease: queueOf(2, clock),
      invoke: async () => {
        if (++invokes === 1) throw new RunnerError("invoke_failed", "TooManyRequestsException");
      },
    });
    expect(await runCycle(world.deps, settings, time)).toMatchObject({ leased: 2 });
    expect(world.invoked).toHaveLength(1);
    expect(world.log.events).toContain("attempt_not_invoked");
  });

  it("is let go and counted when the run store cannot record it; no attempt is invoked", async () => {
    const clock = createFakeClock();
    const world = build({
      clock,
      lease: queueOf(1, clock),
      openRun: async () => {
        throw new RunnerError("run_store_unavailable", "throttled", { retryable: true });
      },
    });
    await runCycle(world.deps, settings, time);
    expect(world.invoked).toEqual([]);
    expect(world.metrics.emitted).toEqual([
      "LeasesDropped{pool=default} 1",
      "Cycles{pool=default,reason=empty} 1",
      "GoodPolls{pool=default} 1",
    ]);
  });
});

describe("what a cycle leaves behind", () => {
  it.each([
    ["an empty queue", { lease: empty }, "empty", true],
    ["a pool that is full", { lease: empty, alreadyOpen: 10 }, "at_capacity", true],
    ["a paused pool", { lease: empty, control: { paused: true } }, "paused", true],
    [
      "a pool that was asked to wait",
      { lease: empty, backoff: { modelUntilMs: 1e9, studioUntilMs: 0 } },
      "model_rate_limited",
      false,
    ],
    ["an outage of Studio", { lease: fails(unavailable) }, "studio_unavailable", false],
  ])("after %s: its reason, and whether a poll was good", async (_, given, reason, good) => {
    const clock = createFakeClock(7_000);
    const world = build({ clock, ...given });
    await runCycle(world.deps, settings, onePoll).catch(() => undefined);
    expect(world.left).toMatchObject([{ lastCycle: { reason, atMs: 7_000 } }]);
    expect(world.left[0]?.goodPollAtMs).toBe(good ? 7_000 : undefined);
    expect(world.metrics.emitted.includes("GoodPolls{pool=default} 1")).toBe(good);
  });

  it("is nothing where another cycle holds the lock", async () => {
    const world = build({ clock: createFakeClock(), lease: empty, locked: true });
    await runCycle(world.deps, settings, time);
    expect(world.left).toEqual([]);
    expect(world.metrics.emitted).toEqual(["Cycles{pool=default,reason=overlap} 1"]);
  });

  it("may fail to be written: the cycle's own end stands", async () => {
    const world = build({ clock: createFakeClock(), lease: empty });
    const release = async (): Promise<never> => {
      throw new RunnerError("run_store_unavailable", "throttled", { retryable: true });
    };
    const deps = { ...world.deps, lock: { ...world.deps.lock, release } };
    expect(await runCycle(deps, settings, time)).toMatchObject({ reason: "empty" });
    expect(world.log.events).toEqual(["lock_not_released", "cycle_ended"]);
  });
});

describe("an operator's concurrency", () => {
  it.each([
    [2, 2],
    [0, 0],
    [20, 20],
    [5_000, 1_000],
  ])("of %i over the deployed 10 leases %i of a long queue", async (concurrency, leased) => {
    const clock = createFakeClock();
    const world = build({ clock, lease: queueOf(2_000, clock), control: { concurrency } });
    expect(await runCycle(world.deps, settings, onePoll)).toMatchObject({ leased, inFlight: leased });
  });
});

describe("the numbers of a cycle", () => {
  it("tell how many runs are in flight, and how many more there is room for", async () => {
    const clock = createFakeClock();
    const world = build({ clock, lease: queueOf(2, clock), alreadyOpen: 3 });
    await runCycle(world.deps, settings, time);
    expect(world.metrics.emitted).toEqual([
      "JobsLeased{pool=default} 1",
      "JobsLeased{pool=default} 1",
      "Cycles{pool=default,reason=leased} 1",
      "GoodPolls{pool=default} 1",
      "InFlight{pool=default} 5",
      "FreeCapacity{pool=default} 5",
    ]);
  });

  it("tell of the most runs at once, also where all have ended before the cycle does", async () => {
    const clock = createFakeClock();
    const world = build({ clock, lease: queueOf(4, clock) });
    const runStore = { ...world.deps.runStore, read: async () => undefined };
    const polling = { cycleMs: 3_000, busyWaitMs: 1_000, idleWaitMs: [1_000, 1_000] } as const;
    const cycle = runCycle({ ...world.deps, runStore }, { ...settings, polling }, time);
    await clock.advance(5_000);
    expect(await cycle).toMatchObject({ leased: 4, inFlight: 0 });
    expect(world.metrics.emitted.slice(-2)).toEqual([
      "InFlight{pool=default} 4",
      "FreeCapacity{pool=default} 6",
    ]);
  });
});
