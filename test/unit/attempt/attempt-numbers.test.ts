import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import {
  lost,
  outage,
  product,
  ran,
  throttled,
  throwing,
  throwingFirst,
  type Work,
} from "./attempt-world.ts";

const tokens = {
  inputTokens: 100,
  cachedInputTokens: 40,
  cacheWriteTokens: 0,
  outputTokens: 9,
  reasoningTokens: 3,
  webSearches: 0,
};
const usage = { ...tokens, costUsd: 0.00025 };

const oneRound: Work = async ({ onRoundEnded }) => {
  onRoundEnded({ number: 1, responseId: "resp_1", calls: 0, tools: [], usage });
  return product;
};

const startingWith = (emitted: readonly string[], name: string) =>
  emitted.filter((line) => line.startsWith(name));

describe("the cost of a run", () => {
  it("is recorded once in its row, its log line, its metrics and the day's spend", async () => {
    const { outcomes, log, metrics, spent } = await ran({ work: oneRound });
    expect(outcomes).toMatchObject([{ state: "completed", costUsd: 0.00025 }]);
    const ended = log.lines.find((line) => line.event === "run_ended");
    expect(ended?.fields).toMatchObject({ state: "completed", model: "m", ...usage });
    expect(metrics.emitted.slice(4)).toEqual([
      "Tokens{pool=default,model=m,kind=input} 100",
      "Tokens{pool=default,model=m,kind=cached_input} 40",
      "Tokens{pool=default,model=m,kind=output} 9",
      "Tokens{pool=default,model=m,kind=reasoning} 3",
      "CostUsd{pool=default,model=m} 0.00025",
    ]);
    const day = { pool: "default", day: "1970-01-01" };
    const counted = { costUsd: 0.00025, runs: 1, completed: 1, inputTokens: 100, outputTokens: 9 };
    expect(spent).toEqual([{ ...day, ...counted }]);
  });

  it("is also counted for a lost run, whose tokens were paid for", async () => {
    const { outcomes, spent } = await ran({ work: oneRound, heartbeat: throwing(lost) });
    expect(outcomes).toMatchObject([{ state: "lost", costUsd: 0.00025 }]);
    expect(spent).toMatchObject([{ costUsd: 0.00025, runs: 1, lost: 1 }]);
  });

  it("is logged once as unknown, without a metric or spend, when the model has no price", async () => {
    const { outcomes, log, metrics, spent } = await ran({
      work: async ({ onRoundEnded }) => {
        onRoundEnded({ number: 1, responseId: "resp_1", calls: 0, tools: [], usage: tokens });
        return product;
      },
    });
    expect(outcomes[0]).toMatchObject({ state: "completed", costUsd: undefined });
    expect(startingWith(metrics.emitted, "CostUsd")).toEqual([]);
    const unknown = log.lines.filter((line) => line.event === "price_unknown");
    expect(unknown).toMatchObject([{ fields: { model: "m" } }]);
    expect(spent).toMatchObject([{ costUsd: 0, runs: 1, inputTokens: 100 }]);
  });

  it("does not change the run's outcome when it cannot be added to the day's spend", async () => {
    const { result, log } = await ran({ work: oneRound, addSpend: throwing(throttled) });
    expect(result).toEqual({ state: "completed", reason: "ok" });
    const logged = log.lines.find((line) => line.event === "spend_not_recorded");
    expect(logged?.fields).toMatchObject({ reason: "run_store_unavailable", costUsd: 0.00025 });
  });

  it("is counted under its model by a later attempt that makes no model call", async () => {
    const { metrics, spent } = await ran({ row: { attempt: 2, rounds: 1, model: "m", usage } });
    expect(metrics.emitted).toContain("Tokens{pool=default,model=m,kind=input} 100");
    expect(spent).toMatchObject([{ costUsd: 0.00025 }]);
  });
});

describe("a job's time in the queue", () => {
  const waited = (createdAtMs: number, attempt = 1) =>
    ran({
      row: { attempt },
      work: async ({ onJobRead, onRoundStarted }) => {
        onJobRead({ jobDigest: "digest", createdAtMs, title: "Teas" });
        await onRoundStarted({ number: 1, responseId: "resp_1", usage });
        return product;
      },
    });

  it("is emitted by the run's first attempt and recorded with the first round, and so is its title", async () => {
    const { metrics, notes } = await waited(987_500);
    expect(metrics.emitted).toContain("TimeInQueueSeconds{pool=default} 12.5");
    expect(notes[0]).toMatchObject({ rounds: 1, createdAtMs: 987_500, title: "Teas" });
  });

  it("is never negative, whatever the clocks show", async () => {
    const { metrics } = await waited(1_000_700);
    expect(metrics.emitted).toContain("TimeInQueueSeconds{pool=default} 0");
  });

  it("is not emitted again by a later attempt", async () => {
    const { metrics } = await waited(900_000, 2);
    expect(startingWith(metrics.emitted, "TimeInQueueSeconds")).toEqual([]);
  });
});

it.each([
  [0, 100],
  [150_000, 75],
  [700_000, 0],
])(
  "an attempt that starts %i ms into a lease of 600 s emits %i %% of the lease as left",
  async (leasedAgoMs, percent) => {
    const { metrics } = await ran({ leasedAgoMs });
    expect(metrics.emitted[0]).toBe(`LeaseLeftPercent{pool=default} ${percent}`);
  },
);

it("accepted and failed heartbeats are counted separately", async () => {
  const { metrics } = await ran({ heartbeat: throwingFirst(outage) }, { forMs: 60_000 });
  const counted = ["HeartbeatsFailed{pool=default} 1", "Heartbeats{pool=default} 1"];
  expect(startingWith(metrics.emitted, "Heartbeats")).toEqual(counted);
});

it("a repeated write, a response that cannot be cancelled and a failure that cannot be reported are logged", async () => {
  const { log } = await ran(
    {
      work: async ({ saveProgress, onRoundStarted }) => {
        await saveProgress({ startedOver: true });
        await onRoundStarted({ number: 1, responseId: "resp_1", usage });
        throw new RunnerError("model_refused", "no");
      },
      saveProgress: throwingFirst(throttled),
      fail: throwing(lost),
      cancelResponse: throwing(new RunnerError("model_unavailable", "502")),
    },
    { forMs: 60_000 },
  );
  const failures = ["call_retried", "cancel_failed", "report_failed"];
  expect(log.events.filter((event) => failures.includes(event))).toEqual(failures);
});

it("a round's start and the tools that it calls are logged, 32 calls by name at most", async () => {
  const { log } = await ran({
    work: async ({ onRoundStarted, onToolCall, onRoundEnded }) => {
      for (const number of [1, 2]) {
        await onRoundStarted({ number, responseId: "resp_1", usage });
        for (let call = 0; call < 40; call++) onToolCall({ number, tool: "create_table" });
        const tools = Array<string>(40).fill("create_table");
        onRoundEnded({ number, responseId: "resp_1", calls: 40, tools, usage });
      }
      return product;
    },
  });
  const round = ["round_started", ...Array<string>(32).fill("tool_called"), "round_ended"];
  expect(log.events.slice(1, -2)).toEqual([...round, ...round]);
});
