import { beforeEach, describe, expect, it } from "vitest";
import { addSampleRuns } from "./sample-runs.ts";
import { cli, expectRun, now, pool, runIds, setUpCli } from "./set-up.ts";

const [, second, third] = runIds;

setUpCli();

interface Jobs {
  readonly jobs: readonly { readonly runId: string; readonly workspaceId: string }[];
}

const jobs = async (...argv: string[]): Promise<Jobs["jobs"]> =>
  ((await cli.run("jobs", "--json", ...argv)).json() as Jobs).jobs;

describe("jobs", () => {
  beforeEach(addSampleRuns);

  it("lists runs newest first, with ids, state, reason, attempts, rounds, time, cost and title", async () => {
    const { out } = await expectRun("jobs", 0);
    expect(out).toBe(
      [
        "   AGE  RUN                         WORKSPACE  STATE      REASON         ATTEMPTS  ROUNDS   TIME     COST  TITLE",
        " 5.0 s  01JCZ9V5W3X8K2M4N6P8Q0R2S6  ws-new     running                          1       0  5.0 s",
        "10 min  01JCZ9V5W3X8K2M4N6P8Q0R2S5  ws-mid     failed     model_refused         1       1  5.0 s",
        "   2 h  01JCZ9V5W3X8K2M4N6P8Q0R2S4  ws-old     completed                        1       4   40 s  $0.0123  Sales by region",
        "",
      ].join("\n"),
    );
  });

  it("prints every field of a run with --json", async () => {
    const { json } = await cli.run("jobs", "--json", "--state", "failed");
    const outcome = { state: "failed", reason: "model_refused", explanation: "The model declined." };
    const times = { leasedAtMs: now - 600_000, endedAtMs: now - 595_000, leaseExpiresAtMs: now };
    const counts = { attempts: 1, starts: 1, continuations: 0, failures: [], rounds: 1 };
    const cost = { model: null, usage: { inputTokens: 0, outputTokens: 0, costUsd: 0 }, costUsd: null };
    const ids = { pool, workspaceId: "ws-mid", runId: second, keyId: "key-1" };
    expect(json()).toMatchObject({
      atMs: now,
      jobs: [{ ...ids, ...outcome, ...times, ...counts, ...cost }],
    });
  });

  it.each([
    ["--limit 2", [third, second]],
    ["--since 1h", [third, second]],
    ["--since 1h --limit 1", [third]],
    ["--state lost", []],
  ])("lists only the runs that match %s", async (options, wanted) => {
    expect((await jobs(...options.split(" "))).map((job) => job.runId)).toEqual(wanted);
  });

  it("prints a line per run into a pipe: times, whole ids and titles, separated by tabs", async () => {
    cli.columns = undefined;
    const { out } = await expectRun("jobs --limit 3 --state completed", 0);
    const ids = [pool, runIds[0], "ws-old"];
    const rest = ["completed", "", "1", "4", "40.0", "0.0123", "Sales by region"];
    expect(out).toBe(`${["2026-11-20T01:00:00.000Z", ...ids, ...rest].join("\t")}\n`);
  });

  it("prints nothing into a pipe when there are no such runs", async () => {
    cli.columns = undefined;
    expect((await expectRun("jobs --state lost", 0)).out).toBe("");
  });

  it("shows ids whole on a narrow terminal, and leaves out other columns", async () => {
    cli.columns = 60;
    expect((await cli.run("jobs")).out).toContain(
      [
        "   AGE  RUN                         STATE      REASON",
        " 5.0 s  01JCZ9V5W3X8K2M4N6P8Q0R2S6  running",
        "10 min  01JCZ9V5W3X8K2M4N6P8Q0R2S5  failed     model_refused",
      ].join("\n"),
    );
  });

  it.each([
    ["--limit 0", "--limit: Give a whole number from 1 to 1000."],
    ["--limit x", "--limit: Give a whole number from 1 to 1000."],
    ["--state done", "--state: Give one of: leased, running, completed, failed, lost."],
    ["--since yesterday", "--since: Give a time like 90s, 5m, 2h or 7d."],
  ])("rejects %s", async (options, message) => {
    const answer = await expectRun(`jobs --json ${options}`, 2);
    const remedy = "See npm run runner -- jobs --help";
    expect(answer.error()).toEqual({ code: "usage", message, remedy });
  });
});

it("jobs reads further pages of the run store until it has enough matching runs", async () => {
  for (let at = 0; at < 130; at++) {
    const state = at === 3 ? "failed" : "completed";
    const id = `01JCZ9V5W3X8K2M4N6P8QA${String(at).padStart(4, "0")}`;
    const ending = { state, reason: "ok", atMs: now } as const;
    await cli.addRun({ pool, runId: id, workspaceId: `ws-${at}`, leasedAtMs: now - 1_000_000 + at, ending });
  }
  expect((await jobs("--state", "failed")).map((job) => job.workspaceId)).toEqual(["ws-3"]);
  expect(await jobs("--limit", "125")).toHaveLength(125);
});
