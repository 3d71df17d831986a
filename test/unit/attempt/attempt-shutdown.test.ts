import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { noUsage } from "../../../lib/model/model.ts";
import { build, endless, outage, throwing } from "./attempt-world.ts";

const shutdown = new RunnerError("shutdown", "the process is asked to end");
const stopped = { state: "stopped", reason: "shutdown" };

describe("an attempt whose process is asked to stop", () => {
  it("ends at once, sends nothing more, and leaves the run open with its response ids recorded", async () => {
    const { startAttempt, clock, stop, requests, outcomes, invoked, cancelled, notes, log } = build({
      work: async (context) => {
        await context.onRoundStarted({ number: 1, responseId: "resp_1", usage: noUsage });
        return endless(context);
      },
    });
    const attempt = startAttempt();
    await clock.advance(130_000);
    stop.abort(shutdown);
    expect(await attempt).toEqual(stopped);
    await clock.advance(600_000);
    expect(requests).toEqual(["heartbeat k1.secret"]);
    expect([...outcomes, ...invoked, ...cancelled]).toEqual([]);
    expect(notes).toMatchObject([{ responseIds: ["resp_1"] }]);
    expect(clock.sleeping()).toBe(0);
    expect(log.events.slice(1)).toEqual(["round_started", "heartbeat_accepted", "stopping"]);
  });

  it.each([
    ["completion", { complete: throwing(outage) }],
    ["failure report", { fail: throwing(outage), work: throwing(new RunnerError("model_refused", "no")) }],
  ])("stops repeating a %s", async (_, world) => {
    const { startAttempt, clock, stop, outcomes, requests } = build(world);
    const attempt = startAttempt();
    await clock.advance(10_000);
    const before = requests.length;
    stop.abort(shutdown);
    expect(await attempt).toEqual(stopped);
    await clock.advance(100_000);
    expect(requests).toHaveLength(before);
    expect(outcomes).toEqual([]);
  });

  it("does nothing when it was asked before it started", async () => {
    const { startAttempt, stop, requests, outcomes } = build();
    stop.abort(shutdown);
    expect(await startAttempt()).toEqual(stopped);
    expect([...requests, ...outcomes]).toEqual([]);
  });
});
