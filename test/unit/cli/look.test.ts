import { beforeEach, describe, expect, it } from "vitest";
import { cli, expectRun, now, pool, runIds, setUpCli } from "./set-up.ts";

const [first, second, third] = runIds;

interface Jobs {
  readonly jobs: readonly { readonly runId: string; readonly workspaceId: string }[];
}
interface Explanation {
  readonly runs: readonly { readonly runId: string; readonly steps: readonly unknown[] }[];
}

setUpCli();

const jobs = async (...argv: string[]): Promise<Jobs["jobs"]> =>
  ((await cli.run("jobs", "--json", ...argv)).json() as Jobs).jobs;

async function threeRuns(): Promise<void> {
  const noTokens = { cachedInputTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0, webSearches: 0 };
  const usage = { ...noTokens, inputTokens: 1_200, outputTokens: 340 };
  await cli.addRun({
    pool,
    runId: first,
    workspaceId: "ws-old",
    leasedAtMs: now - 7_200_000,
    progress: { rounds: 4, model: "gpt-6-luna", usage },
    ending: { state: "completed", reason: "ok", costUsd: 0.0123, atMs: now - 7_160_000 },
  });
  const refused = { reason: "model_refused", explanation: "The model declined." };
  await cli.addRun({
    pool,
    runId: second,
    workspaceId: "ws-mid",
    leasedAtMs: now - 600_000,
    progress: { rounds: 1 },
    ending: { state: "failed", ...refused, atMs: now - 595_000 },
  });
  await cli.addRun({ pool, runId: third, workspaceId: "ws-new", leasedAtMs: now - 5_000 });
}

