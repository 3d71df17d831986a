import { beforeEach, describe, expect, it } from "vitest";
import { logLine, logSampleRun } from "./sample-runs.ts";
import { cli, expectRun, now, pool, runIds, settle, setUpCli } from "./set-up.ts";

const [, second] = runIds;

setUpCli();

describe("logs", () => {
  beforeEach(logSampleRun);

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

  it("shortens the ids of workspaces as jobs does, but not in a pipe", async () => {
    const workspaceId = "ws_0123456789abcdef";
    const text = JSON.stringify({ level: "INFO", message: "job_leased", pool, workspaceId });
    cli.aws.logs = { [`${pool}-dispatcher`]: [{ id: "1", atMs: now - 1_000, text }] };
    await expectRun("logs", 0, "02:59:59.000  dispatcher  ws_0123456  leased\n");
    cli.columns = undefined;
    await expectRun("logs", 0, `dispatcher\t${workspaceId}\tleased\n`);
  });

  const left = "ignored an attempt that failed (killed): its run has ended or moved on";
  const summed = "read the job's messages; the model summed up the earlier ones";
  it.each([
    [{ message: "prior_context", what: "fresh" }, summed],
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
    const line: unknown = JSON.parse(logLine(1, "job_leased").text);
    expect(json()).toEqual({ pool, lines: [{ atMs: now - 599_999, function: "dispatcher", line }] });
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

  it("refuses logs of the class that only Logs Insights reads, and names their groups", async () => {
    settle({ logClass: "infrequent-access", monitoring: { level: "off" } });
    for (const command of ["logs", "logs --follow"])
      await expectRun(
        command,
        1,
        'The setting logClass is "infrequent-access": only CloudWatch Logs Insights reads these logs.',
        `Query the log groups with Logs Insights, in the console of CloudWatch: ${pool}-dispatcher, ${pool}-processor, ${pool}-recovery`,
      );
    expect(cli.aws.logQueries).toEqual([]);
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
      if (waits === 1)
        processor.push(logLine(cli.nowMs - 500 - (now - 600_000), "round_ended", { round: 2 }));
      if (waits === 3) cli.interrupt.abort();
    };
    const { out } = await expectRun("logs --since 1h --follow --json", 130);
    const messages = out
      .trimEnd()
      .split("\n")
      .map((text) => JSON.parse(text).line.message);
    expect(messages.join(" ")).toBe("job_leased attempt_started round_ended run_ended round_ended");
  });

  it("rejects an unknown function, and a function that the pool does not have", async () => {
    await expectRun("logs --function worker", 2);
    await expectRun("logs --function rotator", 3, `Pool ${pool} has no log group of rotator.`);
  });
});
