import { describe, expect, it } from "vitest";
import { addPool, cli, expectRun, now, pool, runId, settle, setUpCli } from "./set-up.ts";

const ann = "arn:aws:iam::123456789012:user/ann";

setUpCli({ concurrency: 4 });

const control = () => cli.runStore.control.read(pool);

describe("pause and resume", () => {
  it("store who ran them and why, and print the result", async () => {
    await expectRun(["pause", "--why", "new key"], 0, "is paused: leasing stops within a minute");
    expect(await control()).toEqual({ paused: true, by: ann, why: "new key", atMs: now });

    const resumed = await cli.run("resume", "--json");
    expect(resumed.json()).toEqual({ pool, paused: false, by: ann, why: null, atMs: now, changed: true });
    expect(await control()).toEqual({ paused: false, by: ann, atMs: now });
  });

  it("keep the earlier reason when the pool is paused again without one, and print it", async () => {
    await cli.run("pause", "--why", "new key");
    const before = await control();
    cli.nowMs = now + 120_000;
    cli.aws.arn = "arn:aws:iam::123456789012:user/bob";
    await expectRun("pause", 0, `is already paused, by ${ann}, 2 min ago: new key. That is kept`);
    const drained = await cli.run("drain", "--json");
    expect(drained.json()).toMatchObject({ drained: true, by: ann, why: "new key", changed: false });
    expect(await control()).toEqual(before);
    await cli.run("pause", "--why", "an outage");
    expect(await control()).toMatchObject({ by: cli.aws.arn, why: "an outage" });
  });

  it("keep the other settings of an operator", async () => {
    await cli.run("set-concurrency", "3");
    await cli.run("pause");
    expect(await control()).toMatchObject({ paused: true, concurrency: 3, concurrencyBy: ann });
  });

  it.each(["", "two\nlines", "x".repeat(201)])("reject %j as the reason", async (why) => {
    const answer = await expectRun(["pause", "--why", why, "--json"], 2);
    expect(answer.error()).toMatchObject({ code: "usage", message: expect.stringContaining("--why: ") });
    expect((await control()).paused).toBe(false);
  });

  it("require --pool when there are several pools", async () => {
    const other = addPool();
    const answer = await expectRun("pause", 2);
    expect(answer.out).toBe("");
    expect(answer.err).toBe(`Error: The stack has 2 pools: ${pool}, ${other}.\nName one with --pool.\n`);
  });
});

describe("drain", () => {
  const addRun = (leasedAtMs = now - 1_000) => cli.addRun({ runId, pool, leasedAtMs });

  it("pauses, shows progress on standard error, and returns when nothing is in flight", async () => {
    await addRun();
    let sleeps = 0;
    cli.onSleep = async () => {
      sleeps += 1;
      const ending = { state: "completed", reason: "ok", atMs: cli.nowMs } as const;
      if (sleeps === 3)
        await cli.runStore.runs.finish({ pool, runId, attempt: 1, invocationId: runId }, ending);
    };
    await expectRun(["drain", "--why", "new model"], 0, "is drained after 8.0 s", "1 run in flight (2.0 s)");
    expect(await control()).toMatchObject({ paused: true, why: "new model" });
  });

  it("waits for the dispatch cycle that was open when the pool was paused", async () => {
    await cli.runStore.lock.acquire({ pool, owner: "w", nowMs: now, untilMs: now + 60_000 });
    cli.onSleep = async () => {
      if (cli.nowMs !== now + 10_000) return;
      const lastCycle = { reason: "empty", atMs: cli.nowMs, polls: 1, leased: 0, inFlight: 0 };
      await cli.runStore.lock.release({ pool, owner: "w" }, { lastCycle });
    };
    const answer = await cli.run("drain", "--json");
    expect(answer.json()).toMatchObject({ drained: true, inFlight: 0, waitedMs: 12_000, why: "drain" });
  });

  it("exits with 1 at its timeout, and leaves the pool paused", async () => {
    await addRun();
    await expectRun("drain --timeout 30s", 1, "1 run still in flight after 30 s. The pool stays paused.");
    expect((await control()).paused).toBe(true);
  });

  it("does not wait for runs whose lease has expired", async () => {
    await addRun(now - 700_000);
    expect((await cli.run("drain", "--json")).json()).toMatchObject({ drained: true, inFlight: 0 });
  });

  it("exits with 130 at Ctrl-C, and leaves the pool paused", async () => {
    await addRun();
    cli.onSleep = async () => cli.interrupt.abort();
    await expectRun("drain", 130, "Error: Stopped.");
    expect((await control()).paused).toBe(true);
  });

  it.each(["5", "0s", "-1m", "5 m", "1w"])("rejects %j as a timeout", async (timeout) => {
    const answer = await expectRun(["drain", `--timeout=${timeout}`, "--json"], 2);
    expect(answer.error().message).toBe("--timeout: Give a time like 90s, 5m, 2h or 7d.");
    expect((await control()).paused).toBe(false);
  });
});

