import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { noUsage } from "../../../lib/model/model.ts";
import { runAttempt } from "../../../lib/attempt/attempt.ts";
import { build, endless, event, fifteenMinutes, outage } from "./attempt-world.ts";

const shutdown = new RunnerError("shutdown", "the process is asked to end");
const stopped = { state: "stopped", reason: "shutdown" };

describe("an attempt whose process is asked to end", () => {
  it("ends at once, sends no more heartbeats, posts nothing, and leaves the run open with its chain noted", async () => {
    const { deps, clock, stop, requests, endings, invoked, cancelled, notes, log } = build({
      work: async (context) => {
        const started = { number: 1, responseId: "resp_1", previousResponseId: undefined, usage: noUsage };
        await context.onRoundStarted(started);
        return endless(context);
      },
    });
    const attempt = runAttempt(deps, event, fifteenMinutes);
    await clock.advance(130_000);
    stop.abort(shutdown);
    expect(await attempt).toEqual(stopped);
    await clock.advance(600_000);
    expect(requests).toEqual(["heartbeat k1.secret"]);
    expect([...endings, ...invoked, ...cancelled]).toEqual([]);
    expect(notes).toMatchObject([{ responseIds: ["resp_1"] }]);
    expect(clock.sleeping()).toBe(0);
    expect(log.events.slice(1)).toEqual(["stopping"]);
  });

  it("repeats neither a completion nor a report any more", async () => {
    const down = async (): Promise<never> => {
      throw outage;
    };
    const completing = build({ complete: down });
    const failing = build({
      fail: down,
      work: async () => {
        throw new RunnerError("model_refused", "no");
      },
    });
    for (const { deps, clock, stop, endings, requests } of [completing, failing]) {
      const attempt = runAttempt(deps, event, fifteenMinutes);
      await clock.advance(10_000);
      const before = requests.length;
      stop.abort(shutdown);
      expect(await attempt).toEqual(stopped);
      await clock.advance(100_000);
      expect(requests).toHaveLength(before);
      expect(endings).toEqual([]);
    }
  });

  it("does no work when it was asked before it began", async () => {
    const { deps, stop, requests, endings } = build();
    stop.abort(shutdown);
    expect(await runAttempt(deps, event, fifteenMinutes)).toEqual(stopped);
    expect([...requests, ...endings]).toEqual([]);
  });
});
