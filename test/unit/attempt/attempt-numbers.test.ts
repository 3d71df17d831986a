import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { runAttempt, type AttemptPorts } from "../../../lib/attempt/attempt.ts";
import { build, event, fifteenMinutes, lost, outage, product } from "./attempt-world.ts";

const usage = {
  inputTokens: 100,
  cachedInputTokens: 40,
  cacheWriteTokens: 0,
  outputTokens: 9,
  reasoningTokens: 3,
  webSearches: 0,
  costUsd: 0.00025,
};

const oneRound: AttemptPorts["work"] = async ({ onRoundEnded }) => {
  onRoundEnded({ number: 1, responseId: "resp_1", calls: 0, usage });
  return product;
};

describe("what a run has cost", () => {
  it("is in its row, its line and its metric, and in the day's spending, once", async () => {
    const { deps, endings, log, metrics, spent } = build({ work: oneRound });
    await runAttempt(deps, event, fifteenMinutes);
    expect(endings).toMatchObject([{ state: "completed", costUsd: 0.00025 }]);
    expect(log.lines.find((line) => line.event === "run_ended")?.fields).toMatchObject({
      state: "completed",
      model: "m",
      costUsd: 0.00025,
      inputTokens: 100,
      cachedInputTokens: 40,
      cacheWriteTokens: 0,
      outputTokens: 9,
      reasoningTokens: 3,
      webSearches: 0,
    });
    expect(metrics.emitted).toContain("CostUsd{pool=default,model=m} 0.00025");
    expect(spent).toEqual([
      {
        pool: "default",
        day: "1970-01-01",
        costUsd: 0.00025,
        runs: 1,
        completed: 1,
        inputTokens: 100,
        outputTokens: 9,
      },
    ]);
  });

  it("counts for runs that fail or are lost too: their tokens are paid for", async () => {
    const heartbeat = async (): Promise<never> => {
      throw lost;
    };
    const { deps, endings, spent } = build({ work: oneRound, heartbeat });
    await runAttempt(deps, event, fifteenMinutes);
    expect(endings).toMatchObject([{ state: "lost", costUsd: 0.00025 }]);
    expect(spent).toMatchObject([{ costUsd: 0.00025, runs: 1, lost: 1 }]);
  });

  it("is not known without the model's price: no metric, one line that says so, and nothing added", async () => {
    const { deps, endings, log, metrics, spent } = build({
      work: async ({ onRoundEnded }) => {
        onRoundEnded({ number: 1, responseId: "resp_1", calls: 0, usage: { ...usage, costUsd: undefined } });
        return product;
      },
    });
    await runAttempt(deps, event, fifteenMinutes);
    expect(endings[0]).toMatchObject({ state: "completed", costUsd: undefined });
    expect(metrics.emitted.filter((line) => line.startsWith("CostUsd"))).toEqual([]);
    expect(log.lines.filter((line) => line.event === "price_unknown")).toMatchObject([
      { fields: { model: "m" } },
    ]);
    expect(spent).toMatchObject([{ costUsd: 0, runs: 1, inputTokens: 100 }]);
  });

  it("that cannot be added to the day does not change the run's end", async () => {
    const addSpend = async (): Promise<never> => {
      throw new RunnerError("run_store_unavailable", "throttled", { retryable: true });
    };
    const { deps, log } = build({ work: oneRound, addSpend });
    expect(await runAttempt(deps, event, fifteenMinutes)).toEqual({ state: "completed", reason: "ok" });
    expect(log.lines.find((line) => line.event === "spend_not_noted")?.fields).toMatchObject({
      reason: "run_store_unavailable",
      costUsd: 0.00025,
    });
  });

  it("is counted under its model also by a later attempt that asks for nothing more", async () => {
    const { deps, metrics, spent } = build({ row: { attempt: 2, rounds: 1, model: "m", usage } });
    await runAttempt(deps, { ...event, attempt: 2 }, fifteenMinutes);
    expect(metrics.emitted).toContain("Tokens{pool=default,model=m,kind=input} 100");
    expect(spent).toMatchObject([{ costUsd: 0.00025 }]);
  });
});

