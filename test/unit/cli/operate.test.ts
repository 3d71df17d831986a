import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fakeCli, type FakeCli } from "../../support/cli.ts";
import { startLocalTable, type LocalTable } from "../../support/run-store.ts";

const now = Date.parse("2026-11-20T03:00:00Z");
const ann = "arn:aws:iam::123456789012:user/ann";

let local: LocalTable;
let cli: FakeCli;
beforeAll(async () => void (local = await startLocalTable()));
afterAll(() => local.close());

let counter = 0;
let pool = "";
beforeEach(() => {
  pool = `p${counter++}`;
  cli = fakeCli(local.table, now);
  cli.aws.settings = { pools: [{ name: pool, kind: "user", concurrency: 4 }] };
});

const control = () => cli.runStore.control.read(pool);

describe("pause and resume", () => {
  it("keep who and why, and tell what they did", async () => {
    const paused = await cli.run("pause", "--why", "new key");
    expect(paused.code).toBe(0);
    expect(paused.out).toBe(
      `Pool ${pool} is paused: leasing stops within a minute, and running jobs continue.\n`,
    );
    expect(await control()).toEqual({ paused: true, by: ann, why: "new key", atMs: now });

    const resumed = await cli.run("resume", "--json");
    expect(resumed.json()).toEqual({
      pool,
      paused: false,
      by: ann,
      why: null,
      atMs: now,
      changed: true,
    });
    expect(await control()).toEqual({ paused: false, by: ann, atMs: now });
  });

  it("leave the earlier reason when paused again without one, and say whose it is", async () => {
    await cli.run("pause", "--why", "new key");
    const before = await control();
    cli.nowMs = now + 120_000;
    cli.aws.arn = "arn:aws:iam::123456789012:user/bob";
    const again = await cli.run("pause");
    expect(again.code).toBe(0);
    expect(again.out).toBe(
      `Pool ${pool} is already paused, by ${ann}, 2 min ago: new key. That is kept; use --why to change the reason.\n`,
    );
    const drained = await cli.run("drain", "--json");
    expect(drained.json()).toMatchObject({ drained: true, by: ann, why: "new key", changed: false });
    expect(await control()).toEqual(before);
    await cli.run("pause", "--why", "an outage");
    expect(await control()).toMatchObject({ by: cli.aws.arn, why: "an outage" });
  });

  it("leave what else an operator has set", async () => {
    await cli.run("set-concurrency", "3");
    await cli.run("pause");
    expect(await control()).toMatchObject({ paused: true, concurrency: 3, concurrencyBy: ann });
  });

  it.each([[""], ["two\nlines"], ["x".repeat(201)]])("refuse %j as the reason", async (why) => {
    const answer = await cli.run("pause", "--why", why, "--json");
    expect(answer.code).toBe(2);
    expect(answer.error().code).toBe("usage");
    expect(answer.error().message).toContain("--why: ");
    expect((await control()).paused).toBe(false);
  });

  it("ask for the pool where there are several", async () => {
    cli.aws.settings = {
      pools: [
        { name: "a", kind: "user" },
        { name: "b", kind: "global" },
      ],
    };
    const answer = await cli.run("pause");
    expect(answer.code).toBe(2);
    expect(answer.out).toBe("");
    expect(answer.err).toBe("Error: The stack has 2 pools: a, b.\nName one with --pool.\n");
  });
});

