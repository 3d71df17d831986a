import { describe, expect, it } from "vitest";
import { addPool, cli, expectRun, now, pool, runId, setUpCli } from "./set-up.ts";

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
    await expectRun(["drain", "--why", "new model"], 0, "is drained after 8.0 s", "1 run in flight (0.0 s)");
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
});

it.each([
  ...["", "two\nlines", "x".repeat(201)].map((why) => [["pause", "--why", why], "--why: "] as const),
  ...["5", "0s", "-1m", "5 m", "1w"].map(
    (time) => [["drain", `--timeout=${time}`], "--timeout: Give a time like 90s, 5m, 2h or 7d."] as const,
  ),
])("%j is rejected, and does not pause the pool", async (argv, message) => {
  await expectRun(argv, 2, message);
  expect((await control()).paused).toBe(false);
});
