import { beforeEach, describe, expect, it } from "vitest";
import { cli, expectRun, now, pool, runIds, settle, setUpCli } from "./set-up.ts";

type Item = Readonly<Record<"quantity" | "listUsd" | "usd", number>> & { readonly what: string };
interface Cost {
  readonly idlePerMonth: { readonly items: readonly Item[] };
  readonly per1000Jobs: readonly {
    readonly measured: unknown;
    readonly tokensUsd: number;
    readonly items: readonly Item[];
  }[];
}

setUpCli();

describe("config", () => {
  it("lists the settings that the next deploy would change", async () => {
    cli.projectSettings = { pools: [{ name: pool, kind: "user", concurrency: 25, dailyCapUsd: 5 }] };
    const { out } = await expectRun("config --differences", 0);
    expect(out).toBe(
      [
        "   SETTING               PROJECT  DEPLOYED",
        "≠  pools[0].concurrency  25       10",
        "≠  pools[0].dailyCapUsd  5",
        "",
      ].join("\n"),
    );
  });

  it("includes settings left at their defaults with --json", async () => {
    const { json } = await cli.run("config", "--json");
    const memory = { path: "pools[0].processor.memoryMb", project: 256, deployed: 256, differs: false };
    const settings: unknown = expect.arrayContaining([memory]);
    expect(json()).toMatchObject({ deployed: true, problem: null, settings });
  });

  it("shows the prices of the models in use, unabridged at 60 columns, and all prices with --json", async () => {
    cli.columns = 60;
    cli.projectSettings = { inference: { model: "gpt-6-sol" }, pools: [{ name: pool, kind: "user" }] };
    const { out } = await cli.run("config");
    expect(out).not.toContain("…");
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(60);
    for (const model of ["gpt-6-sol.", "gpt-6-luna."]) expect(out.replaceAll(/\s+/g, "")).toContain(model);
    expect(out.replaceAll(/\s+/g, "")).not.toContain("gpt-5-mini");
    expect(out).toContain("Prices of other models: --json.");
    expect((await cli.run("config", "--json")).out).toContain("spend.prices.gpt-5-mini.inputPerMillionUsd");
  });

  it("reports when the project and the deployment do not differ", async () => {
    await expectRun("config --differences", 0, "No differences: the deployed settings are the project's.");
  });

  it("shows the project's settings before the first deploy", async () => {
    cli.aws.deployed = false;
    await expectRun("config", 0, "inference.model", "Nothing to compare with: There is no stack");
  });

  it("exits with 2 when the project's settings are invalid, naming each problem but no secret", async () => {
    cli.projectSettings = { inference: { model: "sk-proj-abcdefgh12345678" }, pool: 1 };
    const { err } = await expectRun("config", 2, "inference.model: looks like", "pool: unknown setting");
    expect(err).not.toContain("abcdefgh");
  });
});

