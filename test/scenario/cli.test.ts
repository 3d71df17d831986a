import { userInfo } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { start, type Command, type Ended } from "../support/command.ts";
import { operatorOf, type HereCli } from "../support/here-cli.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

/**
 * Runs the real command line against a running stack, mostly in this process. Cycles start only when a test
 * says so.
 */
let scenario: Scenario;
let here: HereCli;
beforeAll(async () => {
  scenario = await startScenario({ concurrency: 4, turnMs: 150 });
  here = await operatorOf(scenario);
});
afterAll(() => scenario.close());

const runner = (...argv: string[]): Promise<Ended> => here([...argv, "--local"]);
const inProcess = (...argv: string[]): Promise<Ended> => startProcess(...argv).ended;
const startProcess = (...argv: string[]): Command =>
  start([...argv, "--local", "--state-dir", scenario.stateDir], { script: "cli/main.ts" });

async function json(...argv: string[]): Promise<{ readonly code: number | null; readonly data: unknown }> {
  const { code, stdout, stderr } = await runner(...argv, "--json");
  if (stdout === "") throw new Error(stderr);
  return { code, data: JSON.parse(stdout) };
}

interface Jobs {
  readonly jobs: readonly { readonly workspaceId: string; readonly state: string }[];
}
interface Story {
  readonly runs: readonly { readonly runId: string }[];
}
interface Lines {
  readonly lines: readonly { readonly line: { readonly workspaceId?: string; readonly message: string } }[];
}
interface Config {
  readonly settings: readonly { readonly path: string; readonly deployed: unknown }[];
}
interface Cost {
  readonly per1000Jobs: readonly {
    readonly measured: { readonly runs: number };
    readonly tokensUsd: number;
  }[];
}
interface Status {
  readonly pools: readonly {
    readonly state: string;
    readonly paused: { readonly by: string; readonly why: string } | null;
    readonly today: { readonly completed: number; readonly failed: number; readonly costUsd: number };
    readonly lastCycle: { readonly reason: string };
    readonly alarms: readonly { readonly id: string }[];
    readonly problems: readonly string[];
  }[];
}
const statusOfPool = async () => {
  const { code, data } = await json("status");
  return { code, pool: (data as Status).pools[0]! };
};

let completed = "";
let failed = "";

describe("after a job that completed and one that failed", () => {
  beforeAll(async () => {
    completed = scenario.queue("Plan the launch, with a chart.");
    failed = scenario.queue("[[refuse]] Say no.");
    await scenario.drain();
    await Promise.all([scenario.ended(completed), scenario.ended(failed)]);
  });

  test("status shows a good poll and today's totals, and exits with 0", async () => {
    const { code, pool } = await statusOfPool();
    expect(pool).toMatchObject({ state: "on", paused: null, lastCycle: { reason: "empty" }, problems: [] });
    expect(pool.today.completed + pool.today.failed).toBe(2);
    expect(pool.today.costUsd).toBeGreaterThan(0);
    expect(pool.alarms.map(({ id }) => id)).toContain("NoGoodPoll");
    expect(code).toBe(0);
    const text = await inProcess("status");
    expect(text.stdout).toMatch(/^local\tLast cycle\t\S+: no job waits at Studio$/m);
    expect({ code: text.code, stderr: text.stderr }).toEqual({ code: 0, stderr: "" });
  });

  test("jobs lists both with their outcomes", async () => {
    const { code, data } = await json("jobs");
    expect(code).toBe(0);
    const states = Object.fromEntries((data as Jobs).jobs.map((job) => [job.workspaceId, job.state]));
    expect(states).toEqual(
      Object.fromEntries((await scenario.runs()).map((one) => [one.workspaceId, one.state])),
    );
    expect(states[completed]).toBe("completed");
  });

  test("explain shows a job from its message to its end, from the run store and both functions", async () => {
    const { code, stdout } = await runner("explain", completed);
    expect(code).toBe(0);
    for (const text of [
      "the job's newest message was written",
      "dispatcher",
      "started working",
      "round 1: the model called",
      "the run is finished: completed, ok",
    ])
      expect(stdout).toContain(text);
    const [row] = (await scenario.runs()).filter(({ workspaceId }) => workspaceId === completed);
    const byRun = await json("explain", row!.runId);
    expect((byRun.data as Story).runs.map(({ runId }) => runId)).toEqual([row!.runId]);
  });

  test("logs --job shows the lines of one job only, and logs --follow continues until Ctrl-C", async () => {
    const { data } = await json("logs", "--job", completed);
    expect((data as Lines).lines.map(({ line }) => line.message)).toContain("run_ended");
    expect((data as Lines).lines.filter(({ line }) => line.workspaceId !== completed)).toEqual([]);

    const following = startProcess("logs", "--follow", "--function", "dispatcher");
    const next = scenario.queue("Once more.");
    await scenario.drain();
    await following.printed(`${next}\tleased`);
    following.child.kill("SIGINT");
    expect((await following.ended).code).toBe(130);
  });

  test("config and cost use the deployed settings", async () => {
    const config = await json("config");
    expect((config.data as Config).settings).toContainEqual(
      expect.objectContaining({ path: "pools[0].name", deployed: "local" }),
    );
    const cost = await json("cost");
    const measured = (cost.data as Cost).per1000Jobs[0]!;
    expect(measured.measured.runs).toBeGreaterThanOrEqual(2);
    expect(measured.tokensUsd).toBeGreaterThan(0);
  });

  test("check-update says that no feed is set", async () => {
    const deployed = expect.stringMatching(/^\d+\.\d+\.\d+$/);
    expect(await json("check-update")).toEqual({ code: 0, data: { state: "disabled", deployed } });
  });
});

