import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { noUsage } from "../../../lib/model/model.ts";
import { runAttempt } from "../../../lib/attempt/attempt.ts";
import type { RunStore } from "../../../lib/runs/run-store.ts";
import { build, endless, event, fifteenMinutes, lost, outage, product } from "./attempt-world.ts";

describe("the attempt's deadline", () => {
  it("continues the run in another attempt, 20 s before the platform's end, posting nothing", async () => {
    const { deps, clock, requests, endings, invoked, metrics } = build({ work: endless });
    const attempt = runAttempt(deps, event, fifteenMinutes);
    await clock.advance(879_999);
    expect(invoked).toEqual([]);
    await clock.advance(1);
    expect(await attempt).toEqual({ state: "continued", reason: "attempt_deadline" });
    expect(invoked).toEqual([{ pool: "default", runId: "r1", attempt: 2 }]);
    expect(requests.every((request) => request.startsWith("heartbeat"))).toBe(true);
    expect(endings).toEqual([]);
    const ofHeartbeats = /^Heartbeats/;
    expect(metrics.emitted.filter((line) => !ofHeartbeats.test(line))).toEqual([
      "LeaseLeftPercent{pool=default} 100",
      "Continuations{pool=default} 1",
    ]);
  });

  it("continues in another attempt while Studio will not take a completion, or the report of a failure", async () => {
    const complete = build({
      complete: async () => {
        throw outage;
      },
    });
    const delivering = runAttempt(complete.deps, event, { remainingMs: 300_000, requestId: "req1" });
    await complete.clock.advance(280_000);
    expect(await delivering).toMatchObject({ state: "continued" });
    expect(complete.notes).toContainEqual(expect.objectContaining({ delivering: true }));

    const report = build({
      work: async () => {
        throw new RunnerError("model_refused", "no");
      },
      fail: async () => {
        throw outage;
      },
    });
    const reporting = runAttempt(report.deps, event, { remainingMs: 300_000, requestId: "req1" });
    await report.clock.advance(280_000);
    expect(await reporting).toMatchObject({ state: "continued" });
    expect(report.endings).toEqual([]);
  });

  it("gives the next attempt what the run store could not be told before", async () => {
    const { deps, clock, continued } = build({
      note: async () => {
        throw new RunnerError("run_store_unavailable", "no answer", { retryable: true });
      },
      work: async (context) => {
        await context.onRoundStarted({ number: 1, responseId: "resp_1", usage: noUsage });
        return endless(context);
      },
    });
    const attempt = runAttempt(deps, event, { remainingMs: 300_000, requestId: "req1" });
    await clock.advance(280_000);
    expect(await attempt).toMatchObject({ state: "continued" });
    expect(continued).toEqual([expect.objectContaining({ rounds: 1, responseIds: ["resp_1"] })]);
  });

  it("asks for no round whose answer might come after it", async () => {
    let isAsking = false;
    const { deps, clock } = build({
      work: async ({ clock: time, signal, mayAsk }) => {
        await time.sleep(275_001, signal);
        isAsking = true;
        await mayAsk();
        return product;
      },
    });
    const attempt = runAttempt(deps, event, { remainingMs: 300_000, requestId: "req1" });
    await clock.advance(275_001);
    expect(await attempt).toMatchObject({ state: "continued", reason: "attempt_deadline" });
    expect(isAsking).toBe(true);
  });

  it("does not cancel the generation that the next attempt follows", async () => {
    const { deps, clock, cancelled } = build({ work: endless, row: { responseIds: ["resp_7"] } });
    const attempt = runAttempt(deps, event, { remainingMs: 300_000, requestId: "req1" });
    await clock.advance(280_000);
    await attempt;
    expect(cancelled).toEqual([]);
  });

  it("starts no next attempt when the run store says that one is there", async () => {
    const { deps, clock, invoked } = build({ work: endless, continues: false });
    const attempt = runAttempt(deps, event, { remainingMs: 300_000, requestId: "req1" });
    await clock.advance(280_000);
    expect(await attempt).toMatchObject({ state: "superseded" });
    expect(invoked).toEqual([]);
  });

  it("leaves an event that cannot be sent to the reaper", async () => {
    const { deps, clock, log } = build({
      work: endless,
      invoke: async () => {
        throw new RunnerError("invoke_failed", "TooManyRequestsException");
      },
    });
    const attempt = runAttempt(deps, event, { remainingMs: 300_000, requestId: "req1" });
    await clock.advance(280_000);
    expect(await attempt).toMatchObject({ state: "continued" });
    expect(log.events).toContain("attempt_not_invoked");
  });

  it("fails the job after the last continuation that is allowed", async () => {
    const { deps, clock, requests } = build({ work: endless, row: { continuations: 12 } });
    const attempt = runAttempt(deps, event, { remainingMs: 300_000, requestId: "req1" });
    await clock.advance(280_000);
    expect(await attempt).toMatchObject({ state: "failed", reason: "too_many_continuations" });
    expect(requests.at(-1)).toBe("fail The job did not end within 13 invocations of the runner.");
  });

  it("is not waited for by a run whose own limit comes first: it fails, saying so", async () => {
    const { deps, clock, requests, cancelled } = build({
      work: endless,
      row: { responseIds: ["resp_7"], leasedAtMs: 1_000_000 - 3_500_000, leaseExpiresAtMs: 1_600_000 },
    });
    const attempt = runAttempt(deps, event, fifteenMinutes);
    await clock.advance(100_000);
    expect(await attempt).toMatchObject({ state: "failed", reason: "run_limit" });
    expect(requests.at(-1)).toBe("fail The job was stopped: it did not end within 60 minutes.");
    expect(cancelled).toEqual(["resp_7"]);
  });
});

