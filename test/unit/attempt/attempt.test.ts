import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import {
  build,
  endless,
  keyRefused,
  lost,
  nextJobContext,
  only,
  outage,
  product,
  ran,
  throttled,
  throwing,
  throwingAfter,
  throwingFirst,
} from "./attempt-world.ts";

const declined = throwing(new RunnerError("model_refused", "the model declined: no"));

describe("a successful attempt", () => {
  it("sends one heartbeat, completes the job, finishes the run and leaves no timer running", async () => {
    const { result, requests, outcomes, metrics, log, clock } = await ran();
    expect(result).toEqual({ state: "completed", reason: "ok" });
    expect(requests).toEqual(["heartbeat k1.secret", "complete ws1"]);
    expect(outcomes).toEqual([{ state: "completed", reason: "ok", atMs: 1_000_000, costUsd: 0 }]);
    expect(metrics.emitted).toContain("RunsCompleted{pool=default} 1");
    expect(metrics.emitted).toContain("RunSeconds{pool=default} 0");
    expect(log.events).toEqual(["attempt_started", "heartbeat_accepted", "run_ended"]);
    expect(clock.sleeping()).toBe(0);
  });
});

describe("the fence", () => {
  it("stops a duplicate event, which is only counted", async () => {
    const { result, requests, outcomes, metrics } = await ran({ runStore: { start: async () => undefined } });
    expect(result).toEqual({ state: "duplicate", reason: "duplicate" });
    expect([...requests, ...outcomes]).toEqual([]);
    expect(metrics.emitted).toEqual(["Duplicates{pool=default} 1"]);
  });

  it("keeps an attempt from posting and from finishing the run once a newer attempt owns it", async () => {
    const { result, requests, outcomes } = await ran({ runStore: { heartbeat: async () => undefined } });
    expect(result).toMatchObject({ state: "superseded" });
    expect(requests).toEqual(["heartbeat k1.secret"]);
    expect(outcomes).toEqual([]);
  });

  it("stops an attempt at once when a newer run owns the workspace", async () => {
    const { result, requests, outcomes, metrics } = await ran({ hasWorkspace: false });
    expect(result).toEqual({ state: "superseded", reason: "superseded" });
    expect(requests).toEqual([]);
    expect(outcomes).toMatchObject([{ state: "lost", reason: "superseded" }]);
    expect(metrics.emitted).toContain("RunsLost{pool=default,reason=superseded} 1");
  });

  it("keeps an outcome that the run store refuses from being counted", async () => {
    const { result, metrics, spent, log } = await ran({ runStore: { finish: async () => false } });
    expect(result).toMatchObject({ state: "superseded" });
    expect(metrics.emitted.filter((line) => line.startsWith("Run"))).toEqual([]);
    expect(spent).toEqual([]);
    expect(log.events).toEqual(["attempt_started", "heartbeat_accepted", "attempt_superseded"]);
  });

  it.each([
    ["deliverables", {}],
    ["a failure report", { work: declined }],
  ])("holds back %s while the run store accepts no write", async (_, world) => {
    const unreachable = throwing(throttled);
    const runStore = { heartbeat: unreachable, saveProgress: unreachable };
    const { requests } = await ran({ ...world, runStore }, { forMs: 960_000 });
    expect(requests.filter((request) => !request.startsWith("heartbeat"))).toEqual([]);
  });
});

describe("a lost lease", () => {
  it("aborts the work at once, and nothing is posted afterwards", async () => {
    const world = { work: endless, heartbeat: throwing(lost) };
    const { result, requests, outcomes, metrics } = await ran(world, { forMs: 120_000 });
    expect(result).toEqual({ state: "lost", reason: "lease_lost" });
    expect(requests).toEqual(["heartbeat k1.secret"]);
    expect(outcomes).toMatchObject([{ state: "lost", reason: "lease_lost" }]);
    expect(metrics.emitted).toContain("RunsLost{pool=default,reason=lease_lost} 1");
  });

  it("that only the heartbeat before the completion reveals stops the delivery", async () => {
    const { result, requests } = await ran({ heartbeat: throwing(lost) });
    expect(result).toMatchObject({ state: "lost" });
    expect(requests).toEqual(["heartbeat k1.secret"]);
  });

  it("that a refused completion reveals is not reported as a failure", async () => {
    const { result, requests } = await ran({ complete: throwing(lost) });
    expect(result).toEqual({ state: "lost", reason: "lease_lost" });
    expect(requests).toEqual(["heartbeat k1.secret", "complete ws1"]);
  });
});