describe("jobs", () => {
  beforeEach(threeRuns);

  it("lists runs newest first, with state, reason, attempts, rounds, time and cost", async () => {
    const { out } = await expectRun("jobs", 0);
    expect(out).toBe(
      [
        "   AGE  WORKSPACE  STATE      REASON         ATTEMPTS  ROUNDS   TIME     COST",
        " 5.0 s  ws-new     running                          1       0  5.0 s",
        "10 min  ws-mid     failed     model_refused         1       1  5.0 s",
        "   2 h  ws-old     completed                        1       4   40 s  $0.0123",
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

  it("drops the columns for attempts and rounds on a narrow terminal", async () => {
    cli.columns = 60;
    expect((await cli.run("jobs")).out).toContain(
      [
        "   AGE  WORKSPACE  STATE      REASON          TIME     COST",
        " 5.0 s  ws-new     running                   5.0 s\n",
      ].join("\n"),
    );
  });

  it.each([
    [["--limit", "0"], "--limit: Give a whole number from 1 to 1000."],
    [["--limit", "x"], "--limit: Give a whole number from 1 to 1000."],
    [["--state", "done"], "--state: Give one of: leased, running, completed, failed, lost."],
    [["--since", "yesterday"], "--since: Give a time like 90s, 5m, 2h or 7d."],
  ])("rejects %j", async (argv, message) => {
    const answer = await expectRun(["jobs", "--json", ...argv], 2);
    expect(answer.out).toBe("");
    const remedy = "See npm run runner -- jobs --help";
    expect(answer.error()).toEqual({ code: "usage", message, remedy });
  });
});

it("jobs reads further pages of the run store until it has enough matching runs", async () => {
  for (let at = 0; at < 130; at++) {
    const [state, reason] = at === 3 ? (["failed", "internal"] as const) : (["completed", "ok"] as const);
    await cli.addRun({
      pool,
      runId: `01JCZ9V5W3X8K2M4N6P8QA${String(at).padStart(4, "0")}`,
      workspaceId: `ws-${at}`,
      leasedAtMs: now - 1_000_000 + at,
      ending: { state, reason, atMs: now },
    });
  }
  expect((await jobs("--state", "failed")).map((job) => job.workspaceId)).toEqual(["ws-3"]);
  expect(await jobs("--limit", "125")).toHaveLength(125);
});

const leasedAtMs = now - 600_000;

const line = (afterMs: number, message: string, fields: object = {}) => ({
  id: `${afterMs}-${message}`,
  atMs: leasedAtMs + afterMs,
  text: JSON.stringify({
    level: "INFO",
    message,
    timestamp: new Date(leasedAtMs + afterMs).toISOString(),
    pool,
    workspaceId: "ws-mid",
    runId: second,
    ...fields,
  }),
});

function logOfMiddleRun(): void {
  const metrics = '{"_aws":{"Timestamp":1},"pool":"p","Heartbeats":1}';
  const ended = { state: "failed", reason: "model_refused", explanation: "The model declined." };
  cli.aws.logs = {
    [`${pool}-dispatcher`]: [line(1, "job_leased")],
    [`${pool}-processor`]: [
      line(400, "attempt_began", { attempt: 1 }),
      { id: "metrics", atMs: leasedAtMs + 2_000, text: metrics },
      line(3_000, "round_ended", { attempt: 1, round: 1, calls: 2 }),
      line(5_000, "run_ended", { attempt: 1, level: "WARN", ...ended, elapsedMs: 5_000 }),
    ],
  };
}

describe("explain", () => {
  beforeEach(async () => {
    await threeRuns();
    logOfMiddleRun();
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

describe("logs", () => {
  beforeEach(logOfMiddleRun);

  it("prints the lines of all functions in order of time, without metrics", async () => {
    const { out } = await expectRun("logs --since 1h", 0);
    expect(out).toBe(
      [
        "02:50:00.001  dispatcher  ws-mid  leased",
        "02:50:00.400  processor   ws-mid  started working",
        "02:50:03.000  processor   ws-mid  round 1: the model called 2 tools",
        "02:50:05.000  processor   ws-mid  failed after 5.0 s: The model declined.",
        "",
      ].join("\n"),
    );
  });

  const left = "ignored an attempt that failed (killed): its run has ended or moved on";
  it.each([
    [
      { message: "prior_context", what: "fresh" },
      "read the job's messages; the model summed up the earlier ones",
    ],
    [{ message: "prior_context", what: "verbatim" }, "read the job's messages"],
    [{ message: "recovery_ended", what: "left", reason: "killed" }, left],
    [{ message: "cycle_ended", reason: "empty" }, "looked for work: no job waits at Studio"],
    [{ message: "cycle_ended", reason: "leased", leased: 2 }, "looked for work: leased jobs"],
    [{ message: "of_a_later_version" }, "of a later version"],
  ])("prints %j as a sentence", async (fields, words) => {
    const text = JSON.stringify({ level: "INFO", pool, ...fields });
    cli.aws.logs[`${pool}-recovery`] = [{ id: "1", atMs: now - 1_000, text }];
    await expectRun("logs --function recovery", 0, `02:59:59.000  recovery    ${words}\n`);
  });

  it("prints the lines as they were logged with --json", async () => {
    const { json } = await expectRun("logs --since 1h --function dispatcher --json", 0);
    const written = { level: "INFO", message: "job_leased", timestamp: "2026-11-20T02:50:00.001Z" };
    const asWritten = { ...written, pool, workspaceId: "ws-mid", runId: second };
    expect(json()).toEqual({
      pool,
      lines: [{ atMs: now - 599_999, function: "dispatcher", line: asWritten }],
    });
  });

  it("filters by workspace id or run id with --job", async () => {
    await cli.run("logs", "--job", "ws-mid");
    await cli.run("logs", "--job", second);
    const patterns = new Set(cli.aws.logQueries.map(({ pattern }) => pattern));
    expect([...patterns]).toEqual(['{ $.workspaceId = "ws-mid" }', `{ $.runId = "${second}" }`]);
    expect(cli.aws.logQueries[0]?.startMs).toBe(now - 600_000);
  });

  it("prints Lambda's report of an invocation that timed out, but not of a successful one", async () => {
    const report = (status: string) => ({
      id: status,
      atMs: now,
      text: JSON.stringify({ time: "x", type: "platform.report", record: { status, metrics: {} } }),
    });
    const crash = { id: "3", atMs: now, text: "Segmentation fault" };
    cli.aws.logs = { [`${pool}-recovery`]: [report("success"), report("timeout"), crash] };
    expect((await cli.run("logs")).out).toBe(
      "03:00:00.000  recovery    Lambda ended the invocation: timeout\n03:00:00.000  recovery    Segmentation fault\n",
    );
  });

  it("suggests --since when no lines are found", async () => {
    cli.aws.logs = {};
    await expectRun("logs", 0, "No log lines in this time. --since looks further back.");
  });

  it("prints each line once with --follow, as one JSON document per line, until Ctrl-C", async () => {
    const processor = cli.aws.logs[`${pool}-processor`]!;
    let waits = 0;
    cli.onSleep = async () => {
      waits += 1;
      if (waits === 1) processor.push(line(cli.nowMs - 500 - leasedAtMs, "round_ended", { round: 2 }));
      if (waits === 3) cli.interrupt.abort();
    };
    const { out } = await expectRun("logs --since 1h --follow --json", 130);
    const messages = out
      .trimEnd()
      .split("\n")
      .map((text) => JSON.parse(text).line.message);
    expect(messages.join(" ")).toBe("job_leased attempt_began round_ended run_ended round_ended");
  });

  it("rejects an unknown function, and a function that the pool does not have", async () => {
    await expectRun("logs --function worker", 2);
    await expectRun("logs --function rotator", 3, `Pool ${pool} has no log group of rotator.`);
  });
});