describe("a summary of the earlier messages that is being made when the lease is lost", () => {
  it("is cancelled", async () => {
    const { deps, clock, cancelled } = build({
      work: async (context) => {
        await context.note({ summaryResponseId: "resp_s" });
        return endless(context);
      },
      heartbeat: async () => {
        throw lost;
      },
    });
    const attempt = runAttempt(deps, event, fifteenMinutes);
    await clock.advance(120_000);
    expect(await attempt).toMatchObject({ state: "lost" });
    expect(cancelled).toEqual(["resp_s"]);
  });

  it("is cancelled by a later attempt too", async () => {
    const { deps, cancelled } = build({
      leasedAgoMs: 400_000,
      row: { attempt: 2, summaryResponseId: "resp_s" },
      heartbeat: async () => {
        throw lost;
      },
    });
    expect(await runAttempt(deps, { ...event, attempt: 2 }, fifteenMinutes)).toMatchObject({ state: "lost" });
    expect(cancelled).toEqual(["resp_s"]);
  });
});

describe("a later attempt", () => {
  it("cancels the generation when the lease turns out to be lost", async () => {
    const { deps, cancelled } = build({
      leasedAgoMs: 400_000,
      row: { attempt: 2, responseIds: ["resp_7"] },
      heartbeat: async () => {
        throw lost;
      },
    });
    expect(await runAttempt(deps, { ...event, attempt: 2 }, fifteenMinutes)).toMatchObject({ state: "lost" });
    expect(cancelled).toEqual(["resp_7"]);
  });

  it("takes a lease that went during an earlier attempt's delivery for an accepted completion", async () => {
    const { deps, endings } = build({
      row: { attempt: 2, delivering: true },
      heartbeat: async () => {
        throw lost;
      },
    });
    expect(await runAttempt(deps, { ...event, attempt: 2 }, fifteenMinutes)).toMatchObject({
      state: "completed",
      reason: "unconfirmed",
    });
    expect(endings).toMatchObject([{ state: "completed", reason: "unconfirmed" }]);
  });
});

