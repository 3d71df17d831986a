import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import {
  build,
  endless,
  product,
  ran,
  throttled,
  throwing,
  throwingFirst,
  tooManyRequests,
} from "./attempt-world.ts";

describe("the pool's back-off from Studio", () => {
  it("is extended for as long as a 429 to the context request asks", async () => {
    const { heldBack, requests } = await ran({
      context: throwing(tooManyRequests(45_000)),
      work: async ({ job, signal }) => {
        await job.context(signal).catch(() => undefined);
        return product;
      },
    });
    expect(heldBack).toEqual(["default: studio until 1045000"]);
    expect(requests).toEqual(["context ws1", "heartbeat k1.secret", "complete ws1"]);
  });

  it.each([
    ["is extended by a 429 to the completion, which is still repeated", undefined, 1, [1_005_000]],
    ["grows with each 429 in a row, even with Retry-After: 0", 0, 3, [1_001_000, 1_002_500, 1_005_500]],
  ])("%s", async (_, retryAfterMs, times, untilMs) => {
    const complete = throwingFirst(tooManyRequests(retryAfterMs), times);
    const { result, heldBack } = await ran({ complete }, { forMs: 20_000 });
    expect(result).toMatchObject({ state: "completed", reason: "ok" });
    expect(heldBack).toEqual(untilMs.map((ms) => `default: studio until ${ms}`));
  });

  it("does not delay heartbeats when the run store cannot extend it", async () => {
    const heartbeats: number[] = [];
    const { startAttempt, clock, heldBack, log } = build({
      work: endless,
      heartbeat: async () => {
        heartbeats.push(clock.now() - 1_000_000);
        if (heartbeats.length === 1) throw tooManyRequests(45_000);
        if (heartbeats.length === 3) throw tooManyRequests(10_000);
        return undefined;
      },
      extendBackoff: async () => {
        if (heartbeats.length === 1) await new Promise(() => undefined);
        throw throttled;
      },
    });
    const attempt = startAttempt(400_000);
    await clock.advance(380_000);
    expect(await attempt).toMatchObject({ state: "continued" });
    expect(heartbeats).toEqual([120_000, 165_000, 285_000, 295_000]);
    expect(heldBack).toEqual([]);
    expect(log.events).toContain("backoff_unavailable");
  });

  it("is not extended by a 503", async () => {
    const down = new RunnerError("studio_unavailable", "503", { retryable: true, status: 503 });
    const { result, heldBack } = await ran({ complete: throwingFirst(down) }, { forMs: 5_000 });
    expect(result).toMatchObject({ state: "completed" });
    expect(heldBack).toEqual([]);
  });
});
