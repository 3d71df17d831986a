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

describe("an attempt that goes well", () => {
  it("sends one heartbeat, completes and closes the run, and leaves no timer behind", async () => {
    const { result, requests, endings, metrics, log, clock } = await ran();
    expect(result).toEqual({ state: "completed", reason: "ok" });
    expect(requests).toEqual(["heartbeat k1.secret", "complete ws1"]);
    expect(endings).toEqual([{ state: "completed", reason: "ok", atMs: 1_000_000, costUsd: 0 }]);
    expect(metrics.emitted).toContain("RunsCompleted{pool=default} 1");
    expect(metrics.emitted).toContain("RunSeconds{pool=default} 0");
    expect(log.events).toEqual(["attempt_began", "run_ended"]);
    expect(clock.sleeping()).toBe(0);
  });
});

describe("the fence", () => {
  it("lets a duplicate event do nothing but be counted", async () => {
    const { result, requests, endings, metrics } = await ran({ runStore: { start: async () => undefined } });
    expect(result).toEqual({ state: "duplicate", reason: "duplicate" });
    expect([...requests, ...endings]).toEqual([]);
    expect(metrics.emitted).toEqual(["Duplicates{pool=default} 1"]);
  });

  it("posts nothing and closes nothing once a newer attempt owns the run", async () => {
    const { result, requests, endings } = await ran({ runStore: { heartbeat: async () => false } });
    expect(result).toMatchObject({ state: "superseded" });
    expect(requests).toEqual(["heartbeat k1.secret"]);
    expect(endings).toEqual([]);
  });

  it("stops at once where a newer run has the workspace already", async () => {
    const { result, requests, endings, metrics } = await ran({ hasWorkspace: false });
    expect(result).toEqual({ state: "superseded", reason: "superseded" });
    expect(requests).toEqual([]);
    expect(endings).toMatchObject([{ state: "lost", reason: "superseded" }]);
    expect(metrics.emitted).toContain("RunsLost{pool=default,reason=superseded} 1");
  });

  it("counts no outcome that the run store does not accept", async () => {
    const { result, metrics, spent, log } = await ran({ runStore: { finish: async () => false } });
    expect(result).toMatchObject({ state: "superseded" });
    expect(metrics.emitted.filter((line) => line.startsWith("Run"))).toEqual([]);
    expect(spent).toEqual([]);
    expect(log.events).toEqual(["attempt_began", "attempt_superseded"]);
  });

  it.each([
    ["posts no deliverables", {}],
    ["reports no failure", { work: declined }],
  ])("%s until the run store has accepted a write", async (_, world) => {
    const unreachable = throwing(throttled);
    const runStore = { heartbeat: unreachable, note: unreachable };
    const { requests } = await ran({ ...world, runStore }, { forMs: 960_000 });
    expect(requests.filter((request) => !request.startsWith("heartbeat"))).toEqual([]);
  });
});

describe("a lost lease", () => {
  it("aborts the work at once, and nothing is posted after it", async () => {
    const world = { work: endless, heartbeat: throwing(lost) };
    const { result, requests, endings, metrics } = await ran(world, { forMs: 120_000 });
    expect(result).toEqual({ state: "lost", reason: "lease_lost" });
    expect(requests).toEqual(["heartbeat k1.secret"]);
    expect(endings).toMatchObject([{ state: "lost", reason: "lease_lost" }]);
    expect(metrics.emitted).toContain("RunsLost{pool=default,reason=lease_lost} 1");
  });

  it("that shows itself only in the heartbeat before completing stops the delivery", async () => {
    const { result, requests } = await ran({ heartbeat: throwing(lost) });
    expect(result).toMatchObject({ state: "lost" });
    expect(requests).toEqual(["heartbeat k1.secret"]);
  });

  it("after a refused completion is not reported as a failure", async () => {
    const { result, requests } = await ran({ complete: throwing(lost) });
    expect(result).toEqual({ state: "lost", reason: "lease_lost" });
    expect(requests).toEqual(["heartbeat k1.secret", "complete ws1"]);
  });
});