describe("delivery", () => {
  it("is repeated through an outage of minutes while the lease is kept", async () => {
    const { result, requests } = await ran({ complete: throwingFirst(outage, 11) }, { forMs: 400_000 });
    expect(result).toEqual({ state: "completed", reason: "ok" });
    expect(only(requests, "complete")).toHaveLength(12);
  });

  it("is not repeated after an unanswered post when the lease is for the workspace's next job", async () => {
    const world = { complete: throwing(outage), context: async () => nextJobContext };
    const { result, requests, outcomes } = await ran(world, { forMs: 60_000 });
    expect(result).toEqual({ state: "completed", reason: "unconfirmed" });
    expect(requests).toEqual(["heartbeat k1.secret", "complete ws1", "context ws1"]);
    expect(outcomes).toMatchObject([{ state: "completed", reason: "unconfirmed", unconfirmed: true }]);
  });

  it("that an earlier attempt started is not repeated when the lease is for the workspace's next job", async () => {
    const row = { attempt: 2, delivering: true };
    const { result, requests } = await ran({ row, context: async () => nextJobContext });
    expect(result).toEqual({ state: "completed", reason: "unconfirmed" });
    expect(requests).toEqual(["heartbeat k1.secret", "context ws1"]);
  });

  it("ends the run as completed, unconfirmed, when it may have arrived before the lease was lost", async () => {
    let posts = 0;
    const complete = async () => {
      throw ++posts === 1 ? outage : lost;
    };
    const { result, outcomes, log } = await ran({ complete }, { forMs: 5_000 });
    expect(result).toEqual({ state: "completed", reason: "unconfirmed" });
    expect(outcomes).toMatchObject([{ state: "completed", reason: "unconfirmed" }]);
    expect(log.events).toContain("completion_unconfirmed");
  });

  it("ends the run as lost when Studio is down until the lease expires", async () => {
    const world = { heartbeat: throwingAfter(1, outage), complete: throwing(outage) };
    const { result } = await ran(world, { forMs: 600_000 });
    expect(result).toEqual({ state: "lost", reason: "lease_lost" });
  });

  it("ends the run as completed, unconfirmed, when a proxy answers 200 with a page", async () => {
    const page = new RunnerError("studio_contract", "a page in the place of JSON", { status: 200 });
    const { startAttempt, clock, requests } = build({
      heartbeat: throwingAfter(1, lost),
      complete: async () => {
        await clock.sleep(50);
        throw page;
      },
    });
    const attempt = startAttempt();
    await clock.advance(5_000);
    expect(await attempt).toEqual({ state: "completed", reason: "unconfirmed" });
    expect(requests).toEqual(["heartbeat k1.secret", "complete ws1", "context ws1", "heartbeat k1.secret"]);
  });

  it("is repeated after an unanswered post only once the job, the lease and the run are proven to be ours", async () => {
    const unanswered = throwingFirst(outage);
    const { startAttempt, clock, requests } = build({
      complete: async () => {
        await clock.sleep(50);
        await unanswered();
      },
    });
    const attempt = startAttempt();
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
});

describe("a failure", () => {
  it("is reported to Studio with its explanation, and finishes the run under its code", async () => {
    const { result, requests, outcomes, metrics } = await ran({ work: declined });
    expect(result).toEqual({ state: "failed", reason: "model_refused" });
    expect(requests).toEqual(["heartbeat k1.secret", "fail The model declined: no."]);
    const failed = { state: "failed", reason: "model_refused", explanation: "The model declined: no." };
    expect(outcomes).toEqual([{ ...failed, atMs: 1_000_000, costUsd: 0 }]);
    expect(metrics.emitted).toContain("RunsFailed{pool=default,reason=model_refused} 1");
  });

  it("caused by a defect is reported in plain words, and the defect is returned for the error alarm", async () => {
    const bug = new TypeError("cannot read properties of undefined");
    const { result, requests } = await ran({ work: throwing(bug) });
    expect(result).toEqual({ state: "failed", reason: "internal", defect: bug });
    expect(requests.slice(1)).toEqual([
      "fail The runner failed because of a defect of its own. Its operator finds the details in the log.",
    ]);
  });

  it("whose report went unanswered is not reported for the workspace's next job", async () => {
    const world = { work: declined, fail: throwing(outage), context: async () => nextJobContext };
    const { result, requests, outcomes } = await ran(world, { forMs: 60_000 });
    expect(result).toMatchObject({ state: "failed", reason: "model_refused" });
    expect(requests).toEqual(["heartbeat k1.secret", "fail The model declined: no.", "context ws1"]);
    expect(outcomes).toMatchObject([{ state: "failed", unconfirmed: true }]);
  });

  it("that cannot be reported because the lease is gone ends the run as lost", async () => {
    const { result, outcomes } = await ran({ work: declined, fail: throwing(lost) });
    expect(result).toMatchObject({ state: "lost", reason: "model_refused" });
    expect(outcomes).toMatchObject([{ state: "lost", reason: "model_refused" }]);
  });
});

describe("an attempt that starts late", () => {
  it("sends a heartbeat before it starts to work", async () => {
    const { requests } = await ran({
      leasedAgoMs: 301_000,
      work: async ({ job, signal }) => {
        await job.context(signal);
        return product;
      },
    });
    expect(requests.slice(0, 2)).toEqual(["heartbeat k1.secret", "context ws1"]);
  });

  it("does no work when that heartbeat finds the lease gone", async () => {
    let worked = false;
    const work = async () => {
      worked = true;
      return product;
    };
    const { result } = await ran({ leasedAgoMs: 700_000, heartbeat: throwing(lost), work });
    expect(result).toMatchObject({ state: "lost" });
    expect(worked).toBe(false);
  });
});

describe("a refused key", () => {
  it("that is accepted again within the lease does not end the run, and each refusal is counted", async () => {
    const { result, metrics } = await ran({ heartbeat: throwingFirst(keyRefused, 3) }, { forMs: 60_000 });
    expect(result).toMatchObject({ state: "completed", reason: "ok" });
    expect(metrics.emitted.filter((line) => line.startsWith("KeysRefused"))).toHaveLength(3);
  });

  it("that is never accepted again ends the run as lost with the reason key_refused", async () => {
    const { result, requests } = await ran({ heartbeat: throwing(keyRefused) }, { forMs: 600_000 });
    expect(result).toMatchObject({ state: "lost", reason: "key_refused" });
    expect(only(requests, "complete")).toEqual([]);
  });

  it("for the model is counted", async () => {
    const refused = new RunnerError("model_key_refused", "401", { status: 401 });
    const { metrics } = await ran({ work: throwing(refused) });
    expect(metrics.emitted).toContain("KeysRefused{pool=default} 1");
  });
});
