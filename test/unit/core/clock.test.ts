import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { abortAfter, systemClock, unlessAborted, withTimeLimit } from "../../../lib/core/clock.ts";
import { RunnerError } from "../../../lib/core/errors.ts";
import { createFakeClock } from "../../support/fake-clock.ts";

it("a sleep rejects at once with the signal's reason, even if the signal has already aborted", async () => {
  const ending = new AbortController();
  const slept = systemClock.sleep(60_000, ending.signal);
  ending.abort(new RunnerError("shutdown", "enough"));
  await expect(slept).rejects.toMatchObject({ code: "shutdown" });
  await expect(systemClock.sleep(60_000, ending.signal)).rejects.toMatchObject({ code: "shutdown" });
});

describe("a sleep", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Whether a sleep of `ms` has ended after `afterMs`. */
  async function isOver(ms: number, afterMs: number): Promise<boolean> {
    const ending = new AbortController();
    let over = false;
    systemClock.sleep(ms, ending.signal).then(
      () => (over = true),
      () => undefined,
    );
    await vi.advanceTimersByTimeAsync(afterMs);
    ending.abort("enough");
    expect(vi.getTimerCount()).toBe(0);
    return over;
  }

  it.each([
    [-1, 1],
    [Number.NEGATIVE_INFINITY, 1],
    [0, 1],
    [2 ** 31 - 1, 2 ** 31 - 1],
    [5 * 2 ** 31, 5 * 2 ** 31],
  ])("of %d ms is over after %d ms", async (ms, afterMs) => {
    expect(await isOver(ms, afterMs)).toBe(true);
  });

  it.each([
    [2 ** 31, 2 ** 31 - 1],
    [5 * 2 ** 31, 5 * 2 ** 31 - 1],
    [1_784_000_000_000, 2 ** 33],
    [1e300, 2 ** 33],
    [Number.POSITIVE_INFINITY, 2 ** 33],
  ])("of %d ms is not over after %d ms", async (ms, afterMs) => {
    expect(await isOver(ms, afterMs)).toBe(false);
  });
});

describe("a duration of NaN", () => {
  const reason = (): RunnerError => new RunnerError("attempt_deadline", "over");
  const never = new Promise(() => undefined);

  it.each<readonly [string, () => Promise<unknown>]>([
    ["a sleep", () => systemClock.sleep(Number.NaN)],
    [
      "a time limit",
      () => withTimeLimit({ clock: systemClock, limitMs: Number.NaN, what: "work" }, () => never),
    ],
    [
      "abortAfter",
      () => unlessAborted(abortAfter(systemClock, { afterMs: Number.NaN, reason }).signal, never),
    ],
  ])("makes %s throw instead of ending at once or never", async (_, work) => {
    await expect(work()).rejects.toThrow(RangeError);
  });
});

describe("withTimeLimit", () => {
  const settings = (clock = createFakeClock()) => ({
    clock,
    limitMs: 1_000,
    what: "POST /leaseWorkspaceJob",
  });

  it("returns the result of work that ends in time, and leaves no timer", async () => {
    const clock = createFakeClock();
    expect(await withTimeLimit(settings(clock), async () => 7)).toBe(7);
    expect(clock.sleeping()).toBe(0);
  });

  it("rejects with a retryable error at the limit, even if the work ignores its signal", async () => {
    const clock = createFakeClock();
    const limited = withTimeLimit(settings(clock), () => new Promise<never>(() => undefined));
    const outcome = limited.catch((error: unknown) => error);
    await clock.advance(1_000);
    expect(await outcome).toMatchObject({
      code: "time_limit",
      retryable: true,
      message: "POST /leaseWorkspaceJob took longer than 1000 ms",
    });
  });

  it("aborts the work's signal with the outer signal's reason", async () => {
    const outer = new AbortController();
    let inner: AbortSignal | undefined;
    const limited = withTimeLimit({ ...settings(), signal: outer.signal }, (signal) => {
      inner = signal;
      return new Promise<never>(() => undefined);
    });
    outer.abort(new RunnerError("lease_lost", "gone"));
    await expect(limited).rejects.toMatchObject({ code: "lease_lost" });
    expect(inner?.reason).toMatchObject({ code: "lease_lost" });
  });

  it("does not start the work when the outer signal has already aborted", async () => {
    let began = false;
    const limited = withTimeLimit(
      { ...settings(), signal: AbortSignal.abort(new RunnerError("shutdown", "over")) },
      async () => {
        began = true;
      },
    );
    await expect(limited).rejects.toMatchObject({ code: "shutdown" });
    expect(began).toBe(false);
  });
});

it("abortAfter aborts at its time with its reason, unless cancelled", async () => {
  const clock = createFakeClock();
  const reason = (): RunnerError => new RunnerError("attempt_deadline", "over");
  const running = abortAfter(clock, { afterMs: 500, reason });
  const cancelled = abortAfter(clock, { afterMs: 500, reason });
  cancelled.cancel();
  await clock.advance(499);
  expect(running.signal.aborted).toBe(false);
  await clock.advance(1);
  expect(running.signal.reason).toMatchObject({ code: "attempt_deadline" });
  expect(cancelled.signal.aborted).toBe(false);
});

it("unlessAborted settles as the promise does, or rejects at the abort", async () => {
  const ending = new AbortController();
  expect(await unlessAborted(ending.signal, Promise.resolve(3))).toBe(3);
  await expect(unlessAborted(ending.signal, Promise.reject(new Error("own")))).rejects.toThrow("own");
  const waiting = unlessAborted(ending.signal, new Promise(() => undefined));
  ending.abort(new RunnerError("shutdown", "over"));
  await expect(waiting).rejects.toMatchObject({ code: "shutdown" });
});
