import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { runAttempt, type AttemptPorts } from "../../../lib/attempt/attempt.ts";
import {
  build,
  endless,
  event,
  fifteenMinutes,
  jobContext,
  key,
  lost,
  outage,
  product,
} from "./attempt-world.ts";

describe("an attempt that goes well", () => {
  it("sends one heartbeat, completes and closes the run", async () => {
    const { deps, requests, endings, metrics, log } = build();
    expect(await runAttempt(deps, event, fifteenMinutes)).toEqual({ state: "completed", reason: "ok" });
    expect(requests).toEqual(["heartbeat k1.secret", "complete ws1"]);
    expect(endings).toEqual([{ state: "completed", reason: "ok", atMs: 1_000_000, costUsd: 0 }]);
    expect(metrics.emitted).toEqual([
      "LeaseLeftPercent{pool=default} 100",
      "Heartbeats{pool=default} 1",
      "RunsCompleted{pool=default} 1",
      "RunSeconds{pool=default} 0",
    ]);
    expect(log.events).toEqual(["attempt_began", "run_ended"]);
  });

  it("leaves no timer behind", async () => {
    const { deps, clock } = build();
    await runAttempt(deps, event, fifteenMinutes);
    expect(clock.sleeping()).toBe(0);
  });

  it("keeps the lease alive while the model works", async () => {
    const { deps, clock, requests } = build({
      work: async ({ clock: time, signal }) => {
        await time.sleep(500_000, signal);
        return product;
      },
    });
    const attempt = runAttempt(deps, event, fifteenMinutes);
    await clock.advance(500_000);
    await attempt;
    // Every two minutes, and before the completion.
    expect(requests.filter((request) => request.startsWith("heartbeat"))).toHaveLength(5);
    expect(requests.at(-1)).toBe("complete ws1");
  });

  it("counts the tokens of every kind", async () => {
    const usage = {
      inputTokens: 100,
      cachedInputTokens: 40,
      cacheWriteTokens: 0,
      outputTokens: 9,
      reasoningTokens: 3,
      webSearches: 0,
      costUsd: 0.00025,
    };
    const { deps, metrics } = build({
      work: async ({ onRoundEnded }) => {
        onRoundEnded({ number: 1, responseId: "resp_1", calls: 0, usage });
        return product;
      },
    });
    await runAttempt(deps, event, fifteenMinutes);
    expect(metrics.emitted.slice(4)).toEqual([
      "Tokens{pool=default,model=m,kind=input} 100",
      "Tokens{pool=default,model=m,kind=cached_input} 40",
      "Tokens{pool=default,model=m,kind=output} 9",
      "Tokens{pool=default,model=m,kind=reasoning} 3",
      "CostUsd{pool=default,model=m} 0.00025",
    ]);
  });
});

describe("the fence", () => {
  it("lets a duplicate event do nothing but be counted", async () => {
    const { deps, requests, endings, metrics } = build({ begins: false });
    expect(await runAttempt(deps, event, fifteenMinutes)).toEqual({
      state: "duplicate",
      reason: "duplicate",
    });
    expect([...requests, ...endings]).toEqual([]);
    expect(metrics.emitted).toEqual(["Duplicates{pool=default} 1"]);
  });

  it("posts nothing and closes nothing once a newer attempt owns the run", async () => {
    const { deps, requests, endings, metrics } = build({ ownsHeartbeat: false });
    expect(await runAttempt(deps, event, fifteenMinutes)).toMatchObject({ state: "superseded" });
    expect(requests).toEqual(["heartbeat k1.secret"]);
    expect(endings).toEqual([]);
    expect(metrics.emitted).toEqual([
      "LeaseLeftPercent{pool=default} 100",
      "Heartbeats{pool=default} 1",
      "HeartbeatsFailed{pool=default} 1",
    ]);
  });

  it("stops at once where a newer run has the workspace already", async () => {
    const { deps, requests, endings, metrics } = build({ hasWorkspace: false });
    expect(await runAttempt(deps, event, fifteenMinutes)).toEqual({
      state: "superseded",
      reason: "superseded",
    });
    expect(requests).toEqual([]);
    expect(endings).toMatchObject([{ state: "lost", reason: "superseded" }]);
    expect(metrics.emitted).toContain("RunsLost{pool=default,reason=superseded} 1");
  });

  it("counts no outcome that the run store does not accept", async () => {
    const { deps, metrics, spent, log } = build({ ownsClose: false });
    expect(await runAttempt(deps, event, fifteenMinutes)).toMatchObject({ state: "superseded" });
    expect(metrics.emitted).toEqual(["LeaseLeftPercent{pool=default} 100", "Heartbeats{pool=default} 1"]);
    expect(spent).toEqual([]);
    expect(log.events).toEqual(["attempt_began", "attempt_superseded"]);
  });
});

