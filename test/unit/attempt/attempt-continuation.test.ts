import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { noUsage } from "../../../lib/model/model.ts";
import {
  build,
  endless,
  lost,
  only,
  outage,
  product,
  ran,
  throttled,
  throwing,
  throwingFirst,
  type Work,
  type World,
} from "./attempt-world.ts";

/** Runs an attempt with a time limit of five minutes until its deadline. */
const untilDeadline = (world: World) => ran(world, { remainingMs: 300_000, forMs: 280_000 });

describe("an attempt near its deadline", () => {
  it("continues the run in the next attempt 20 s before Lambda's timeout, and posts nothing", async () => {
    const { startAttempt, clock, requests, outcomes, invoked, metrics } = build({ work: endless });
    const attempt = startAttempt();
    await clock.advance(879_999);
    expect(invoked).toEqual([]);
    await clock.advance(1);
    expect(await attempt).toEqual({ state: "continued", reason: "attempt_deadline" });
    expect(invoked).toEqual([{ pool: "default", runId: "r1", attempt: 2 }]);
    expect(only(requests, "heartbeat")).toEqual(requests);
    expect(outcomes).toEqual([]);
    expect(metrics.emitted).toContain("Continuations{pool=default} 1");
    expect(metrics.emitted.filter((line) => line.startsWith("Run"))).toEqual([]);
  });

  it("continues in the next attempt while Studio cannot take the completion", async () => {
    const { result, notes } = await untilDeadline({ complete: throwing(outage) });
    expect(result).toMatchObject({ state: "continued" });
    expect(notes).toContainEqual(expect.objectContaining({ delivering: true }));
  });

  it("continues in the next attempt while Studio cannot take the failure report", async () => {
    const work = throwing(new RunnerError("model_refused", "no"));
    const { result, outcomes } = await untilDeadline({ work, fail: throwing(outage) });
    expect(result).toMatchObject({ state: "continued" });
    expect(outcomes).toEqual([]);
  });

  it("passes on to the next attempt the progress that the run store could not take before", async () => {
    const { result, continued } = await untilDeadline({
      saveProgress: throwing(throttled),
      work: async (context) => {
        await context.onRoundStarted({ number: 1, responseId: "resp_1", usage: noUsage });
        return endless(context);
      },
    });
    expect(result).toMatchObject({ state: "continued" });
    expect(continued).toEqual([expect.objectContaining({ rounds: 1, responseIds: ["resp_1"] })]);
  });

  it("asks for no round that might end after the deadline", async () => {
    let isAsking = false;
    const { result } = await untilDeadline({
      work: async ({ clock, signal, mayAsk }) => {
        await clock.sleep(275_001, signal);
        isAsking = true;
        await mayAsk();
        throw new Error("it may not ask");
      },
    });
    expect(result).toEqual({ state: "continued", reason: "attempt_deadline" });
    expect(isAsking).toBe(true);
  });

  it("does not cancel the response that the next attempt will follow", async () => {
    const { result, cancelled } = await untilDeadline({ work: endless, row: { responseIds: ["resp_7"] } });
    expect(result).toMatchObject({ state: "continued" });
    expect(cancelled).toEqual([]);
  });

  it("ends as superseded and invokes nothing when the run store refuses the continuation", async () => {
    const runStore = { continueRun: async () => false };
    const { result, invoked } = await untilDeadline({ work: endless, runStore });
    expect(result).toMatchObject({ state: "superseded" });
    expect(invoked).toEqual([]);
  });

  it("fails the job when all its continuations are used up", async () => {
    const { result, requests } = await untilDeadline({ work: endless, row: { continuations: 12 } });
    expect(result).toMatchObject({ state: "failed", reason: "too_many_continuations" });
    expect(requests.at(-1)).toBe("fail The job did not end within 13 invocations of the runner.");
  });

  it("fails the job and cancels its response when the run limit comes first", async () => {
    const leasedAtMs = 1_000_000 - 3_500_000;
    const row = { responseIds: ["resp_7"], leasedAtMs, leaseExpiresAtMs: 1_600_000 };
    const { result, requests, cancelled } = await ran({ work: endless, row }, { forMs: 100_000 });
    expect(result).toMatchObject({ state: "failed", reason: "run_limit" });
    expect(requests.at(-1)).toBe("fail The job did not end within 60 minutes.");
    expect(cancelled).toEqual(["resp_7"]);
  });
});

