import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fakeCli, type FakeCli } from "../../support/cli.ts";
import { startLocalTable, type LocalTable } from "../../support/run-store.ts";

const now = Date.parse("2026-11-20T03:00:00Z");

interface Config {
  readonly deployed: boolean;
  readonly problem: unknown;
  readonly settings: readonly { readonly differs: boolean }[];
}
interface Item {
  readonly what: string;
  readonly quantity: number;
  readonly listUsd: number;
  readonly usd: number;
}
interface Cost {
  readonly settingsFrom: string;
  readonly awsPricesAsOf: string;
  readonly idlePerMonth: { readonly items: readonly Item[] };
  readonly per1000Jobs: readonly {
    readonly measured: unknown;
    readonly tokensUsd: number;
    readonly items: readonly Item[];
  }[];
}

let local: LocalTable;
let cli: FakeCli;
beforeAll(async () => void (local = await startLocalTable()));
afterAll(() => local.close());

let counter = 0;
let pool = "";
beforeEach(() => {
  pool = `p${counter++}`;
  cli = fakeCli(local.table, now);
  cli.aws.settings = { pools: [{ name: pool, kind: "user" }] };
  cli.projectSettings = cli.aws.settings;
});

describe("config", () => {
  it("marks what the next deploy would change", async () => {
    cli.projectSettings = { pools: [{ name: pool, kind: "user", concurrency: 25, dailyCapUsd: 5 }] };
    const { code, out } = await cli.run("config", "--differences");
    expect(code).toBe(0);
    expect(out).toBe(
      [
        "   SETTING               PROJECT  DEPLOYED",
        "≠  pools[0].concurrency  25       10",
        "≠  pools[0].dailyCapUsd  5",
        "",
      ].join("\n"),
    );
  });

  it("shows every setting with its default as JSON", async () => {
    const { json } = await cli.run("config", "--json");
    const { deployed, problem, settings } = json() as Config;
    expect({ deployed, problem }).toEqual({ deployed: true, problem: null });
    expect(settings).toContainEqual({
      path: "pools[0].processor.memoryMb",
      project: 256,
      deployed: 256,
      differs: false,
    });
    expect(settings.some((row) => row.differs)).toBe(false);
  });

  it("shows prices of the models in use only, whole names also on 60 columns; JSON has all", async () => {
    cli.columns = 60;
    cli.projectSettings = { inference: { model: "gpt-6-sol" }, pools: [{ name: pool, kind: "user" }] };
    const { out } = await cli.run("config");
    expect(out).not.toContain("…");
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(60);
    const joined = out.replaceAll(/\s+/g, "");
    expect(joined).toContain("gpt-6-sol.");
    expect(joined).toContain("gpt-6-luna.");
    expect(joined).not.toContain("gpt-5-mini");
    expect(out).toContain("Prices of other models: --json.");
    expect((await cli.run("config", "--json")).out).toContain("spend.prices.gpt-5-mini.inputPerMillionUsd");
  });

  it("says so when nothing differs", async () => {
    expect((await cli.run("config", "--differences")).out).toBe(
      "No differences: the deployed settings are the project's.\n",
    );
  });

  it("shows the project's settings before any deploy", async () => {
    cli.aws.deployed = false;
    const { code, out } = await cli.run("config");
    expect(code).toBe(0);
    expect(out).toContain("inference.model");
    expect(out).toContain(
      "Nothing to compare with: There is no stack StudioRunner in this account and region.",
    );
  });

  it("ends with 2 when the project's settings are wrong, naming each problem and no secret", async () => {
    cli.projectSettings = { inference: { model: "sk-proj-abcdefgh12345678" }, pool: 1 };
    const { code, err } = await cli.run("config");
    expect(code).toBe(2);
    expect(err).toContain("inference.model: looks like an OpenAI key (not shown)");
    expect(err).toContain("pool: unknown setting");
    expect(err).not.toContain("abcdefgh");
  });
});