describe("an attempt that cannot reach the run store", () => {
  const unreachable = async (): Promise<never> => {
    throw new RunnerError("run_store_unavailable", "no answer", { retryable: true });
  };

  it("posts no deliverables until the run store has accepted a write", async () => {
    const { deps, clock, requests } = build();
    const runStore = { ...deps.runStore, heartbeat: unreachable, note: unreachable };
    const attempt = runAttempt({ ...deps, runStore }, event, fifteenMinutes);
    await clock.advance(60_000);
    expect(requests.filter((request) => request.startsWith("complete"))).toEqual([]);
    await clock.advance(900_000);
    await attempt.catch(() => undefined);
    expect(requests.filter((request) => request.startsWith("complete"))).toEqual([]);
  });

  it("reports no failure until the run store has accepted a write", async () => {
    const { deps, clock, requests } = build({
      work: async () => {
        throw new RunnerError("model_refused", "no");
      },
    });
    const runStore = { ...deps.runStore, heartbeat: unreachable, note: unreachable };
    const attempt = runAttempt({ ...deps, runStore }, event, fifteenMinutes);
    await clock.advance(960_000);
    await attempt.catch(() => undefined);
    expect(requests.filter((request) => request.startsWith("fail"))).toEqual([]);
  });
});

describe("a lost lease", () => {
  it("aborts the work at once, and nothing is posted after it", async () => {
    const { deps, clock, requests, endings, metrics } = build({
      work: endless,
      heartbeat: async () => {
        throw lost;
      },
    });
    const attempt = runAttempt(deps, event, fifteenMinutes);
    await clock.advance(120_000);
    expect(await attempt).toEqual({ state: "lost", reason: "lease_lost" });
    expect(requests).toEqual(["heartbeat k1.secret"]);
    expect(endings).toMatchObject([{ state: "lost", reason: "lease_lost" }]);
    expect(metrics.emitted).toContain("RunsLost{pool=default,reason=lease_lost} 1");
  });

  it("that shows itself only in the heartbeat before completing stops the delivery", async () => {
    const { deps, requests } = build({
      heartbeat: async () => {
        throw lost;
      },
    });
    expect(await runAttempt(deps, event, fifteenMinutes)).toMatchObject({ state: "lost" });
    expect(requests).toEqual(["heartbeat k1.secret"]);
  });

  it("after a refused completion is not reported as a failure", async () => {
    const { deps, requests } = build({
      complete: async () => {
        throw lost;
      },
    });
    expect(await runAttempt(deps, event, fifteenMinutes)).toMatchObject({
      state: "lost",
      reason: "lease_lost",
    });
    expect(requests).toEqual(["heartbeat k1.secret", "complete ws1"]);
  });
});