describe("drain", () => {
  const running = "01JCZ9V5W3X8K2M4N6P8Q0R2S4";
  const end = () =>
    cli.runStore.runs.finish(
      { pool, runId: running, attempt: 1, invocationId: running },
      { state: "completed", reason: "ok", atMs: cli.nowMs },
    );

  it("pauses, shows progress on standard error, and returns when nothing is in flight", async () => {
    await cli.addRun({ runId: running, pool, leasedAtMs: now - 1_000 });
    let looks = 0;
    cli.onSleep = async () => {
      looks += 1;
      if (looks === 3) await end();
    };
    const { code, out, err } = await cli.run("drain", "--why", "new model");
    expect(code).toBe(0);
    expect(out).toBe(`Pool ${pool} is drained after 8.0 s: no job is running, and the pool stays paused.\n`);
    expect(err).toContain(`Draining pool ${pool}: 1 run in flight (2.0 s)\n`);
    expect(await control()).toMatchObject({ paused: true, why: "new model" });
  });

  it("waits for the cycle that was open when it was paused", async () => {
    await cli.runStore.lock.acquire({ pool, owner: "w", nowMs: now, untilMs: now + 60_000 });
    cli.onSleep = async () => {
      if (cli.nowMs !== now + 10_000) return;
      const lastCycle = { reason: "empty", atMs: cli.nowMs, polls: 1, leased: 0, inFlight: 0 };
      await cli.runStore.lock.release({ pool, owner: "w" }, { lastCycle });
    };
    const answer = await cli.run("drain", "--json");
    expect(answer.json()).toMatchObject({ drained: true, inFlight: 0, waitedMs: 12_000, why: "drain" });
  });

  it("ends with 1 at its time-out, and the pool stays paused", async () => {
    await cli.addRun({ runId: running, pool, leasedAtMs: now - 1_000 });
    const { code, out } = await cli.run("drain", "--timeout", "30s");
    expect(code).toBe(1);
    expect(out).toBe("1 run still in flight after 30 s. The pool stays paused.\n");
    expect((await control()).paused).toBe(true);
  });

  it("does not wait for runs whose lease is over", async () => {
    await cli.addRun({ runId: running, pool, leasedAtMs: now - 700_000 });
    expect((await cli.run("drain", "--json")).json()).toMatchObject({ drained: true, inFlight: 0 });
  });

  it("ends with 130 at Ctrl-C", async () => {
    await cli.addRun({ runId: running, pool, leasedAtMs: now - 1_000 });
    cli.onSleep = async () => cli.interrupt.abort();
    const { code, err } = await cli.run("drain");
    expect(code).toBe(130);
    expect(err).toContain("Error: Stopped.\n");
    expect((await control()).paused).toBe(true);
  });

  it.each([["5"], ["0s"], ["-1m"], ["5 m"], ["1w"]])("refuses %j as a time-out", async (timeout) => {
    const answer = await cli.run("drain", `--timeout=${timeout}`, "--json");
    expect(answer.code).toBe(2);
    expect(answer.error().message).toBe("--timeout: Give a time like 90s, 5m, 2h or 7d.");
    expect((await control()).paused).toBe(false);
  });
});

describe("set-concurrency", () => {
  it("keeps who set it, and default takes it away", async () => {
    const set = await cli.run("set-concurrency", "25");
    expect(set.code).toBe(0);
    expect(set.out).toBe(`Pool ${pool} runs up to 25 jobs at once (before: 4).\n`);
    expect(await control()).toEqual({
      paused: false,
      concurrency: 25,
      concurrencyBy: ann,
      concurrencyAtMs: now,
    });
    const back = await cli.run("set-concurrency", "default", "--json");
    expect(back.json()).toMatchObject({ concurrency: 4, before: 25, deployed: 4 });
    expect(await control()).toEqual({ paused: false });
  });

  it("refuses what the account has no room for, with what it has room for", async () => {
    cli.aws.unreservedConcurrency = 10;
    const { code, err } = await cli.run("set-concurrency", "9");
    expect(code).toBe(1);
    expect(err).toContain(
      "The account can run 10 Lambda invocations at once; 9 jobs and the other functions need 11.",
    );
    expect(err).toContain("Set at most 8");
    expect(await control()).toEqual({ paused: false });
    expect((await cli.run("set-concurrency", "8")).code).toBe(0);
  });

  it("counts what the other pools may run", async () => {
    const other = `${pool}-b`;
    cli.aws.settings = {
      pools: [
        { name: pool, kind: "user", concurrency: 1 },
        { name: other, kind: "global", concurrency: 3 },
      ],
    };
    cli.aws.unreservedConcurrency = 20;
    expect((await cli.run("set-concurrency", "14", "--pool", pool)).code).toBe(1);
    expect((await cli.run("set-concurrency", "13", "--pool", pool)).code).toBe(0);
  });

  it("may always go down", async () => {
    cli.aws.unreservedConcurrency = 1;
    expect((await cli.run("set-concurrency", "3")).code).toBe(0);
  });

  it.each([["-1"], ["1001"], ["2.5"], ["many"], [""]])("refuses %j", async (count) => {
    const answer = await cli.run("set-concurrency", "--json", "--", count);
    expect(answer.code).toBe(2);
    expect(answer.error().message).toContain("COUNT: Give a whole number from 0 to 1000");
    expect(await control()).toEqual({ paused: false });
  });

  it("asks for the number when it is missing", async () => {
    const { code, err } = await cli.run("set-concurrency");
    expect(code).toBe(2);
    expect(err).toContain("Missing required argument 'COUNT'.");
  });
});