describe("an attempt whose lease is lost", () => {
  it("cancels the summary that is being generated", async () => {
    const work: Work = async (context) => {
      await context.saveProgress({ summaryResponseId: "resp_s" });
      return endless(context);
    };
    const { result, cancelled } = await ran({ work, heartbeat: throwing(lost) }, { forMs: 120_000 });
    expect(result).toMatchObject({ state: "lost" });
    expect(cancelled).toEqual(["resp_s"]);
  });

  it.each([
    ["summary", { summaryResponseId: "resp_1" }],
    ["generation", { responseIds: ["resp_1"] }],
  ])("cancels the %s that an earlier attempt started", async (_, recorded) => {
    const row = { attempt: 2, ...recorded };
    const { result, cancelled } = await ran({ leasedAgoMs: 400_000, row, heartbeat: throwing(lost) });
    expect(result).toMatchObject({ state: "lost" });
    expect(cancelled).toEqual(["resp_1"]);
  });

  it("ends the run as completed, unconfirmed, when an earlier attempt had started the delivery", async () => {
    const row = { attempt: 2, delivering: true };
    const { result, outcomes } = await ran({ row, heartbeat: throwing(lost) });
    expect(result).toEqual({ state: "completed", reason: "unconfirmed" });
    expect(outcomes).toMatchObject([{ state: "completed", reason: "unconfirmed" }]);
  });
});

describe("a payload that Studio refuses", () => {
  const words = "POST /completeWorkspaceJob answered 400: too many charts";
  const refusal = new RunnerError("studio_rejected", words, { status: 400 });

  it("is sent back to the model once, with Studio's message, after the repair is recorded", async () => {
    const messages: string[] = [];
    const { startAttempt, notes, requests } = build({
      work: async () => ({
        ...product,
        repair: async (asked) => {
          expect(notes.at(-1)).toEqual({ delivering: false, repaired: true });
          messages.push(asked);
          return product;
        },
      }),
      complete: throwingFirst(refusal),
    });
    expect(await startAttempt()).toMatchObject({ state: "completed", reason: "ok" });
    expect(messages).toEqual([words]);
    expect(notes).toMatchObject([
      { delivering: true },
      { delivering: false, repaired: true },
      { delivering: true },
    ]);
    expect(only(requests, "complete")).toHaveLength(2);
  });

  it.each([
    ["is refused again after the repair", { repair: async () => product }, 2],
    ["cannot be repaired", {}, 1],
  ])("fails the job with Studio's message when it %s", async (_, repair, posts) => {
    const work = async () => ({ ...product, ...repair });
    const { result, requests } = await ran({ work, complete: throwing(refusal) });
    expect(result).toMatchObject({ state: "failed", reason: "studio_rejected" });
    expect(only(requests, "complete")).toHaveLength(posts);
    expect(requests.at(-1)).toBe(`fail ${words}.`);
  });
});

describe("progress in the run store", () => {
  it("includes a round's response id before the round is awaited", async () => {
    const { startAttempt, notes } = build({
      saveProgress: nextTurn,
      work: async ({ onRoundStarted }) => {
        await onRoundStarted({ number: 3, responseId: "resp_3", usage: noUsage });
        expect(notes).toMatchObject([
          { rounds: 3, responseIds: ["resp_1", "resp_2", "resp_3"], usage: noUsage, model: "m" },
        ]);
        return product;
      },
      row: { rounds: 2, responseIds: ["resp_1", "resp_2"] },
    });
    expect(await startAttempt()).toMatchObject({ state: "completed" });
    expect(notes).toHaveLength(2);
  });

  const noting: Work = async ({ saveProgress }) => {
    await saveProgress({ startedOver: true });
    return product;
  };

  it("is written again until the run store accepts it", async () => {
    const { startAttempt, clock, notes } = build({ saveProgress: throwingFirst(throttled, 4), work: noting });
    const attempt = startAttempt();
    await clock.advance(3_000);
    expect(notes).toEqual([]);
    await clock.advance(60_000);
    expect(await attempt).toMatchObject({ state: "completed" });
    expect(notes).toMatchObject([{ startedOver: true }, { delivering: true }]);
  });

  it("replaces a round's response id when the round is asked again", async () => {
    const { notes } = await ran({
      work: async ({ onRoundStarted }) => {
        for (const responseId of ["resp_2", "resp_2b"])
          await onRoundStarted({ number: 2, responseId, usage: noUsage });
        return product;
      },
      row: { rounds: 1, responseIds: ["resp_1"] },
    });
    expect(notes.slice(0, 2).map(({ responseIds }) => responseIds)).toEqual([
      ["resp_1", "resp_2"],
      ["resp_1", "resp_2b"],
    ]);
  });

  it("ends the attempt at once when the fence refuses the write", async () => {
    const { result, requests } = await ran({
      work: noting,
      runStore: { saveProgress: async () => undefined },
    });
    expect(result).toMatchObject({ state: "superseded" });
    expect(requests).toEqual([]);
  });
});
