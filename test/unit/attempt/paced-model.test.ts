import { expect, test } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import type { Model, ModelRequest, ModelTurn } from "../../../lib/model/model.ts";
import { paced } from "../../../lib/attempt/paced-model.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { recordingLog, recordingMetrics } from "../../support/silent.ts";

const turn = { message: "answer" } as unknown as ModelTurn;
const request = {} as ModelRequest;

interface World {
  /** Epoch ms; each read of the run store returns the next one, and the last one from then on. */
  readonly heldUntilMs?: readonly number[];
  readonly answers: readonly (RunnerError | ModelTurn)[];
  readonly random?: number;
}

function build({ heldUntilMs = [0], answers, random = 0 }: World) {
  const clock = createFakeClock(0);
  const askedAtMs: number[] = [];
  const heldBackMs: number[] = [];
  let reads = 0;
  let refuse: (limit: { readonly retryAfterMs: number | undefined }) => void = () => undefined;
  const model = paced(
    (onRateLimited) => {
      refuse = onRateLimited;
      return {
        generate: async () => {
          const answer = answers[askedAtMs.length];
          askedAtMs.push(clock.now());
          if (answer instanceof RunnerError) throw answer;
          return answer;
        },
      } as unknown as Model;
    },
    {
      clock,
      random: () => random,
      pool: "default",
      log: recordingLog(),
      metrics: recordingMetrics(),
      backoff: {
        read: async () => {
          const modelUntilMs = heldUntilMs[Math.min(reads, heldUntilMs.length - 1)]!;
          reads += 1;
          return { modelUntilMs, studioUntilMs: 0 };
        },
        extend: async (_, __, untilMs) => void heldBackMs.push(untilMs - clock.now()),
        clear: () => Promise.reject(new Error("an operator's business")),
      },
    },
  );
  const generate = (signal = new AbortController().signal) => model.generate(request, { signal });
  return { clock, askedAtMs, heldBackMs, generate, refuse, reads: () => reads };
}

const tooMany = (retryAfterMs?: number): RunnerError =>
  new RunnerError("model_unavailable", "HTTP 429", {
    retryable: true,
    status: 429,
    retryAfterMs,
  });

test("a run waits out the pool's back-off, and waits longer when it was extended meanwhile", async () => {
  const world = build({ heldUntilMs: [10_000, 25_000, 25_000], answers: [turn] });
  const answer = world.generate();
  await world.clock.advance(60_000);
  expect(await answer).toBe(turn);
  expect(world.askedAtMs).toEqual([25_000]);
});

test("a random delay after the back-off keeps runs that waited together from asking at once", async () => {
  const world = build({ heldUntilMs: [10_000], answers: [turn], random: 0.5 });
  const answer = world.generate();
  await world.clock.advance(60_000);
  await answer;
  expect(world.askedAtMs).toEqual([11_000]);
});

test("a 429 that outlasts the adapter's retries fails no job: the round is asked again after the back-off", async () => {
  const world = build({ answers: [tooMany(120_000), tooMany(), turn] });
  const answer = world.generate();
  await world.clock.advance(300_000);
  expect(await answer).toBe(turn);
  expect(world.askedAtMs).toEqual([0, 120_000, 125_000]);
});

test("a provider that keeps answering 429 with Retry-After: 0 is asked at growing intervals", async () => {
  const world = build({ answers: [...Array.from({ length: 200 }, () => tooMany(0)), turn] });
  const answer = world.generate();
  await world.clock.advance(180_000);
  expect(world.askedAtMs).toEqual([
    0, 500, 1_500, 3_500, 7_500, 15_500, 31_500, 61_500, 91_500, 121_500, 151_500,
  ]);
  await world.clock.advance(6_000_000);
  expect(await answer).toBe(turn);
});

test("the pool's back-off is read at most once a second", async () => {
  const world = build({ answers: [turn, turn, turn, turn] });
  await world.generate();
  await world.clock.advance(1_000);
  await world.generate();
  expect(world.reads()).toBe(1);
  await world.clock.advance(1);
  await world.generate();
  await world.generate();
  expect(world.reads()).toBe(2);
});

test("after a 429 the pool's back-off is read again at once", async () => {
  const world = build({ answers: [tooMany(500), turn] });
  const answer = world.generate();
  await world.clock.advance(500);
  await answer;
  expect(world.reads()).toBe(2);
});

test("an exhausted quota is thrown at once, although its status is 429", async () => {
  const quota = new RunnerError("model_quota_exhausted", "no quota", { status: 429 });
  const world = build({ answers: [quota] });
  await expect(world.generate()).rejects.toBe(quota);
});

test("aborting the signal ends the wait", async () => {
  const stop = new AbortController();
  const world = build({ answers: [tooMany(120_000), turn] });
  const answer = world.generate(stop.signal);
  await world.clock.advance(1_000);
  stop.abort("over");
  await expect(answer).rejects.toBe("over");
  expect(world.askedAtMs).toEqual([0]);
});

test("the pool's back-off grows with each 429 in a row, to three minutes at most, and starts again after a success", async () => {
  const { refuse, heldBackMs, generate } = build({ answers: [turn] });
  refuse({ retryAfterMs: 0 });
  refuse({ retryAfterMs: 0 });
  refuse({ retryAfterMs: 0 });
  refuse({ retryAfterMs: 1_784_000_000_000 });
  refuse({ retryAfterMs: undefined });
  await generate();
  refuse({ retryAfterMs: 0 });
  expect(heldBackMs).toEqual([500, 1_000, 2_000, 180_000, 8_000, 500]);
});