describe("set-cap", () => {
  it("sets, tells where the day stands, and default takes it away", async () => {
    await cli.runStore.spend.add(pool, "2026-11-20", { costUsd: 3, runs: 1 });
    const raised = await cli.run("set-cap", "50");
    expect(raised.code).toBe(0);
    expect(raised.out).toBe(
      `Pool ${pool} may spend $50.00 a day. Today: $3.00, estimated. It is not reached.\n`,
    );
    const lowered = await cli.run("set-cap", "2.50");
    expect(lowered.out).toContain("It is reached: no new leases until 00:00 UTC.");
    expect(await control()).toEqual({ paused: false, dailyCapUsd: 2.5, dailyCapBy: ann, dailyCapAtMs: now });
    const back = await cli.run("set-cap", "default");
    expect(back.out).toBe(`Pool ${pool} has no daily cap. Today: $3.00, estimated.\n`);
    expect(await control()).toEqual({ paused: false });
  });

  it("refuses a cap that could not see the model's cost", async () => {
    cli.aws.settings = { inference: { model: "mystery-1" }, pools: [{ name: pool, kind: "user" }] };
    const { code, err } = await cli.run("set-cap", "5");
    expect(code).toBe(1);
    expect(err).toContain("No price is known for mystery-1: a cap could not include its cost.");
    expect(await control()).toEqual({ paused: false });
  });

  it("takes what the setting takes", async () => {
    expect((await cli.run("set-cap", "0.01")).code).toBe(0);
    expect((await cli.run("set-cap", "1000000")).code).toBe(0);
    expect((await cli.run("set-cap", "1.234567")).code).toBe(0);
    expect((await control()).dailyCapUsd).toBe(1.234567);
  });

  it("sends who wants to lease nothing to pause", async () => {
    const answer = await cli.run("set-cap", "--json", "0");
    expect(answer.error().message).toContain("To lease nothing: npm run runner -- pause");
    expect(await control()).toEqual({ paused: false });
  });

  it.each([["-5"], ["five"], ["$5"], ["1e3"], ["2000000"], ["0"], ["0.009"]])("refuses %j", async (usd) => {
    const answer = await cli.run("set-cap", "--json", "--", usd);
    expect(answer.code).toBe(2);
    expect(answer.error().message).toContain("USD: Give an amount in US dollars from 0.01 to 1000000");
  });
});

describe("clear-backoff", () => {
  it("tells who had asked to wait and until when, and the pool is free", async () => {
    await cli.runStore.backoff.extend(pool, "studio", now + 90_000);
    await cli.runStore.backoff.extend(pool, "model", now + 30_000);
    const { code, out } = await cli.run("clear-backoff");
    expect(code).toBe(0);
    expect(out).toBe(
      `Pool ${pool} had to wait until 03:01:30 UTC, as Studio asked: cleared.\n` +
        `Pool ${pool} had to wait until 03:00:30 UTC, as the model asked: cleared.\n`,
    );
    expect(await cli.runStore.backoff.read(pool)).toEqual({ modelUntilMs: 0, studioUntilMs: 0 });
  });

  it("is one JSON document with --json", async () => {
    await cli.runStore.backoff.extend(pool, "model", now + 30_000);
    const answer = await cli.run("clear-backoff", "--json");
    expect(answer.json()).toEqual({ pool, cleared: [{ by: "model", untilMs: now + 30_000 }] });
  });

  it("says so when nobody holds the pool back, or the wait is over", async () => {
    await cli.runStore.backoff.extend(pool, "studio", now - 1);
    const { code, out } = await cli.run("clear-backoff");
    expect(code).toBe(0);
    expect(out).toBe(`Nothing to clear: pool ${pool} is not waiting.\n`);
  });

  it("clears the one pool that is named", async () => {
    const other = `${pool}-b`;
    cli.aws.settings = {
      pools: [
        { name: pool, kind: "user" },
        { name: other, kind: "global" },
      ],
    };
    await cli.runStore.backoff.extend(pool, "studio", now + 90_000);
    await cli.runStore.backoff.extend(other, "studio", now + 90_000);
    expect((await cli.run("clear-backoff")).code).toBe(2);
    expect((await cli.run("clear-backoff", "--pool", other)).code).toBe(0);
    expect((await cli.runStore.backoff.read(pool)).studioUntilMs).toBe(now + 90_000);
    expect((await cli.runStore.backoff.read(other)).studioUntilMs).toBe(0);
  });
});
