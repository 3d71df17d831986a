import { beforeEach, describe, expect, it } from "vitest";
import { addSampleRuns, logSampleRun } from "./sample-runs.ts";
import { cli, expectRun, now, pool, runIds, settle, setUpCli } from "./set-up.ts";

const [, second] = runIds;

interface Explanation {
  readonly runs: readonly { readonly runId: string; readonly steps: readonly unknown[] }[];
}

setUpCli();

describe("explain", () => {
  beforeEach(async () => {
    await addSampleRuns();
    logSampleRun();
  });

  it("merges a run's events from the run store and the logs in order of time", async () => {
    const { out } = await expectRun("explain ws-mid", 0);
    expect(out).toBe(
      [
        "Workspace ws-mid: 1 run",
        "",
        `Run ${second}  failed  5.0 s, 1 attempt, 1 round, 0 tokens in, 0 out`,
        "Reason: model_refused: The model declined.",
        "from 2026-11-20 02:50:00 UTC",
        "    +0.0s  run store     the run is created under a lease of 10 min, key key-1",
        "    +0.0s  dispatcher    leased",
        "    +0.4s  processor 1   started working",
        "    +3.0s  processor 1   round 1: the model called 2 tools",
        "    +5.0s  run store     the run is finished: failed, model_refused",
        "    +5.0s  processor 1   failed after 5.0 s: The model declined.",
        "",
      ].join("\n"),
    );
  });

  it("accepts a run id, and queries the logs only for the run's workspace and time range", async () => {
    const { runs } = (await cli.run("explain", second, "--json")).json() as Explanation;
    expect(runs.map((run) => run.runId)).toEqual([second]);
    expect(runs[0]?.steps).toHaveLength(6);
    expect(cli.aws.logQueries[0]).toMatchObject({
      group: `${pool}-dispatcher`,
      startMs: now - 720_000,
      endMs: now - 475_000,
      pattern: '{ $.workspaceId = "ws-mid" }',
    });
  });

  it("shows what the run store holds, with a note, when no log lines are left", async () => {
    cli.aws.logs = {};
    await expectRun("explain ws-old", 0, "the run is finished: completed, ok", "No log lines were found");
  });

  it("shows what the run store holds, with a note, when only Logs Insights reads the logs", async () => {
    settle({ logClass: "infrequent-access", monitoring: { level: "off" } });
    const note =
      'The setting logClass is "infrequent-access": only CloudWatch Logs Insights reads these logs.';
    const { out } = await expectRun("explain ws-mid", 0, "the run is finished: failed, model_refused", note);
    expect(out).not.toContain("No log lines were found");
    expect((await cli.run("explain", "ws-mid", "--json")).json()).toMatchObject({ note });
    expect(cli.aws.logQueries).toEqual([]);
  });

  it("shows when the lease of a running job ends", async () => {
    await expectRun("explain ws-new", 0, "the lease ends, unless a heartbeat renews it");
  });

  it.each(["ws-none", "01JCZ9V5W3X8K2M4N6P8Q0R2SZ"])(
    "exits with 3 when no run is known for %s",
    async (job) => {
      const answer = await expectRun(`explain ${job} --json`, 3);
      expect(answer.error()).toMatchObject({ code: "not_found", message: `No run is known for ${job}.` });
    },
  );

  it.each([[["a b"]], [[]], [["a", "b"]]])("rejects the arguments %j", async (ids) => {
    await expectRun(["explain", ...ids], 2);
  });
});