describe("a refused payload", () => {
  const refusal = new RunnerError(
    "studio_rejected",
    "POST /completeWorkspaceJob answered 400: too many charts",
    { status: 400 },
  );

  it("goes back to the model once, with Studio's words", async () => {
    const words: string[] = [];
    const { deps, notes, requests } = build({
      work: async () => ({
        ...product,
        repair: async (said) => {
          words.push(said);
          return product;
        },
      }),
      complete: async (_, number) => {
        if (number === 1) throw refusal;
      },
    });
    expect(await runAttempt(deps, event, fifteenMinutes)).toMatchObject({ state: "completed", reason: "ok" });
    expect(words).toEqual(["POST /completeWorkspaceJob answered 400: too many charts"]);
    expect(notes).toMatchObject([
      { delivering: true },
      { delivering: false, repaired: true },
      { delivering: true },
    ]);
    expect(requests.filter((request) => request.startsWith("complete"))).toHaveLength(2);
  });

  it("is noted as repaired before the repair is asked for", async () => {
    const { deps, notes } = build({
      work: async () => ({
        ...product,
        repair: async () => {
          expect(notes.at(-1)).toEqual({ delivering: false, repaired: true });
          return product;
        },
      }),
      complete: async (_, number) => {
        if (number === 1) throw refusal;
      },
    });
    expect(await runAttempt(deps, event, fifteenMinutes)).toMatchObject({ state: "completed" });
  });

  it("that is refused again fails the job with Studio's words", async () => {
    const { deps, requests } = build({
      work: async () => ({ ...product, repair: async () => product }),
      complete: async () => {
        throw refusal;
      },
    });
    expect(await runAttempt(deps, event, fifteenMinutes)).toMatchObject({
      state: "failed",
      reason: "studio_rejected",
    });
    expect(requests.at(-1)).toBe("fail POST /completeWorkspaceJob answered 400: too many charts");
  });
});

describe("the run store's notes", () => {
  it("have a round's response id before the round is waited for", async () => {
    const { deps, notes } = build({
      work: async ({ onRoundStarted }) => {
        await onRoundStarted({ number: 3, responseId: "resp_3", usage: noUsage });
        expect(notes).toMatchObject([
          { rounds: 3, responseIds: ["resp_1", "resp_2", "resp_3"], usage: noUsage, model: "m" },
        ]);
        return product;
      },
      row: { rounds: 2, responseIds: ["resp_1", "resp_2"] },
    });
    const runStore: RunStore = {
      ...deps.runStore,
      note: async (...call) => {
        await nextTurn();
        return deps.runStore.note(...call);
      },
    };
    expect(await runAttempt({ ...deps, runStore }, event, fifteenMinutes)).toMatchObject({
      state: "completed",
    });
    expect(notes).toHaveLength(2);
  });

  it("are waited for until the run store takes them", async () => {
    let isDown = true;
    const { deps, clock, notes } = build({
      note: async () => {
        if (isDown) throw new RunnerError("run_store_unavailable", "throttled", { retryable: true });
      },
      work: async ({ note }) => {
        await note({ startedOver: true });
        return product;
      },
    });
    const attempt = runAttempt(deps, event, fifteenMinutes);
    await clock.advance(10_000);
    expect(notes).toEqual([]);
    isDown = false;
    await clock.advance(60_000);
    expect(await attempt).toMatchObject({ state: "completed" });
    expect(notes).toMatchObject([{ startedOver: true }, { delivering: true }]);
  });

  it("put the new response of a round that is asked again in the place of the one before", async () => {
    const { deps, notes } = build({
      work: async ({ onRoundStarted }) => {
        for (const responseId of ["resp_2", "resp_2b"])
          await onRoundStarted({ number: 2, responseId, usage: noUsage });
        return product;
      },
      row: { rounds: 1, responseIds: ["resp_1"] },
    });
    await runAttempt(deps, event, fifteenMinutes);
    expect(notes.slice(0, 2).map(({ responseIds }) => responseIds)).toEqual([
      ["resp_1", "resp_2"],
      ["resp_1", "resp_2b"],
    ]);
  });

  it("that the fence refuses end the attempt at once", async () => {
    const { deps, requests } = build({
      work: async ({ note }) => {
        await note({ startedOver: true });
        return product;
      },
    });
    const runStore = { ...deps.runStore, note: async () => false };
    expect(await runAttempt({ ...deps, runStore }, event, fifteenMinutes)).toMatchObject({
      state: "superseded",
    });
    expect(requests).toEqual([]);
  });
});
