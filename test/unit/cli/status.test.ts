import { describe, expect, it } from "vitest";
import type { CliAnswer } from "../../support/cli.ts";
import { addCycle, addPool, cli, expectRun, local, now, pool, runId, setUpCli } from "./set-up.ts";

const ann = "arn:aws:iam::123456789012:user/ann";

setUpCli({ concurrency: 4, dailyCapUsd: 10 });

const goodCycle = (reason = "empty"): Promise<void> => addCycle(reason, now - 20_000, now - 20_000);

const spend = (costUsd: number): Promise<unknown> =>
  cli.runStore.spend.add(pool, "2026-11-20", { costUsd, runs: 3, completed: 2, failed: 1 });

async function healthy(): Promise<string> {
  const { code, out, err } = await cli.run("status");
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return out;
}

const poolsOf = (answer: CliAnswer): readonly { pool: string; problems: string[]; backoff: unknown }[] =>
  (answer.json() as { pools: { pool: string; problems: string[]; backoff: unknown }[] }).pools;

describe("status of a healthy pool", () => {
  it("prints the state of the pool and exits with 0", async () => {
    await goodCycle();
    await spend(2.5);
    await cli.addRun({ runId, pool, leasedAtMs: now - 30_000 });
    cli.aws.alarms = [
      { name: `${pool}-NoGoodPoll`, state: "OK", reason: undefined, sinceMs: undefined },
      { name: `${pool}-DeadLetters`, state: "INSUFFICIENT_DATA", reason: undefined, sinceMs: undefined },
    ];
    expect(await healthy()).toBe(
      [
        "StudioRunner  version 0.1.0  UPDATE_COMPLETE",
        "",
        `Pool ${pool}`,
        "  State         on",
        "  Last cycle    20 s ago: no job waits at Studio",
        "  Good poll     20 s ago",
        "  In flight     1 of 4",
        "  Today         2 completed, 1 failed, 0 lost",
        "  Spent         $2.50 of $10.00 (25 %) on 2026-11-20 (UTC), estimated",
        "  Alarms        1 OK, 1 without data yet",
        "  Dead letters  0",
        "",
      ].join("\n"),
    );
  });

  it("prints one JSON document with --json", async () => {
    await goodCycle();
    const answer = await expectRun("status --json", 0);
    expect(answer.json()).toMatchObject({
      stack: "StudioRunner",
      version: "0.1.0",
      atMs: now,
      pools: [{ pool, state: "on", paused: null, inFlight: 0, deadLetters: 0, problems: [] }],
    });
  });

  it("shows when the version of the checkout differs from the deployed one", async () => {
    await goodCycle();
    cli.projectVersion = "0.2.0";
    expect(await healthy()).toContain("version 0.1.0 (this checkout is 0.2.0)");
  });
});

