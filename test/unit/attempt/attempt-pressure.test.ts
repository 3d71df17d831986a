import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { runAttempt } from "../../../lib/attempt/attempt.ts";
import { build, endless, event, fifteenMinutes, product } from "./attempt-world.ts";

const tooMany = (retryAfterMs?: number): RunnerError =>
  new RunnerError("studio_unavailable", "Studio answered 429", {
    retryable: true,
    status: 429,
    retryAfterMs,
  });

describe("a 429 of Studio on a job's route holds the pool's leasing back:", () => {
  it("the context, for as long as it asks", async () => {
    const { deps, heldBack, requests } = build({
      context: async () => {
        throw tooMany(45_000);
      },
      work: async ({ job, signal }) => {
        await job.context(signal).catch(() => undefined);
        return product;
      },
    });
    await runAttempt(deps, event, fifteenMinutes);
    expect(heldBack).toEqual(["default: studio until 1045000"]);
    expect(requests).toEqual(["context ws1", "heartbeat k1.secret", "complete ws1"]);
  });

  it("the completion, which is repeated all the same", async () => {
    const { deps, clock, heldBack } = build({
      complete: async (_, number) => {
        if (number === 1) throw tooMany();
      },
    });
    const attempt = runAttempt(deps, event, fifteenMinutes);
    await clock.advance(20_000);
    expect(await attempt).toMatchObject({ state: "completed", reason: "ok" });
    expect(heldBack).toEqual(["default: studio until 1005000"]);
  });

  it("longer with each 429 in a row, though it says Retry-After: 0", async () => {
    const { deps, clock, heldBack } = build({
      complete: async (_, number) => {
        if (number <= 3) throw tooMany(0);
      },
    });
    const attempt = runAttempt(deps, event, fifteenMinutes);
    await clock.advance(20_000);
    expect(await attempt).toMatchObject({ state: "completed", reason: "ok" });
    expect(heldBack).toEqual([
      "default: studio until 1001000",
      "default: studio until 1002500",
      "default: studio until 1005500",
    ]);
  });

  it("a heartbeat, and the next heartbeats keep their time, also when the run store does not answer", async () => {
    const heartbeats: number[] = [];
    const { deps, clock, heldBack, log } = build({
      work: endless,
      heartbeat: async () => {
        heartbeats.push(clock.now() - 1_000_000);
        if (heartbeats.length === 1) throw tooMany(45_000);
        if (heartbeats.length === 3) throw tooMany(10_000);
        return { leaseExpiresAtMs: undefined };
      },
      extendBackoff: async () => {
        if (heartbeats.length === 1) await new Promise(() => undefined);
        throw new RunnerError("run_store_unavailable", "throttled");
      },
    });
    const attempt = runAttempt(deps, event, { remainingMs: 400_000, requestId: "req1" });
    await clock.advance(380_000);
    expect(await attempt).toMatchObject({ state: "continued" });
    expect(heartbeats).toEqual([120_000, 165_000, 285_000, 295_000]);
    expect(heldBack).toEqual([]);
    expect(log.events).toContain("backoff_unavailable");
  });

  it("no other trouble does", async () => {
    const { deps, clock, heldBack } = build({
      complete: async (_, number) => {
        if (number === 1)
          throw new RunnerError("studio_unavailable", "503", { retryable: true, status: 503 });
      },
    });
    const attempt = runAttempt(deps, event, fifteenMinutes);
    await clock.advance(5_000);
    await attempt;
    expect(heldBack).toEqual([]);
  });
});
