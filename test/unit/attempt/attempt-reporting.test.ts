import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { build, lost, nextJobContext, only, outage, ran, throwing } from "./attempt-world.ts";

const declined = throwing(new RunnerError("model_refused", "the model declined: no"));
const reporting = { reason: "model_refused", explanation: "The model declined: no." };
const failed = { state: "failed", reason: "model_refused" };

describe("a failure report", () => {
  it("is recorded with its reason before it is sent", async () => {
    const { startAttempt, notes } = build({
      work: declined,
      fail: async () => expect(notes).toMatchObject([{ reporting }]),
    });
    expect(await startAttempt()).toMatchObject({ state: "failed" });
    expect(notes).toHaveLength(1);
  });

  it("is not sent when the run store's fence refuses the attempt", async () => {
    const { result, requests } = await ran({
      work: declined,
      runStore: { saveProgress: async () => undefined },
    });
    expect(result).toMatchObject({ state: "superseded" });
    expect(requests).toEqual(["heartbeat k1.secret"]);
  });

  it("counts as delivered when its answer was lost and Studio then says that the lease is gone", async () => {
    let tries = 0;
    const fail = async () => {
      throw ++tries === 1 ? outage : lost;
    };
    const { result, outcomes } = await ran({ work: declined, fail }, { forMs: 5_000 });
    expect(result).toEqual(failed);
    expect(outcomes).toMatchObject([{ state: "failed", ...reporting }]);
  });

  it("is all that a later attempt sends, even if the work would now succeed", async () => {
    const { result, requests, outcomes } = await ran({ row: { attempt: 2, reporting } });
    expect(result).toEqual(failed);
    const others = requests.filter((request) => !request.startsWith("heartbeat"));
    expect(others).toEqual(["context ws1", "fail The model declined: no."]);
    expect(outcomes).toMatchObject([{ state: "failed", ...reporting }]);
  });

  it("of an earlier attempt counts as delivered when Studio says that the lease is gone", async () => {
    const { result, requests } = await ran({ row: { attempt: 2, reporting }, fail: throwing(lost) });
    expect(result).toEqual(failed);
    expect(only(requests, "fail")).toHaveLength(1);
  });

  it("is not sent when an unanswered completion has ended the job", async () => {
    const { startAttempt, ports, clock, requests, outcomes } = build({
      complete: throwing(outage),
      context: throwing(outage),
      row: { leasedAtMs: 1_000_000 - 3_500_000 },
    });
    const attempt = startAttempt();
    await clock.advance(90_000);
    // The run limit ends the delivery; by then the lease is for the workspace's next job.
    ports.studio.context = async () => nextJobContext;
    await clock.advance(60_000);
    expect(await attempt).toEqual({ state: "completed", reason: "unconfirmed" });
    expect(only(requests, "fail")).toEqual([]);
    expect(outcomes).toMatchObject([{ state: "completed", unconfirmed: true }]);
  });
});