describe("status exits with 0 and shows", () => {
  it("who asked the pool to back off, and until when", async () => {
    await goodCycle("rate_limited");
    await cli.runStore.backoff.extend(pool, "studio", now + 150_000);
    await cli.runStore.backoff.extend(pool, "model", now + 42_000);
    expect(await healthy()).toContain(
      [
        "  State         on",
        "  Back-off      until 03:02:30 UTC, as Studio asked; clear-backoff ends it",
        "  Back-off      until 03:00:42 UTC, as the model asked; clear-backoff ends it",
        "  Last cycle    20 s ago: Studio asked to wait",
      ].join("\n"),
    );
    expect(poolsOf(await cli.run("status", "--json"))[0]?.backoff).toEqual([
      { by: "studio", untilMs: now + 150_000 },
      { by: "model", untilMs: now + 42_000 },
    ]);
  });

  it("no back-off once its time has passed", async () => {
    await goodCycle();
    await cli.runStore.backoff.extend(pool, "studio", now - 1);
    expect(await healthy()).not.toContain("Back-off");
  });

  it("the workspaces that are left alone, and until when", async () => {
    await goodCycle();
    for (const at of [1, 2, 3, 4])
      await cli.runStore.workspaces.claim(pool, {
        workspaceId: `ws_${at}`,
        runId: `run-${at}`,
        losses: 2,
        leftAloneUntilMs: at === 4 ? now - 1 : now + at * 60_000,
        previousRunId: undefined,
        atMs: now,
      });
    const out = await healthy();
    expect(out).toContain("  Left alone    ws_1 until 03:01:00 UTC: several of its runs in a row lost");
    expect(out).toContain("ws_3 until 03:03:00 UTC");
    expect(out).not.toContain("ws_4");
  });

  it("who paused or resumed the pool, when and why", async () => {
    await goodCycle();
    await cli.run("pause", "--why", "Studio maintenance");
    cli.nowMs += 60_000;
    expect(await healthy()).toContain(`paused by ${ann}, 60 s ago: Studio maintenance`);
    await cli.run("resume", "--why", "it is over");
    cli.nowMs += 60_000;
    expect(await healthy()).toContain(`State         on, resumed by ${ann}, 60 s ago: it is over\n`);
  });

  it("that the pool is at its daily cap, and who set a cap other than the deployed one", async () => {
    await goodCycle("daily_cap");
    await spend(7);
    await cli.run("set-cap", "7");
    const out = await healthy();
    expect(out).toContain("at its daily cap, no new leases until 00:00 UTC\n");
    expect(out).toContain(`$7.00 of $7.00 (100 %) on 2026-11-20 (UTC), estimated; deployed: $10.00, set by`);
  });

  it("who set a concurrency other than the deployed one", async () => {
    await goodCycle();
    await cli.run("set-concurrency", "2");
    expect(await healthy()).toContain(`0 of 2 (deployed: 4; set by ${ann})`);
  });

  it("why jobs wait, and what to do about it", async () => {
    await goodCycle("at_capacity");
    await cli.runStore.control.write(pool, { concurrency: 1 });
    await cli.addRun({ runId, pool, leasedAtMs: now - 30_000 });
    expect(await healthy()).toContain(
      "Jobs wait     At capacity: 1 of at most 1 runs in flight. The next job is leased when one of them ends. " +
        "To run more at once: npm run runner -- set-concurrency 2\n",
    );
  });

  it("no problem once a poll has succeeded after the last failed cycle", async () => {
    await addCycle("secret_missing", now - 60_000);
    await cli.runStore.lock.acquire({ pool, owner: "w", nowMs: now, untilMs: now + 60_000 });
    await cli.runStore.lock.recordGoodPoll({ pool, owner: "w" }, now);
    expect(await healthy()).toContain("failed (secret_missing)");
  });

  it("no problem while the first dispatch cycle is still open", async () => {
    await cli.runStore.lock.acquire({ pool, owner: "w", nowMs: now, untilMs: now + 60_000 });
    await healthy();
    cli.nowMs = now + 61_000;
    await expectRun("status", 1);
  });
});

