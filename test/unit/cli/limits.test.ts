import { describe, expect, it } from "vitest";
import { addPool, cli, expectRun, now, pool, settle, setUpCli } from "./set-up.ts";

const ann = "arn:aws:iam::123456789012:user/ann";

setUpCli({ concurrency: 4 });

const control = () => cli.runStore.control.read(pool);

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

  it("says that 0 leases no more jobs", async () => {
    await expectRun("set-concurrency 0", 0, `Pool ${pool} leases no more jobs (before: 4).`);
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
});

const wholeNumber = "COUNT: Give a whole number from 0 to 1000";
const amount = "USD: Give an amount in US dollars from 0.01 to 1000000";

it.each([
  ...["-1", "1001", "2.5", "many", ""].map((count) => ["set-concurrency", count, wholeNumber] as const),
  ...["-5", "five", "$5", "1e3", "2000000", "0", "0.009"].map((usd) => ["set-cap", usd, amount] as const),
])("%s rejects %j, and changes nothing", async (name, value, message) => {
  await expectRun([name, "--", value], 2, message);
  expect(await control()).toEqual({ paused: false });
});

it("set-cap suggests pause as the way to lease nothing", async () => {
  await expectRun("set-cap 0", 2, "To lease nothing, use pause.");
  await expectRun("set-cap none", 2, "To lease nothing, use pause. Or give default, for the deployed value.");
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
