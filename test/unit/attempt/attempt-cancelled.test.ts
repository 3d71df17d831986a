import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { noUsage } from "../../../lib/model/model.ts";
import {
  build,
  endless,
  held,
  only,
  outage,
  product,
  ran,
  throwing,
  type Work,
  type World,
} from "./attempt-world.ts";

const byAnn = { by: "ann", why: "the wrong file", atMs: 1_000_000 };
const marked = { cancelled: byAnn };
const explanation = "This job was cancelled by ann: the wrong file.";
const failed = { state: "failed", reason: "cancelled" };

const firstRound = { number: 1, responseId: "resp_1", usage: noUsage };
const generating: Work = async (context) => {
  await context.onRoundStarted(firstRound);
  return endless(context);
};

describe("a cancelled run", () => {
  it("cancels its response at the next heartbeat and fails its job with who cancelled it and why", async () => {
    const work = generating;
    const runStore = { heartbeat: async () => marked };
    const { startAttempt, clock, cancelled, requests, outcomes, metrics } = build({ work, runStore });
    const attempt = startAttempt();
    await clock.advance(119_000);
    expect([...cancelled, ...requests]).toEqual([]);
    await clock.advance(1_000);
    expect(cancelled).toEqual(["resp_1"]);
    expect(await attempt).toEqual(failed);
    expect(requests).toEqual(["heartbeat k1.secret", `fail ${explanation}`]);
    expect(outcomes).toMatchObject([{ ...failed, explanation }]);
    expect(metrics.emitted).toContain("RunsFailed{pool=default,reason=cancelled} 1");
  });

  it("never starts to work if it was cancelled before its attempt started", async () => {
    let worked = 0;
    const work: Work = async () => {
      worked++;
      return product;
    };
    const { result, requests } = await ran({ row: marked, work });
    expect(result).toEqual(failed);
    expect(worked).toBe(0);
    expect(requests).toEqual(["heartbeat k1.secret", `fail ${explanation}`]);
  });

  it("stops the response that an earlier attempt left generating", async () => {
    const { result, cancelled } = await ran({ row: { ...marked, attempt: 2, responseIds: ["r1", "r2"] } });
    expect(result).toEqual(failed);
    expect(cancelled).toEqual(["r2"]);
  });

  it.each<[string, World]>([
    [
      "before a request to the model",
      {
        runStore: { owns: async () => marked },
        work: async ({ mayAsk }) => {
          await mayAsk();
          return product;
        },
      },
    ],
    ["with a response's id", { runStore: { saveProgress: async () => marked }, work: generating }],
    [
      "right before its deliverables are sent",
      { runStore: { saveProgress: async (_, { delivering }) => (delivering ? marked : held) } },
    ],
  ])("is noticed %s", async (_, world) => {
    const { result, requests } = await ran(world);
    expect(result).toEqual(failed);
    expect(only(requests, "complete")).toEqual([]);
    expect(only(requests, "fail")).toEqual([`fail ${explanation}`]);
  });

  it("stops the model while Studio is out of reach, and tells Studio once it is back", async () => {
    let isDown = true;
    const { startAttempt, clock, cancelled, requests, outcomes } = build({
      work: generating,
      runStore: { owns: async () => marked },
      heartbeat: async () => {
        if (isDown) throw outage;
        return undefined;
      },
    });
    const attempt = startAttempt();
    await clock.advance(125_000);
    expect(cancelled).toEqual(["resp_1"]);
    expect(only(requests, "fail")).toEqual([]);
    isDown = false;
    await clock.advance(120_000);
    expect(await attempt).toEqual(failed);
    expect(only(requests, "fail")).toEqual([`fail ${explanation}`]);
    expect(outcomes).toMatchObject([{ ...failed, explanation }]);
  });

  it("keeps the reason of a failure that came first", async () => {
    const { result, requests } = await ran({
      work: throwing(new RunnerError("model_refused", "the model declined: no")),
      runStore: { saveProgress: async () => marked },
    });
    expect(result).toEqual({ state: "failed", reason: "model_refused" });
    expect(only(requests, "fail")).toEqual(["fail The model declined: no."]);
  });
});
