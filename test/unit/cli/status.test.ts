import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fakeCli, type CliAnswer, type FakeCli } from "../../support/cli.ts";
import { startLocalTable, type LocalTable } from "../../support/run-store.ts";

const now = Date.parse("2026-11-20T03:00:00Z");

let local: LocalTable;
let cli: FakeCli;
beforeAll(async () => void (local = await startLocalTable()));
afterAll(() => local.close());

/** Each test has a pool of its own in the one table. */
let counter = 0;
let pool = "";
beforeEach(() => {
  pool = `p${counter++}`;
  cli = fakeCli(local.table, now);
  cli.aws.settings = { pools: [{ name: pool, kind: "user", concurrency: 4, dailyCapUsd: 10 }] };
});

async function goodCycle(reason = "empty", atMs = now - 20_000): Promise<void> {
  const { lock } = cli.runStore;
  await lock.acquire({ pool, owner: "w", nowMs: atMs, untilMs: atMs + 60_000 });
  const lastCycle = { reason, atMs, polls: 3, leased: 0, inFlight: 0 };
  await lock.release({ pool, owner: "w" }, { lastCycle, goodPollAtMs: now - 20_000 });
}

const spend = (costUsd: number) =>
  cli.runStore.spend.add(pool, "2026-11-20", { costUsd, runs: 3, completed: 2, failed: 1 });

