import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { noRetry, retry, retryWaitMs, type RetryPolicy } from "../../../lib/core/retry.ts";
import type { Clock } from "../../../lib/core/clock.ts";

const policy: RetryPolicy = { attempts: 4, baseMs: 500, maxMs: 3_000, maxRetryAfterMs: 60_000 };

interface Changes {
  readonly policy?: RetryPolicy;
  readonly signal?: AbortSignal;
}

function fixture() {
  const waits: number[] = [];
  const clock: Clock = {
    now: () => 0,
    sleep: async (ms, signal) => (signal?.throwIfAborted(), void waits.push(ms)),
  };
  const ports = { clock, random: () => 1 };
  return {
    waits,
    run: <T>(work: () => Promise<T>, changes: Changes = {}): Promise<T> =>
      retry({ ...ports, policy, ...changes }, work),
  };
}

const passing = (retryAfterMs?: number): RunnerError =>
  new RunnerError("studio_unavailable", "503", { retryable: true, retryAfterMs });

/** Fails with each error in turn, then succeeds. */
function failsWith(...errors: readonly unknown[]) {
  let tries = 0;
  return {
    tries: () => tries,
    work: async () => {
      const error = errors[tries++];
      if (error !== undefined) throw error;
      return "done";
    },
  };
}

describe("the back-off", () => {
  it.each([
    [1, 1, 500],
    [2, 1, 1_000],
    [3, 1, 2_000],
    [4, 1, 3_000],
    [4, 0, 1_500],
    [1, 0.5, 375],
  ])("after try %i with the random number %d is %i ms", (attempt, dice, expected) => {
    expect(retryWaitMs(policy, { attempt, askedMs: undefined }, () => dice)).toBe(expected);
  });
});

describe("retry", () => {
  it("repeats a retryable failure with growing waits", async () => {
    const { run, waits } = fixture();
    expect(await run(failsWith(passing(), passing()).work)).toBe("done");
    expect(waits).toEqual([500, 1_000]);
  });

  it.each([
    ["every try of its policy", policy, 4],
    ["one try with noRetry", noRetry, 1],
  ])("rejects with the last error after %s", async (_, given, tries) => {
    const { run } = fixture();
    const call = failsWith(passing(), passing(), passing(), passing(), passing());
    await expect(run(call.work, { policy: given })).rejects.toMatchObject({ code: "studio_unavailable" });
    expect(call.tries()).toBe(tries);
  });

  it.each([
    ["a bug", new TypeError("x is not a function")],
    ["a failure that is not retryable", new RunnerError("studio_rejected", "400")],
  ])("never repeats %s", async (_, error) => {
    const { run } = fixture();
    const call = failsWith(error, error);
    await expect(run(call.work)).rejects.toBe(error);
    expect(call.tries()).toBe(1);
  });

  it("waits as long as Retry-After asks, and rejects if that is too long", async () => {
    const { run, waits } = fixture();
    await run(failsWith(passing(7_000)).work);
    expect(waits).toEqual([7_000]);
    const long = failsWith(passing(60_001));
    await expect(run(long.work)).rejects.toMatchObject({ retryAfterMs: 60_001 });
    expect(long.tries()).toBe(1);
  });

  it("never waits less than its own back-off, whatever Retry-After says", async () => {
    const { run, waits } = fixture();
    await run(failsWith(passing(0), passing(1), passing(0)).work);
    expect(waits).toEqual([500, 1_000, 2_000]);
  });

  it.each([1_784_000_000_000, 2 ** 31, 1e300, Number.POSITIVE_INFINITY])(
    "never waits more than three minutes, even if Retry-After asks for %d ms",
    async (askedMs) => {
      const { run, waits } = fixture();
      const patient = { ...policy, maxRetryAfterMs: Number.POSITIVE_INFINITY };
      await run(failsWith(passing(askedMs)).work, { policy: patient });
      expect(waits).toEqual([180_000]);
    },
  );

  it("rejects with the signal's reason after an abort", async () => {
    const { run } = fixture();
    const ending = new AbortController();
    const work = async (): Promise<void> => {
      ending.abort(new RunnerError("lease_lost", "gone"));
      throw passing();
    };
    const tried = run(work, { signal: ending.signal });
    await expect(tried).rejects.toMatchObject({ code: "lease_lost" });
  });
});