describe("an operator's change", () => {
  test("a paused pool leases nothing and shows who paused it and why, until resume", async () => {
    expect((await inProcess("pause", "--why", "Studio maintenance")).code).toBe(0);
    const waiting = scenario.queue("Wait for me.");
    expect((await scenario.cycle()).summary).toMatchObject({ reason: "paused", leased: 0 });
    expect(scenario.summary(waiting).state).toBe("queued");
    const { code, pool } = await statusOfPool();
    expect(pool).toMatchObject({
      state: "paused",
      paused: { by: userInfo().username, why: "Studio maintenance" },
      lastCycle: { reason: "paused" },
    });
    expect(code).toBe(0);
    expect((await runner("resume")).code).toBe(0);
    await scenario.drain();
    expect(await scenario.ended(waiting)).toMatchObject({ state: "completed" });
  });

  test("drain returns when the running jobs have ended", async () => {
    const running = scenario.queue("Take your time.");
    await scenario.cycle();
    const { code, stdout } = await runner("drain", "--timeout", "60s");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Pool local is drained after /);
    expect(scenario.summary(running).state).toBe("completed");
    expect((await runner("resume")).code).toBe(0);
  });

  test("a reached cap stops leasing and is shown, and a higher one lets leasing continue", async () => {
    expect((await runner("set-cap", "0.01")).code).toBe(0);
    const waiting = scenario.queue("Cost something.");
    expect((await scenario.cycle()).summary).toMatchObject({ reason: "daily_cap", leased: 0 });
    const { pool } = await statusOfPool();
    expect(pool).toMatchObject({ state: "capped", lastCycle: { reason: "daily_cap" } });
    expect((await runner("set-cap", "100")).code).toBe(0);
    await scenario.drain();
    expect(await scenario.ended(waiting)).toMatchObject({ state: "completed" });
    expect((await runner("set-cap", "default")).code).toBe(0);
  });

  test("a concurrency of one leases one job at a time, and more than the account allows is refused", async () => {
    expect((await runner("set-concurrency", "1")).code).toBe(0);
    const both = [scenario.queue("One."), scenario.queue("Two.")];
    const cycle = scenario.cycle();
    await scenario.run(both[0]!, ({ state }) => state === "running");
    expect(scenario.summary(both[1]!)).toMatchObject({ state: "queued" });
    expect((await cycle).summary).toMatchObject({ leased: 2 });
    const refused = await runner("set-concurrency", "500", "--json");
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: "refused" } });
    expect((await runner("set-concurrency", "default")).code).toBe(0);
    await scenario.drain();
    for (const id of both) expect(await scenario.ended(id)).toMatchObject({ state: "completed" });
  });
});

describe("a failing command", () => {
  test.each([
    [["status", "--pool", "none"], 3, "There is no pool none."],
    [["explain", "ws-nobody"], 3, "No run is known for ws-nobody."],
    [["jobs", "--limit", "0"], 2, "--limit: Give a whole number from 1 to 1000."],
    [["set-cap", "much"], 2, "USD: "],
    [["nothing"], 2, "Unknown command 'nothing'."],
    [["status", "--stack", "Elsewhere"], 3, "There is no stack Elsewhere in this account in us-east-1."],
  ])("%j exits with its code and a message", async (argv, code, message) => {
    const ended = await runner(...argv);
    expect(ended.stderr).toContain(`Error: ${message}`);
    expect(ended.stdout).toBe("");
    expect(ended.code).toBe(code);
  });

  test("has the same exit code and message in a process of its own", async () => {
    const argv = ["explain", "ws-nobody", "--local", "--state-dir", scenario.stateDir];
    expect(await start(argv, { script: "cli/main.ts" }).ended).toEqual(await here(argv));
  });

  test("no command's output contains a key", async () => {
    const outputs = await Promise.all(
      ["status", "jobs", "config", "cost", "logs"].map(async (name) => {
        const { stdout, stderr } = await runner(name, "--json");
        return stdout + stderr;
      }),
    );
    for (const secret of Object.values(scenario.secrets()))
      expect(outputs.filter((text) => text.includes(secret))).toEqual([]);
  });
});