describe("cost", () => {
  const idleItems = async (): Promise<Readonly<Record<string, Item>>> => {
    const { idlePerMonth } = (await cli.run("cost", "--json")).json() as Cost;
    return Object.fromEntries(idlePerMonth.items.map((item) => [item.what, item]));
  };

  it("itemizes an idle month for the deployed settings", async () => {
    const items = await idleItems();
    // 43,200 cycles of 50.5 s at 150 MB.
    expect(items["dispatcher, compute"]).toMatchObject({ quantity: 319_570.3125, usd: 0 });
    expect(items["dispatcher, compute"]!.listUsd).toBeCloseTo(4.26, 2);
    expect(items["schedule"]).toMatchObject({ quantity: 43_200, usd: 0 });
    expect(items["secrets"]).toMatchObject({ quantity: 2, listUsd: 0.8, usd: 0.8 });
    expect(items["alarms"]!.quantity).toBe(14);
    expect(items["dashboards"]).toMatchObject({ quantity: 1, listUsd: 3, usd: 0 });
  });

  it("names its sources, and has no cost per job before a run has ended", async () => {
    expect((await cli.run("cost", "--json")).json()).toMatchObject({
      settingsFrom: "deployed",
      awsPricesAsOf: "2026-10-04",
      per1000Jobs: [{ pool, measured: null, items: [], tokensUsd: null, listUsd: null }],
    });
  });

  it("excludes existing secrets and disabled monitoring, and counts the slower polling", async () => {
    const keySecretArn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:mine-AbCdEf";
    settle({
      monitoring: { level: "off" },
      inference: { keySecretArn },
      pools: [{ name: pool, kind: "user", polling: "economy", keySecretArn }],
    });
    const items = await idleItems();
    for (const gone of ["secrets", "alarms", "alarm Page", "dashboards"])
      expect(items).not.toHaveProperty([gone]);
    // 43,200 cycles of 0.5 s at 150 MB.
    expect(items["dispatcher, compute"]!.quantity).toBe(3_164.0625);
  });

  it("counts the account key's secret of a pool with rotation", async () => {
    settle({ pools: [{ name: pool, kind: "user", rotation: {} }] });
    expect((await idleItems())["secrets"]!.quantity).toBe(3);
  });

  it("derives the cost of 1,000 jobs from the runs that have ended", async () => {
    const leasedAtMs = now - 600_000;
    for (const [at, runId] of runIds.slice(0, 2).entries()) {
      const ending = { state: "completed", reason: "ok", costUsd: 0.01 + at * 0.01 } as const;
      await cli.addRun({
        pool,
        runId,
        leasedAtMs,
        progress: { rounds: 2 + at * 2 },
        ending: { ...ending, atMs: leasedAtMs + 30_000 },
      });
    }
    await cli.addRun({ pool, runId: runIds[2], leasedAtMs: now - 1_000 });
    const { json } = await cli.run("cost", "--json");
    const jobs = (json() as Cost).per1000Jobs[0]!;
    expect(jobs.measured).toEqual({ runs: 2, seconds: 30, attempts: 1, rounds: 3, tokensUsd: 0.015 });
    expect(jobs.tokensUsd).toBeCloseTo(15, 9);
    // 1,000 jobs of 30 s at 256 MB.
    expect(jobs.items[0]).toMatchObject({ what: "processor, compute", quantity: 7_500 });
    expect(jobs.items[0]!.listUsd).toBeCloseTo(0.1, 3);
    await expectRun("cost", 0, "measured over 2 runs: 30.0 s, 1.0 attempts, 3.0 rounds each");
  });

  it("uses the project's settings before the first deploy, with a note", async () => {
    cli.aws.deployed = false;
    await expectRun("cost", 0, "From the project's settings: There is no stack StudioRunner");
  });

  it("rejects an unknown pool", async () => {
    await expectRun("cost --pool none", 3);
  });
});

describe("check-update", () => {
  const feedUrl = "https://example.com/releases/latest";
  beforeEach(() => {
    settle({ updates: { feedUrl } });
    cli.aws.version = "0.2.0";
  });
  const feed = (body: unknown, init?: ResponseInit) => {
    cli.fetch = () => Promise.resolve(new Response(JSON.stringify(body), init));
  };

  it.each<readonly [what: string, body: object, state: string, exit: number]>([
    ["a newer version of the feed", { version: "0.3.0", url: feedUrl }, "update_available", 1],
    [
      "a newer GitHub release",
      { tag_name: "v1.0.0", html_url: feedUrl, draft: false },
      "update_available",
      1,
    ],
    ["the same version", { version: "0.2.0" }, "up_to_date", 0],
    ["an older version", { version: "0.1.9" }, "up_to_date", 0],
  ])("compares the deployed version with %s", async (_, body, state, exit) => {
    feed(body);
    const { json } = await expectRun("check-update --json", exit);
    expect(json()).toMatchObject({ state, deployed: "0.2.0" });
  });

  it("prints the available version and its address", async () => {
    feed({ tag_name: "v0.3.0", html_url: "https://github.com/r" });
    const available = "Version 0.3.0 is available (deployed: 0.2.0). https://github.com/r\n";
    await expectRun("check-update", 1, available);
  });

  it("is disabled when no feed is set", async () => {
    settle({});
    const { json } = await expectRun("check-update --json", 0);
    expect(json()).toEqual({ state: "disabled", deployed: "0.2.0" });
  });

  const odd = "The release feed holds neither { version, url } nor a GitHub release.";
  it.each<readonly [what: string, prepare: () => void, message: string]>([
    ["an HTTP error", () => feed({}, { status: 503 }), "The release feed answered with HTTP 503."],
    ["another shape", () => feed({ name: "x" }), odd],
    ["a malformed version", () => feed({ version: "newest" }), odd],
    [
      "no network",
      () => void (cli.fetch = () => Promise.reject(new TypeError("fetch failed"))),
      "The release feed could not be read: fetch failed.",
    ],
    [
      "no answer in time",
      () => void (cli.fetch = () => new Promise(() => undefined)),
      "The release feed could not be read: the release feed took longer than 5000 ms.",
    ],
  ])("exits with 5 on %s", async (_, prepare, message) => {
    prepare();
    const answer = await expectRun("check-update --json", 5);
    expect(answer.error()).toMatchObject({ code: "check_failed", message });
  });
});
