import { beforeEach, describe, expect, it } from "vitest";
import { cli, expectRun, now, pool, setUpCli } from "./set-up.ts";

setUpCli();

const early = "01JD3K8G00AAAAAAAAAAAAAAAA";
const late = "01JD3K8G22BBBBBBBBBBBBBBBB";

beforeEach(async () => {
  const ending = { state: "completed", reason: "ok", atMs: now - 60_000 } as const;
  const [title, other] = ["Sales by region", "Costs"];
  await cli.addRun({
    pool,
    runId: early,
    workspaceId: "ws_sales_1",
    leasedAtMs: now - 120_000,
    progress: { title },
    ending,
  });
  await cli.addRun({
    pool,
    runId: late,
    workspaceId: "ws_costs_1",
    leasedAtMs: now - 90_000,
    progress: { title: other },
    ending,
  });
});

interface Explanation {
  readonly title: string;
  readonly runs: readonly { readonly runId: string }[];
}

describe("an id is accepted", () => {
  it.each([
    ["as jobs shows it", "01JD3K8G22", late],
    ["in lower case", early.toLowerCase(), early],
    ["as a beginning in lower case", "01jd3k8g0", early],
    ["as a workspace's", "ws_sales_1", early],
    ["as the beginning of a workspace's", "ws_s", early],
  ])("%s: %s", async (_, id, runId) => {
    const { title, runs } = (await cli.run("explain", id, "--json")).json() as Explanation;
    expect([title, runs.map((run) => run.runId)]).toEqual([
      runId === early ? "Sales by region" : "Costs",
      [runId],
    ]);
  });

  it("by logs, which looks for lines of that run or workspace only", async () => {
    await expectRun("logs --job 01JD3K8G22", 0);
    await expectRun("logs --job ws_s", 0);
    const [ofRun, , , ofWorkspace] = cli.aws.logQueries;
    expect(ofRun?.pattern).toBe(`{ $.runId = "${late}" }`);
    expect(ofWorkspace?.pattern).toBe('{ $.workspaceId = "ws_sales_1" }');
  });
});

describe("a beginning that several ids have exits with 2 and lists them,", () => {
  it.each(["explain", "logs --job"])("given to %s", async (command) => {
    const { out, err } = await expectRun(`${command} 01jd`, 2);
    expect(out).toBe("");
    expect(err.split("\n")).toEqual([
      "Error: 01jd is the beginning of 2 ids.",
      "Give more characters of one of them:",
      "  01JD3K8G22  completed  2 min ago  Costs",
      "  01JD3K8G00  completed  2 min ago  Sales by region",
      "",
    ]);
  });

  it("of which at most five", async () => {
    for (let at = 1; at <= 7; at++)
      await cli.addRun({
        pool,
        runId: `01JE000${at}00AAAAAAAAAAAAAAAA`,
        workspaceId: `team-${at}`,
        leasedAtMs: now - at,
      });
    const { err } = await expectRun(
      "explain team-",
      2,
      "team- is the beginning of 7 ids.",
      "\n  team-1  running",
      "\n  and 2 more",
    );
    expect(err).not.toContain("team-6");
  });
});

describe("an id of no run exits with 3, names the id and says where ids come from,", () => {
  it.each(["ws_none", early.replace("A", "B")])("such as %s", async (id) => {
    const { message, remedy } = (await expectRun(`explain ${id} --json`, 3)).error();
    expect(message).toBe(`No run is known for ${id}.`);
    expect(remedy).toBe(
      `The run store keeps runs for 30 days. List the recent ones with their ids: npm run runner -- jobs`,
    );
  });

  it.each(["explain", "logs --job", "cancel"])(
    "but a beginning of three characters is too short for %s",
    async (command) => {
      await expectRun(
        `${command} 01J`,
        2,
        "01J is too short: give the id of a workspace or a run, or at least 4 characters of its beginning.",
      );
    },
  );

  it("also from logs, unless there are lines about it", async () => {
    await expectRun("logs --job ws_gone", 3, "No run is known for ws_gone.");
    const text = JSON.stringify({ level: "INFO", message: "lease_dropped", workspaceId: "ws_gone" });
    cli.aws.logs = { [`${pool}-dispatcher`]: [{ id: "1", atMs: now - 1_000, text }] };
    await expectRun("logs --job ws_gone", 0, "dropped the lease");
  });
});