describe("how long a job has waited", () => {
  const reads =
    (createdAtMs: number): AttemptPorts["work"] =>
    async ({ onJobRead, onRoundStarted }) => {
      onJobRead("digest", createdAtMs);
      await onRoundStarted({ number: 1, responseId: "resp_1", usage });
      return product;
    };

  it("is told by its first attempt, and noted with the first round", async () => {
    const { deps, metrics, notes } = build({ work: reads(987_500) });
    await runAttempt(deps, event, fifteenMinutes);
    expect(metrics.emitted).toContain("TimeInQueueSeconds{pool=default} 12.5");
    expect(notes[0]).toMatchObject({ rounds: 1, createdAtMs: 987_500 });
  });

  it("is never less than nothing, whatever the clocks say", async () => {
    const { deps, metrics } = build({ work: reads(1_000_700) });
    await runAttempt(deps, event, fifteenMinutes);
    expect(metrics.emitted).toContain("TimeInQueueSeconds{pool=default} 0");
  });

  it("is not told again by a later attempt", async () => {
    const { deps, metrics } = build({ work: reads(900_000), row: { attempt: 2 } });
    await runAttempt(deps, { ...event, attempt: 2 }, fifteenMinutes);
    expect(metrics.emitted.filter((line) => line.startsWith("TimeInQueueSeconds"))).toEqual([]);
  });
});

describe("the lease that an attempt begins with", () => {
  it.each([
    [0, 100],
    [150_000, 75],
    [700_000, 0],
  ])("taken %i ms ago, of 600 s: %i percent are left", async (leasedAgoMs, percent) => {
    const { deps, metrics } = build({ leasedAgoMs });
    await runAttempt(deps, event, fifteenMinutes);
    expect(metrics.emitted[0]).toBe(`LeaseLeftPercent{pool=default} ${percent}`);
  });
});

describe("heartbeats", () => {
  it("are counted as they succeed and fail", async () => {
    let heartbeats = 0;
    const { deps, clock, metrics } = build({
      heartbeat: async () => {
        if (++heartbeats === 1) throw outage;
        return { leaseExpiresAtMs: undefined };
      },
    });
    const attempt = runAttempt(deps, event, fifteenMinutes);
    await clock.advance(60_000);
    await attempt;
    expect(metrics.emitted.slice(1, 3)).toEqual([
      "HeartbeatsFailed{pool=default} 1",
      "Heartbeats{pool=default} 1",
    ]);
  });
});

describe("a refused key", () => {
  const refusal = (code: "key_refused" | "model_key_refused") =>
    new RunnerError(code, "401", { status: 401 });

  const refusalsIn = (emitted: readonly string[]): readonly string[] =>
    emitted.filter((line) => line.startsWith("KeysRefused"));

  it("of Studio is counted each time that it is refused, while the run waits for it to be accepted", async () => {
    let heartbeats = 0;
    const { deps, clock, metrics } = build({
      heartbeat: async () => {
        if (++heartbeats < 4) throw refusal("key_refused");
        return { leaseExpiresAtMs: undefined };
      },
    });
    const attempt = runAttempt(deps, event, fifteenMinutes);
    await clock.advance(60_000);
    expect(await attempt).toMatchObject({ state: "completed" });
    expect(refusalsIn(metrics.emitted)).toHaveLength(3);
  });

  it("of the model is counted", async () => {
    const { deps, metrics } = build({
      work: async () => {
        throw refusal("model_key_refused");
      },
    });
    await runAttempt(deps, event, fifteenMinutes);
    expect(refusalsIn(metrics.emitted)).toEqual(["KeysRefused{pool=default} 1"]);
  });
});

describe("trouble on the way has a line of its own kind", () => {
  it("for a write that is tried again, a generation that cannot be stopped, a failure that cannot be told", async () => {
    const { deps, clock, log } = build({
      work: async ({ note, onRoundStarted }) => {
        await note({ startedOver: true });
        await onRoundStarted({ number: 1, responseId: "resp_1", usage });
        throw new RunnerError("model_refused", "no");
      },
      fail: async () => {
        throw lost;
      },
    });
    let notes = 0;
    const runStore = {
      ...deps.runStore,
      note: async (): Promise<boolean> => {
        if (++notes === 1) throw new RunnerError("run_store_unavailable", "throttled", { retryable: true });
        return true;
      },
    };
    const cancelResponse = async (): Promise<never> => {
      throw new RunnerError("model_unavailable", "502");
    };
    const attempt = runAttempt({ ...deps, runStore, cancelResponse }, event, fifteenMinutes);
    await clock.advance(60_000);
    await attempt;
    expect(log.events).toEqual([
      "attempt_began",
      "call_retried",
      "cancel_failed",
      "report_failed",
      "run_ended",
    ]);
  });
});