describe("delivery", () => {
  it("is repeated through an outage of minutes, while the lease is kept", async () => {
    const { result, requests } = await ran({ complete: throwingFirst(outage, 11) }, { forMs: 400_000 });
    expect(result).toEqual({ state: "completed", reason: "ok" });
    expect(only(requests, "complete")).toHaveLength(12);
  });

  it("that went unanswered is not repeated under the lease of the workspace's next job", async () => {
    const world = { complete: throwing(outage), context: async () => nextJobContext };
    const { result, requests, endings } = await ran(world, { forMs: 60_000 });
    expect(result).toEqual({ state: "completed", reason: "unconfirmed" });
    expect(requests).toEqual(["heartbeat k1.secret", "complete ws1", "context ws1"]);
    expect(endings).toMatchObject([{ state: "completed", reason: "unconfirmed", unconfirmed: true }]);
  });

  it("of an earlier attempt that may have arrived is not repeated under the next job's lease either", async () => {
    const row = { attempt: 2, delivering: true };
    const { result, requests } = await ran({ row, context: async () => nextJobContext });
    expect(result).toEqual({ state: "completed", reason: "unconfirmed" });
    expect(requests).toEqual(["heartbeat k1.secret", "context ws1"]);
  });

  it("that may have arrived before the lease was gone is completed, unconfirmed", async () => {
    let posts = 0;
    const complete = async () => {
      throw ++posts === 1 ? outage : lost;
    };
    const { result, endings, log } = await ran({ complete }, { forMs: 5_000 });
    expect(result).toEqual({ state: "completed", reason: "unconfirmed" });
    expect(endings).toMatchObject([{ state: "completed", reason: "unconfirmed" }]);
    expect(log.events).toContain("completion_unconfirmed");
  });

  it("that Studio was down for until the lease's end is lost: nobody has seen it arrive", async () => {
    const world = { heartbeat: throwingAfter(1, outage), complete: throwing(outage) };
    const { result } = await ran(world, { forMs: 600_000 });
    expect(result).toEqual({ state: "lost", reason: "lease_lost" });
  });

  it("that a proxy's page with status 200 answered is not taken for a failure", async () => {
    const page = new RunnerError("studio_contract", "a page in the place of JSON", { status: 200 });
    const { begin, clock, requests } = build({
      heartbeat: throwingAfter(1, lost),
      complete: async () => {
        await clock.sleep(50);
        throw page;
      },
    });
    const attempt = begin();
    await clock.advance(5_000);
    expect(await attempt).toEqual({ state: "completed", reason: "unconfirmed" });
    expect(requests).toEqual(["heartbeat k1.secret", "complete ws1", "context ws1", "heartbeat k1.secret"]);
  });

  it("that went unanswered is repeated only once the job, the lease and the run are known to be ours", async () => {
    const unanswered = throwingFirst(outage);
    const { begin, clock, requests } = build({
      complete: async () => {
        await clock.sleep(50);
        await unanswered();
      },
    });
    const attempt = begin();
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
  it("is told to Studio with its reason, and closed under its code", async () => {
    const { result, requests, endings, metrics } = await ran({ work: declined });
    expect(result).toEqual({ state: "failed", reason: "model_refused" });
    expect(requests).toEqual(["heartbeat k1.secret", "fail the model declined: no"]);
    const told = { state: "failed", reason: "model_refused", explanation: "the model declined: no" };
    expect(endings).toEqual([{ ...told, atMs: 1_000_000, costUsd: 0 }]);
    expect(metrics.emitted).toContain("RunsFailed{pool=default,reason=model_refused} 1");
  });

  it("of our own making is reported in plain words, and its cause comes out for the error alarm", async () => {
    const bug = new TypeError("cannot read properties of undefined");
    const { result, requests } = await ran({ work: throwing(bug) });
    expect(result).toEqual({ state: "failed", reason: "internal", defect: bug });
    expect(requests.slice(1)).toEqual([
      "fail The runner failed because of a defect of its own. Its operator finds the details in the log.",
    ]);
  });

  it("whose report went unanswered is not told as the failure of the workspace's next job", async () => {
    const world = { work: declined, fail: throwing(outage), context: async () => nextJobContext };
    const { result, requests, endings } = await ran(world, { forMs: 60_000 });
    expect(result).toMatchObject({ state: "failed", reason: "model_refused" });
    expect(requests).toEqual(["heartbeat k1.secret", "fail the model declined: no", "context ws1"]);
    expect(endings).toMatchObject([{ state: "failed", unconfirmed: true }]);
  });

  it("that cannot be reported because the lease is gone ends as lost", async () => {
    const { result, endings } = await ran({ work: declined, fail: throwing(lost) });
    expect(result).toMatchObject({ state: "lost", reason: "model_refused" });
    expect(endings).toMatchObject([{ state: "lost", reason: "model_refused" }]);
  });
});

describe("a late begin", () => {
  it("sends a heartbeat before it works", async () => {
    const { requests } = await ran({
      leasedAgoMs: 301_000,
      work: async ({ job, signal }) => {
        await job.context(signal);
        return product;
      },
    });
    expect(requests.slice(0, 2)).toEqual(["heartbeat k1.secret", "context ws1"]);
  });

  it("does no work when that heartbeat says that the lease is gone", async () => {
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
  it("that is accepted again within the lease does not end the run; each refusal is counted", async () => {
    const { result, metrics } = await ran({ heartbeat: throwingFirst(keyRefused, 3) }, { forMs: 60_000 });
    expect(result).toMatchObject({ state: "completed", reason: "ok" });
    expect(metrics.emitted.filter((line) => line.startsWith("KeysRefused"))).toHaveLength(3);
  });

  it("that is never accepted again costs the run its lease, under its own reason", async () => {
    const { result, requests } = await ran({ heartbeat: throwing(keyRefused) }, { forMs: 600_000 });
    expect(result).toMatchObject({ state: "lost", reason: "key_refused" });
    expect(only(requests, "complete")).toEqual([]);
  });

  it("of the model is counted", async () => {
    const refused = new RunnerError("model_key_refused", "401", { status: 401 });
    const { metrics } = await ran({ work: throwing(refused) });
    expect(metrics.emitted).toContain("KeysRefused{pool=default} 1");
  });
});