describe("set-concurrency", () => {
  it("stores who set the concurrency, and default removes it", async () => {
    await expectRun("set-concurrency 25", 0, `Pool ${pool} runs up to 25 jobs at once (before: 4).`);
    const kept = { concurrency: 25, concurrencyBy: ann, concurrencyAtMs: now };
    expect(await control()).toEqual({ paused: false, ...kept });
    const back = await cli.run("set-concurrency", "default", "--json");
    expect(back.json()).toMatchObject({ concurrency: 4, before: 25, deployed: 4 });
    expect(await control()).toEqual({ paused: false });
  });

  it("refuses more than the account's limit allows, and names the maximum", async () => {
    cli.aws.unreservedConcurrency = 10;
    await expectRun("set-concurrency 9", 1, "9 jobs and the other functions need 11", "Set at most 8");
    expect(await control()).toEqual({ paused: false });
    await expectRun("set-concurrency 8", 0);
  });

  it("counts the concurrency of the other pools", async () => {
    addPool({ concurrency: 1 }, { concurrency: 3 });
    cli.aws.unreservedConcurrency = 20;
    await expectRun(`set-concurrency 14 --pool ${pool}`, 1);
    await expectRun(`set-concurrency 13 --pool ${pool}`, 0);
  });

  it("accepts a lower concurrency even when the account has no room", async () => {
    cli.aws.unreservedConcurrency = 1;
    await expectRun("set-concurrency 3", 0);
  });

  it.each(["-1", "1001", "2.5", "many", ""])("rejects %j", async (count) => {
    const answer = await expectRun(["set-concurrency", "--json", "--", count], 2);
    expect(answer.error().message).toContain("COUNT: Give a whole number from 0 to 1000");
    expect(await control()).toEqual({ paused: false });
  });
});

describe("set-cap", () => {
  it("sets the cap, prints today's spend, and default removes the cap", async () => {
    await cli.runStore.spend.add(pool, "2026-11-20", { costUsd: 3, runs: 1 });
    await expectRun("set-cap 50", 0, "Today: $3.00, estimated. It is not reached.");
    await expectRun("set-cap 2.50", 0, "It is reached: no new leases until 00:00 UTC.");
    expect(await control()).toEqual({ paused: false, dailyCapUsd: 2.5, dailyCapBy: ann, dailyCapAtMs: now });
    await expectRun("set-cap default", 0, `Pool ${pool} has no daily cap. Today: $3.00, estimated.`);
    expect(await control()).toEqual({ paused: false });
  });

  it("refuses a cap when the model's price is unknown", async () => {
    settle({ inference: { model: "mystery-1" } });
    await expectRun("set-cap 5", 1, "No price is known for mystery-1: a cap could not include its cost.");
    expect(await control()).toEqual({ paused: false });
  });

  it.each([0.01, 1_000_000, 1.234567])("accepts %d, as the setting does", async (usd) => {
    await expectRun(["set-cap", String(usd)], 0);
    expect((await control()).dailyCapUsd).toBe(usd);
  });

  it.each(["-5", "five", "$5", "1e3", "2000000", "0", "0.009"])(
    "rejects %j, and suggests pause as the way to lease nothing",
    async (usd) => {
      const answer = await expectRun(["set-cap", "--json", "--", usd], 2);
      expect(answer.error().message).toContain("USD: Give an amount in US dollars from 0.01 to 1000000");
      expect(answer.error().message).toContain("To lease nothing: npm run runner -- pause");
      expect(await control()).toEqual({ paused: false });
    },
  );
});

describe("clear-backoff", () => {
  it("clears every back-off, and prints who had asked for it and until when", async () => {
    await cli.runStore.backoff.extend(pool, "studio", now + 90_000);
    await cli.runStore.backoff.extend(pool, "model", now + 30_000);
    const [studio, model] = ["until 03:01:30 UTC, as Studio asked", "until 03:00:30 UTC, as the model asked"];
    await expectRun("clear-backoff", 0, `${studio}: cleared`, `${model}: cleared`);
    expect(await cli.runStore.backoff.read(pool)).toEqual({ modelUntilMs: 0, studioUntilMs: 0 });
  });

  it("prints one JSON document with --json", async () => {
    await cli.runStore.backoff.extend(pool, "model", now + 30_000);
    const answer = await cli.run("clear-backoff", "--json");
    expect(answer.json()).toEqual({ pool, cleared: [{ by: "model", untilMs: now + 30_000 }] });
  });

  it("reports when there is nothing to clear because the back-off has passed", async () => {
    await cli.runStore.backoff.extend(pool, "studio", now - 1);
    await expectRun("clear-backoff", 0, `Nothing to clear: pool ${pool} is not waiting.`);
  });

  it("clears only the pool given with --pool", async () => {
    const other = addPool();
    await cli.runStore.backoff.extend(pool, "studio", now + 90_000);
    await cli.runStore.backoff.extend(other, "studio", now + 90_000);
    await expectRun(`clear-backoff --pool ${other}`, 0);
    expect((await cli.runStore.backoff.read(pool)).studioUntilMs).toBe(now + 90_000);
    expect((await cli.runStore.backoff.read(other)).studioUntilMs).toBe(0);
  });
});