describe("cost", () => {
  it("itemizes an idle month by the settings", async () => {
    const { code, json } = await cli.run("cost", "--json");
    expect(code).toBe(0);
    const { idlePerMonth, per1000Jobs, settingsFrom, awsPricesAsOf } = json() as Cost;
    const items = Object.fromEntries(idlePerMonth.items.map((item) => [item.what, item]));
    // 43,200 cycles of 50.5 s at 150 MB.
    expect(items["dispatcher, compute"]!.quantity).toBe(319_570.3125);
    expect(items["dispatcher, compute"]!.listUsd).toBeCloseTo(4.26, 2);
    expect(items["dispatcher, compute"]!.usd).toBe(0);
    expect(items["schedule"]).toMatchObject({ quantity: 43_200, usd: 0 });
    expect(items["secrets"]).toMatchObject({ quantity: 2, listUsd: 0.8, usd: 0.8 });
    expect(items["alarms"]!.quantity).toBe(14);
    expect(items["dashboards"]).toMatchObject({ quantity: 1, listUsd: 3, usd: 0 });
    expect(per1000Jobs).toEqual([{ pool, measured: null, items: [], tokensUsd: null, listUsd: null }]);
    expect({ settingsFrom, awsPricesAsOf }).toEqual({
      settingsFrom: "deployed",
      awsPricesAsOf: "2026-10-04",
    });
  });

  it("follows polling, monitoring and secrets that were brought along", async () => {
    const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:mine-AbCdEf";
    cli.aws.settings = {
      monitoring: { level: "off" },
      inference: { keySecretArn: arn },
      pools: [{ name: pool, kind: "user", polling: "economy", keySecretArn: arn }],
    };
    const { json } = await cli.run("cost", "--json");
    const whats = (json() as Cost).idlePerMonth.items.map((item) => item.what);
    for (const gone of ["secrets", "alarms", "alarm Page", "dashboards"]) expect(whats).not.toContain(gone);
    // 43,200 cycles of 0.5 s at 150 MB.
    expect((json() as Cost).idlePerMonth.items[0]).toMatchObject({
      what: "dispatcher, compute",
      quantity: 3_164.0625,
    });
  });

  it("counts the account's key of a pool that rotates", async () => {
    cli.aws.settings = { pools: [{ name: pool, kind: "user", rotation: {} }] };
    const { json } = await cli.run("cost", "--json");
    const secrets = (json() as Cost).idlePerMonth.items.find((item) => item.what === "secrets");
    expect(secrets).toMatchObject({ quantity: 3 });
  });

  it("derives 1,000 jobs from the runs that have ended", async () => {
    const runIds = ["01JCZ9V5W3X8K2M4N6P8Q0R2S4", "01JCZ9V5W3X8K2M4N6P8Q0R2S5"];
    for (const [at, runId] of runIds.entries()) {
      const leasedAtMs = now - 600_000;
      await cli.addRun({
        pool,
        runId,
        leasedAtMs,
        progress: { rounds: 2 + at * 2 },
        ending: { state: "completed", reason: "ok", costUsd: 0.01 + at * 0.01, atMs: leasedAtMs + 30_000 },
      });
    }
    await cli.addRun({ pool, runId: "01JCZ9V5W3X8K2M4N6P8Q0R2S6", leasedAtMs: now - 1_000 });
    const { json } = await cli.run("cost", "--json");
    const jobs = (json() as Cost).per1000Jobs[0]!;
    expect(jobs.measured).toEqual({ runs: 2, seconds: 30, attempts: 1, rounds: 3, tokensUsd: 0.015 });
    expect(jobs.tokensUsd).toBeCloseTo(15, 9);
    // 1,000 jobs of 30 s at 256 MB.
    expect(jobs.items[0]).toMatchObject({ what: "processor, compute", quantity: 7_500 });
    expect(jobs.items[0]!.listUsd).toBeCloseTo(0.1, 3);
    expect((await cli.run("cost")).out).toContain(
      "measured over 2 runs: 30.0 s, 1.0 attempts, 3.0 rounds each",
    );
  });

  it("goes by the project's settings before any deploy, and says so", async () => {
    cli.aws.deployed = false;
    const { code, out } = await cli.run("cost");
    expect(code).toBe(0);
    expect(out).toContain("From the project's settings: There is no stack StudioRunner");
  });

  it("refuses a pool that the stack does not have", async () => {
    expect((await cli.run("cost", "--pool", "none")).code).toBe(3);
  });
});

describe("check-update", () => {
  const feedUrl = "https://example.com/releases/latest";
  beforeEach(() => {
    cli.aws.settings = { updates: { feedUrl }, pools: [{ name: pool, kind: "user" }] };
    cli.aws.version = "0.2.0";
  });
  const feed = (body: unknown, init?: ResponseInit) => {
    cli.fetch = () => Promise.resolve(new Response(JSON.stringify(body), init));
  };

  it.each([
    [
      "the feed's newer version",
      { version: "0.3.0", url: "https://example.com/0.3.0" },
      "update_available",
      1,
    ],
    [
      "GitHub's newer release",
      { tag_name: "v1.0.0", html_url: "https://github.com/r", draft: false },
      "update_available",
      1,
    ],
    ["the same version", { version: "0.2.0" }, "up_to_date", 0],
    ["an older version", { version: "0.1.9" }, "up_to_date", 0],
  ])("tells %s", async (_, body, state, exit) => {
    feed(body);
    const { code, json } = await cli.run("check-update", "--json");
    expect(code).toBe(exit);
    expect(json()).toMatchObject({ state, deployed: "0.2.0" });
  });

  it("says what is available and where", async () => {
    feed({ tag_name: "v0.3.0", html_url: "https://github.com/r" });
    expect((await cli.run("check-update")).out).toBe(
      "Version 0.3.0 is available (deployed: 0.2.0). https://github.com/r\n",
    );
  });

  it("asks nobody when no feed is set", async () => {
    cli.aws.settings = { pools: [{ name: pool, kind: "user" }] };
    const { code, json } = await cli.run("check-update", "--json");
    expect(code).toBe(0);
    expect(json()).toEqual({ state: "disabled", deployed: "0.2.0" });
  });

  it.each([
    ["an HTTP error", () => feed({}, { status: 503 }), "The release feed answered with HTTP 503."],
    [
      "another shape",
      () => feed({ name: "x" }),
      "The release feed holds neither { version, url } nor a GitHub release.",
    ],
    [
      "a version that is none",
      () => feed({ version: "newest" }),
      "The release feed holds neither { version, url } nor a GitHub release.",
    ],
    [
      "no network",
      () => void (cli.fetch = () => Promise.reject(new TypeError("fetch failed"))),
      "The release feed could not be read: fetch failed.",
    ],
    [
      "silence",
      () => void (cli.fetch = () => new Promise(() => undefined)),
      "The release feed could not be read: the release feed took longer than 5000 ms.",
    ],
  ])("ends with 5 on %s", async (_, prepare, message) => {
    prepare();
    const answer = await cli.run("check-update", "--json");
    expect(answer.code).toBe(5);
    expect(answer.error()).toMatchObject({ code: "check_failed", message });
  });
});