describe("status exits with 1 and reports:", () => {
  const problems = async (): Promise<readonly string[]> => {
    const answer = await expectRun("status --json", 1);
    return poolsOf(answer)[0]!.problems;
  };
  const alarm = (id: string, reason: string): void => {
    cli.aws.alarms = [{ name: `${pool}-${id}`, state: "ALARM", reason, sinceMs: now - 60_000 }];
  };
  const arns = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:x transitioned to ALARM";
  const deadLetters = "Alarm DeadLetters for 60 s";
  const atSpending = "Alarm Spending100 for 60 s: 5 >= 5 (docs/runbook.md#spending100)";

  it.each<readonly [problem: string, arrange: () => unknown]>([
    ["The last good poll was 5 min ago.", () => (cli.nowMs = now + 300_000)],
    [
      "The last cycle failed: no runner key is stored (secret_missing). To store one: npm run runner -- secrets set runner-keys",
      () => goodCycle("secret_missing"),
    ],
    [
      "The last cycle failed: shutdown. To find out what is wrong: npm run runner -- doctor",
      () => goodCycle("shutdown"),
    ],
    [`${deadLetters}: 1 >= 1 (docs/runbook.md#deadletters)`, () => alarm("DeadLetters", "1 >= 1")],
    // The reason of a composite alarm only names other alarms, which have lines of their own.
    [`Alarm NoGoodPoll for 60 s (docs/runbook.md#nogoodpoll)`, () => alarm("NoGoodPoll", arns)],
    ["1 dead letter waits: npm run runner -- redrive", () => (cli.aws.deadLetters = 1)],
    ["2 dead letters wait: npm run runner -- redrive", () => (cli.aws.deadLetters = 2)],
  ])("%s", async (problem, arrange) => {
    await goodCycle();
    await arrange();
    expect(await problems()).toEqual([problem]);
  });

  it("No cycle has had a good poll yet.", async () => {
    expect(await problems()).toEqual(["No cycle has had a good poll yet."]);
  });

  it("why a spending alarm stays on for a while after the cap was raised", async () => {
    await goodCycle();
    await spend(5);
    alarm("Spending100", "5 >= 5");
    await cli.runStore.control.write(pool, { dailyCapUsd: 50 });
    expect(await problems()).toEqual([
      `${atSpending}. The spending is at 10 % of the present cap: the alarm stays on until it has evaluated the next cycle, up to 5 minutes.`,
    ]);
    await cli.runStore.control.write(pool, { dailyCapUsd: 5 });
    expect(await problems()).toEqual([atSpending]);
  });

  it("that the schedule is off, without also reporting the missing polls", async () => {
    cli.aws.scheduleOn = false;
    expect(await problems()).toEqual([
      "The schedule is disabled, so no cycle starts. Enable it in the console of EventBridge Scheduler.",
    ]);
    expect((await cli.run("status")).out).toContain("off, its schedule is disabled");
  });

  it("a row of the run store that is not a run, and leaves it out", async () => {
    await goodCycle();
    const row = { pool, id: "run#odd", openIn: pool, leaseExpiresAtMs: 1, attempt: "first" };
    await local.table.put(row, undefined);
    await expectRun("status", 1, "! Left out: the run store row run#odd is not a run");
  });

  it("a part that AWS denies as unknown, and shows the rest", async () => {
    await goodCycle();
    const denied = new Error("not authorized to perform cloudwatch:DescribeAlarms");
    cli.aws.broken.alarms = Object.assign(denied, { name: "AccessDeniedException" });
    expect(await problems()).toEqual([
      "Unknown: alarms (Not authorized to perform cloudwatch:DescribeAlarms.)",
    ]);
    expect((await cli.run("status")).out).toContain("Alarms        unknown");
  });
});

describe("status of several pools", () => {
  it("shows all pools, or the one given with --pool", async () => {
    const other = addPool();
    const names = (answer: CliAnswer) => poolsOf(answer).map((one) => one.pool);
    expect(names(await cli.run("status", "--json"))).toEqual([pool, other]);
    expect(names(await cli.run("status", "--json", "--pool", other))).toEqual([other]);
  });

  it("names the pool in what to do about it", async () => {
    const other = addPool();
    await cli.runStore.control.write(other, { paused: true });
    const { out } = await cli.run("status");
    expect(out).toContain(`Jobs wait     To lease jobs again: npm run runner -- resume --pool ${other}\n`);
  });

  it("rejects an unknown pool and lists the names of the pools", async () => {
    addPool();
    const answer = await expectRun("status --pool none --json", 3);
    expect(answer.error()).toEqual({
      code: "not_found",
      message: "There is no pool none.",
      remedy: `The stack has: ${pool}, ${pool}-b.`,
    });
  });
});