describe("status of a healthy pool", () => {
  it("shows one screen and ends with 0", async () => {
    await goodCycle();
    await spend(2.5);
    await cli.addRun({ runId: "01JCZ9V5W3X8K2M4N6P8Q0R2S4", pool, leasedAtMs: now - 30_000 });
    cli.aws.alarms = [
      { name: `${pool}-NoGoodPoll`, state: "OK", reason: undefined, sinceMs: undefined },
      { name: `${pool}-DeadLetters`, state: "INSUFFICIENT_DATA", reason: undefined, sinceMs: undefined },
    ];
    const { code, out, err } = await cli.run("status");
    expect(out).toBe(
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
    expect(err).toBe("");
    expect(code).toBe(0);
  });

  it("is one JSON document with --json", async () => {
    await goodCycle();
    const answer = await cli.run("status", "--json");
    expect(answer.code).toBe(0);
    expect(answer.json()).toMatchObject({
      stack: "StudioRunner",
      version: "0.1.0",
      atMs: now,
      pools: [{ pool, state: "on", paused: null, inFlight: 0, deadLetters: 0, problems: [] }],
    });
  });

  it("says when this checkout is another version", async () => {
    await goodCycle();
    cli.projectVersion = "0.2.0";
    expect((await cli.run("status")).out).toContain("version 0.1.0 (this checkout is 0.2.0)");
  });
});

describe("status of a pool that was asked to wait", () => {
  it("says by whom and until when, and finds nothing wrong", async () => {
    await goodCycle("rate_limited");
    await cli.runStore.backoff.extend(pool, "studio", now + 150_000);
    await cli.runStore.backoff.extend(pool, "model", now + 42_000);
    const { code, out } = await cli.run("status");
    expect(out).toContain(
      [
        "  State         on",
        "  Back-off      until 03:02:30 UTC, as Studio asked; clear-backoff ends it",
        "  Back-off      until 03:00:42 UTC, as the model asked; clear-backoff ends it",
        "  Last cycle    20 s ago: Studio asked to wait",
      ].join("\n"),
    );
    expect(code).toBe(0);
    const { pools } = (await cli.run("status", "--json")).json() as { pools: { backoff: unknown }[] };
    expect(pools[0]?.backoff).toEqual([
      { by: "studio", untilMs: now + 150_000 },
      { by: "model", untilMs: now + 42_000 },
    ]);
  });

  it("says nothing of a wait that is over", async () => {
    await goodCycle();
    await cli.runStore.backoff.extend(pool, "studio", now - 1);
    expect((await cli.run("status")).out).not.toContain("Back-off");
  });
});

describe("status of a pool with workspaces that are left alone", () => {
  it("names them and says until when, and finds nothing wrong", async () => {
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
    const { code, out } = await cli.run("status");
    expect(code).toBe(0);
    expect(out).toContain(
      "  Left alone    ws_1 until 03:01:00 UTC: several of its runs in a row lost their leases",
    );
    expect(out).toContain("ws_3 until 03:03:00 UTC");
    expect(out).not.toContain("ws_4");
  });
});

describe("status of a pool with a row that is no run", () => {
  it("goes on without it, and says so", async () => {
    await goodCycle();
    await local.table.put(
      { pool, id: "run#odd", openIn: pool, leaseExpiresAtMs: 1, attempt: "first" },
      undefined,
    );
    const { code, out } = await cli.run("status");
    expect(code).toBe(1);
    expect(out).toContain("! Left out: the run store row run#odd is not a run");
    await local.table.update({ pool, id: "run#odd" }, { remove: ["openIn"] });
  });
});

describe("status of a pool that an operator holds", () => {
  it("says who paused it, when and why, and finds nothing wrong", async () => {
    await goodCycle("paused");
    await cli.run("pause", "--why", "Studio maintenance");
    cli.nowMs += 120_000;
    const { code, out } = await cli.run("status");
    expect(out).toContain("paused by arn:aws:iam::123456789012:user/ann, 2 min ago: Studio maintenance");
    expect(code).toBe(0);
  });

  it("keeps who resumed it, when and why", async () => {
    await goodCycle();
    await cli.run("pause", "--why", "Studio maintenance");
    await cli.run("resume", "--why", "it is over");
    cli.nowMs += 120_000;
    const { code, out } = await cli.run("status");
    expect(out).toContain(
      "State         on, resumed by arn:aws:iam::123456789012:user/ann, 2 min ago: it is over\n",
    );
    expect(code).toBe(0);
  });

  it("says that the cap is reached, and what an operator set in place of the deployed one", async () => {
    await goodCycle("daily_cap");
    await spend(7);
    await cli.run("set-cap", "7");
    await cli.run("resume");
    const { code, out } = await cli.run("status");
    expect(out).toContain("at its daily cap, no new leases until 00:00 UTC\n");
    expect(out).toContain(
      "$7.00 of $7.00 (100 %) on 2026-11-20 (UTC), estimated; deployed: $10.00, set by arn:aws:iam::123456789012:user/ann",
    );
    expect(code).toBe(0);
  });

  it("shows a concurrency that differs from the deployed one", async () => {
    await goodCycle();
    await cli.run("set-concurrency", "2");
    expect((await cli.run("status")).out).toContain(
      "0 of 2 (deployed: 4; set by arn:aws:iam::123456789012:user/ann)",
    );
  });
});

describe("status of a pool in trouble", () => {
  const problems = async (): Promise<readonly string[]> => {
    const answer = await cli.run("status", "--json");
    expect(answer.code).toBe(1);
    return (answer.json() as { pools: { problems: string[] }[] }).pools[0]!.problems;
  };

  it("tells of a last good poll that is older than five minutes", async () => {
    await goodCycle();
    cli.nowMs = now + 300_000;
    expect(await problems()).toEqual(["The last good poll was 5 min ago."]);
  });

  it("tells of a pool without any good poll", async () => {
    expect(await problems()).toEqual(["No cycle has had a good poll yet."]);
  });

  it("finds nothing wrong while the first cycle of all is open", async () => {
    await cli.runStore.lock.acquire({ pool, owner: "w", nowMs: now, untilMs: now + 60_000 });
    expect((await cli.run("status")).code).toBe(0);
    cli.nowMs = now + 61_000;
    expect(await problems()).toEqual(["No cycle has had a good poll yet."]);
  });

  it("tells of a cycle that failed", async () => {
    await goodCycle("key_refused");
    expect(await problems()).toEqual(["The last cycle failed: key_refused."]);
  });

  it("tells of alarms with their runbook entry", async () => {
    await goodCycle();
    cli.aws.alarms = [
      { name: `${pool}-DeadLetters`, state: "ALARM", reason: "1 >= 1", sinceMs: now - 600_000 },
    ];
    expect(await problems()).toEqual(["Alarm DeadLetters for 10 min: 1 >= 1 (docs/runbook.md#deadletters)"]);
  });

  it("explains a spending alarm that the raised cap has not turned off yet", async () => {
    await goodCycle();
    await cli.runStore.spend.add(pool, "2026-11-20", { costUsd: 5, runs: 1 });
    cli.aws.alarms = [
      { name: `${pool}-Spending100`, state: "ALARM", reason: "5 >= 5", sinceMs: now - 60_000 },
    ];
    await cli.runStore.control.write(pool, { dailyCapUsd: 50 });
    expect(await problems()).toEqual([
      "Alarm Spending100 for 60 s: 5 >= 5 (docs/runbook.md#spending100). " +
        "The spending is at 10 % of the present cap: the alarm stays on until it has evaluated the next cycle, up to 5 minutes.",
    ]);
    await cli.runStore.control.write(pool, { dailyCapUsd: 5 });
    expect(await problems()).toEqual(["Alarm Spending100 for 60 s: 5 >= 5 (docs/runbook.md#spending100)"]);
  });

  it("leaves out a reason that only names ARNs: the alarms that a composite one pages for have lines of their own", async () => {
    await goodCycle();
    const reason = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:x transitioned to ALARM";
    cli.aws.alarms = [{ name: `${pool}-NoGoodPoll`, state: "ALARM", reason, sinceMs: now - 60_000 }];
    expect(await problems()).toEqual(["Alarm NoGoodPoll for 60 s (docs/runbook.md#nogoodpoll)"]);
  });

  it.each([
    [1, "1 dead letter waits: npm run runner -- redrive"],
    [2, "2 dead letters wait: npm run runner -- redrive"],
  ])("tells of %s dead letters and their command", async (waiting, told) => {
    await goodCycle();
    cli.aws.deadLetters = waiting;
    expect(await problems()).toEqual([told]);
  });

  it("tells that the schedule is off, and not also that nothing polls", async () => {
    cli.aws.scheduleOn = false;
    expect(await problems()).toEqual(["The schedule is off: no cycle starts."]);
    expect((await cli.run("status")).out).toContain("off, its schedule is disabled");
  });

  it("shows the rest when a part may not be asked", async () => {
    await goodCycle();
    const denied = new Error("not authorized to perform cloudwatch:DescribeAlarms");
    denied.name = "AccessDeniedException";
    cli.aws.broken.alarms = denied;
    expect(await problems()).toEqual([
      "Unknown: alarms (not authorized to perform cloudwatch:DescribeAlarms)",
    ]);
    expect((await cli.run("status")).out).toContain("Alarms        unknown");
  });
});

describe("status of several pools", () => {
  beforeEach(() => {
    cli.aws.settings = {
      pools: [
        { name: pool, kind: "user" },
        { name: `${pool}-two`, kind: "global" },
      ],
    };
  });

  it("shows them all, or the one that is named", async () => {
    const names = (answer: CliAnswer) =>
      (answer.json() as { pools: { pool: string }[] }).pools.map((one) => one.pool);
    expect(names(await cli.run("status", "--json"))).toEqual([pool, `${pool}-two`]);
    expect(names(await cli.run("status", "--json", "--pool", `${pool}-two`))).toEqual([`${pool}-two`]);
  });

  it("refuses a name that is none", async () => {
    const answer = await cli.run("status", "--pool", "none", "--json");
    expect(answer.code).toBe(3);
    expect(answer.error()).toEqual({
      code: "not_found",
      message: "There is no pool none.",
      remedy: `The stack has: ${pool}, ${pool}-two.`,
    });
  });
});