describe("delivery", () => {
  it("is repeated through an outage of minutes, while the lease is kept", async () => {
    const { deps, clock, requests } = build({
      complete: async (_, number) => {
        if (number < 12) throw outage;
      },
    });
    const attempt = runAttempt(deps, event, fifteenMinutes);
    await clock.advance(400_000);
    expect(await attempt).toEqual({ state: "completed", reason: "ok" });
    expect(requests.filter((request) => request.startsWith("complete"))).toHaveLength(12);
  });

  it("that went unanswered is not repeated under the lease of the workspace's next job", async () => {
    const next = { id: "m2", role: "user" as const, text: "And coffees?", createdAtMs: 990_000 };
    const { deps, clock, requests, endings } = build({
      complete: async () => {
        throw outage;
      },
      context: async () => ({ ...jobContext, recentMessages: [next] }),
    });
    const attempt = runAttempt(deps, event, fifteenMinutes);
    await clock.advance(60_000);
    expect(await attempt).toEqual({ state: "completed", reason: "unconfirmed" });
    expect(requests).toEqual(["heartbeat k1.secret", "complete ws1", "context ws1"]);
    expect(endings).toMatchObject([{ state: "completed", reason: "unconfirmed", unconfirmed: true }]);
  });

  it("of an earlier attempt that may have arrived is not repeated under the next job's lease either", async () => {
    const { deps, requests } = build({
      row: { attempt: 2, delivering: true },
      context: async () => ({ ...jobContext, recentMessages: [] }),
    });
    expect(await runAttempt(deps, { ...event, attempt: 2 }, fifteenMinutes)).toEqual({
      state: "completed",
      reason: "unconfirmed",
    });
    expect(requests).toEqual(["heartbeat k1.secret", "context ws1"]);
  });

  it("that may have arrived before the lease was gone is completed, unconfirmed", async () => {
    const { deps, clock, endings, log } = build({
      complete: async (_, number) => {
        throw number === 1 ? outage : lost;
      },
    });
    const attempt = runAttempt(deps, event, fifteenMinutes);
    await clock.advance(5_000);
    expect(await attempt).toEqual({ state: "completed", reason: "unconfirmed" });
    expect(endings).toMatchObject([{ state: "completed", reason: "unconfirmed" }]);
    expect(log.events).toContain("completion_unconfirmed");
  });

  it("that Studio was down for until the lease's end is lost: nobody has seen it arrive", async () => {
    const down = async (): Promise<never> => {
      throw outage;
    };
    let heartbeats = 0;
    const { deps, clock } = build({
      heartbeat: async () => (++heartbeats === 1 ? { leaseExpiresAtMs: 1_600_000 } : down()),
      complete: down,
    });
    const attempt = runAttempt(deps, event, fifteenMinutes);
    await clock.advance(600_000);
    expect(await attempt).toMatchObject({ state: "lost", reason: "lease_lost" });
  });

  it("that a proxy's page with status 200 answered is not taken for a failure", async () => {
    const page = new RunnerError("studio_contract", "a page in the place of JSON", { status: 200 });
    let heartbeats = 0;
    const { deps, clock, requests } = build({
      heartbeat: async () => {
        if (++heartbeats > 1) throw lost;
        return { leaseExpiresAtMs: undefined };
      },
      complete: async () => {
        await clock.sleep(50);
        throw page;
      },
    });
    const attempt = runAttempt(deps, event, fifteenMinutes);
    await clock.advance(5_000);
    expect(await attempt).toEqual({ state: "completed", reason: "unconfirmed" });
    expect(requests).toEqual(["heartbeat k1.secret", "complete ws1", "context ws1", "heartbeat k1.secret"]);
  });

  it("that went unanswered is repeated only once the job, the lease and the run are known to be ours", async () => {
    const { deps, clock, requests } = build({
      complete: async (_, number) => {
        await clock.sleep(50);
        if (number === 1) throw outage;
      },
    });
    const attempt = runAttempt(deps, event, fifteenMinutes);
    await clock.advance(5_000);
    expect(await attempt).toMatchObject({ state: "completed" });
    expect(requests).toEqual([
      "heartbeat k1.secret",
      "complete ws1",
      "context ws1",
      "heartbeat k1.secret",
      "complete ws1",
    ]);
  });

  it("that Studio refuses fails the job with Studio's words", async () => {
    const refusal = new RunnerError(
      "studio_rejected",
      "POST /completeWorkspaceJob answered 400: too many charts",
      { status: 400 },
    );
    const { deps, requests } = build({
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

describe("a failure", () => {
  const failing =
    (error: unknown): AttemptPorts["work"] =>
    async () => {
      throw error;
    };

  it("is told to Studio with its reason, and closed under its code", async () => {
    const { deps, requests, endings, metrics } = build({
      work: failing(new RunnerError("model_refused", "the model declined: no")),
    });
    expect(await runAttempt(deps, event, fifteenMinutes)).toEqual({
      state: "failed",
      reason: "model_refused",
    });
    expect(requests).toEqual(["heartbeat k1.secret", "fail the model declined: no"]);
    expect(endings).toEqual([
      {
        state: "failed",
        reason: "model_refused",
        explanation: "the model declined: no",
        atMs: 1_000_000,
        costUsd: 0,
      },
    ]);
    expect(metrics.emitted).toContain("RunsFailed{pool=default,reason=model_refused} 1");
  });

  it("of our own making is reported in plain words, and its cause comes out for the error alarm", async () => {
    const bug = new TypeError("cannot read properties of undefined");
    const { deps, requests } = build({ work: failing(bug) });
    expect(await runAttempt(deps, event, fifteenMinutes)).toEqual({
      state: "failed",
      reason: "internal",
      defect: bug,
    });
    expect(requests.slice(1)).toEqual([
      "fail The runner failed because of a defect of its own. Its operator finds the details in the log.",
    ]);
  });

  it("whose report went unanswered is not told as the failure of the workspace's next job", async () => {
    const { deps, clock, requests, endings } = build({
      work: failing(new RunnerError("model_refused", "no")),
      fail: async () => {
        throw outage;
      },
      context: async () => ({ ...jobContext, recentMessages: [] }),
    });
    const attempt = runAttempt(deps, event, fifteenMinutes);
    await clock.advance(60_000);
    expect(await attempt).toMatchObject({ state: "failed", reason: "model_refused" });
    expect(requests).toEqual(["heartbeat k1.secret", "fail no", "context ws1"]);
    expect(endings).toMatchObject([{ state: "failed", unconfirmed: true }]);
  });

  it("that cannot be reported because the lease is gone ends as lost", async () => {
    const { deps, endings } = build({
      work: failing(new RunnerError("model_refused", "no")),
      fail: async () => {
        throw lost;
      },
    });
    expect(await runAttempt(deps, event, fifteenMinutes)).toMatchObject({
      state: "lost",
      reason: "model_refused",
    });
    expect(endings).toMatchObject([{ state: "lost", reason: "model_refused" }]);
  });
});

describe("a late begin", () => {
  it("sends a heartbeat before anything else", async () => {
    const order: string[] = [];
    const { deps } = build({
      leasedAgoMs: 301_000,
      heartbeat: async () => {
        order.push("heartbeat");
        return { leaseExpiresAtMs: undefined };
      },
      work: async () => {
        order.push("work");
        return product;
      },
    });
    await runAttempt(deps, event, fifteenMinutes);
    expect(order).toEqual(["heartbeat", "work"]);
  });

  it("does no work when that heartbeat says that the lease is gone", async () => {
    let worked = false;
    const { deps } = build({
      leasedAgoMs: 700_000,
      heartbeat: async () => {
        throw lost;
      },
      work: async () => {
        worked = true;
        return product;
      },
    });
    expect(await runAttempt(deps, event, fifteenMinutes)).toMatchObject({ state: "lost" });
    expect(worked).toBe(false);
  });
});

describe("a refused key", () => {
  const refusal = new RunnerError("key_refused", "401", { status: 401 });

  it("is read again once, and its new value goes on", async () => {
    const { deps, requests } = build({
      keys: [key("k1", "k1.old")],
      freshKeys: [key("k1", "k1.new")],
      heartbeat: async (call) => {
        if (call.key.value.reveal() === "k1.old") throw refusal;
        return { leaseExpiresAtMs: undefined };
      },
    });
    expect(await runAttempt(deps, event, fifteenMinutes)).toMatchObject({ state: "completed" });
    expect(requests).toEqual(["heartbeat k1.old", "heartbeat k1.new", "complete ws1"]);
  });

  it("that is accepted again within the lease does not end the run", async () => {
    let heartbeats = 0;
    const { deps, clock } = build({
      heartbeat: async () => {
        if (++heartbeats < 4) throw refusal;
        return { leaseExpiresAtMs: undefined };
      },
    });
    const attempt = runAttempt(deps, event, fifteenMinutes);
    await clock.advance(60_000);
    expect(await attempt).toMatchObject({ state: "completed", reason: "ok" });
  });

  it("that is never accepted again costs the run its lease, under its own reason", async () => {
    const { deps, clock, requests } = build({
      heartbeat: async () => {
        throw refusal;
      },
    });
    const attempt = runAttempt(deps, event, fifteenMinutes);
    await clock.advance(600_000);
    expect(await attempt).toMatchObject({ state: "lost", reason: "key_refused" });
    expect(requests.filter((request) => request.startsWith("complete"))).toEqual([]);
  });

  it("is that of the lease, not the pool's first", async () => {
    const { deps, requests } = build({ keys: [key("k0", "k0.secret"), key("k1", "k1.secret")] });
    await runAttempt(deps, event, fifteenMinutes);
    expect(requests).toEqual(["heartbeat k1.secret", "complete ws1"]);
  });
});
