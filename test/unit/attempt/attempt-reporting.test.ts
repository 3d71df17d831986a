import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { runAttempt } from "../../../lib/attempt/attempt.ts";
import { build, event, fifteenMinutes, jobContext, lost, outage } from "./attempt-world.ts";

const declined = async (): Promise<never> => {
  throw new RunnerError("model_refused", "the model declined: no");
};
const reporting = { reason: "model_refused", explanation: "the model declined: no" };
const isReport = (request: string): boolean => request.startsWith("fail");

describe("the report of a failure", () => {
  it("is noted with its reason before it is sent", async () => {
    const { deps, notes } = build({
      work: declined,
      fail: async () => expect(notes).toMatchObject([{ reporting }]),
    });
    expect(await runAttempt(deps, event, fifteenMinutes)).toMatchObject({ state: "failed" });
    expect(notes).toHaveLength(1);
  });

  it("is not sent by an attempt that the run store's fence refuses", async () => {
    const { deps, requests } = build({ work: declined });
    const runStore = { ...deps.runStore, note: async () => false };
    expect(await runAttempt({ ...deps, runStore }, event, fifteenMinutes)).toMatchObject({
      state: "superseded",
    });
    expect(requests).toEqual(["heartbeat k1.secret"]);
  });

  it("whose answer was lost has arrived when Studio then says that the lease is gone", async () => {
    let tries = 0;
    const { deps, clock, endings } = build({
      work: declined,
      fail: async () => {
        throw ++tries === 1 ? outage : lost;
      },
    });
    const attempt = runAttempt(deps, event, fifteenMinutes);
    await clock.advance(5_000);
    expect(await attempt).toEqual({ state: "failed", reason: "model_refused" });
    expect(endings).toMatchObject([{ state: "failed", ...reporting }]);
  });

  it("is all that a later attempt does, whatever the work would come to now", async () => {
    const { deps, requests, endings } = build({ row: { attempt: 2, reporting } });
    expect(await runAttempt(deps, { ...event, attempt: 2 }, fifteenMinutes)).toEqual({
      state: "failed",
      reason: "model_refused",
    });
    expect(requests.filter((request) => !request.startsWith("heartbeat"))).toEqual([
      "context ws1",
      "fail the model declined: no",
    ]);
    expect(endings).toMatchObject([{ state: "failed", ...reporting }]);
  });

  it("is not sent where deliverables that went unanswered have ended the job", async () => {
    const { deps, clock, requests, endings } = build({
      complete: async () => {
        throw outage;
      },
      context: async () => {
        throw outage;
      },
      row: { leasedAtMs: 1_000_000 - 3_500_000 },
    });
    const attempt = runAttempt(deps, event, fifteenMinutes);
    await clock.advance(90_000);
    // The run's limit ends the delivery; by then the workspace's next job has the lease.
    deps.studio.context = async () => ({ ...jobContext, recentMessages: [] });
    await clock.advance(60_000);
    expect(await attempt).toEqual({ state: "completed", reason: "unconfirmed" });
    expect(requests.filter(isReport)).toEqual([]);
    expect(endings).toMatchObject([{ state: "completed", unconfirmed: true }]);
  });

  it("had arrived in an earlier attempt when Studio says that the lease is gone", async () => {
    const { deps, requests } = build({
      row: { attempt: 2, reporting },
      fail: async () => {
        throw lost;
      },
    });
    expect(await runAttempt(deps, { ...event, attempt: 2 }, fifteenMinutes)).toEqual({
      state: "failed",
      reason: "model_refused",
    });
    expect(requests.filter(isReport)).toHaveLength(1);
  });
});
