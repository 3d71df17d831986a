import { describe, expect, it } from "vitest";
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
      const costUsd = 0.01 + at * 0.01;
      const ending = { state: "completed", reason: "ok", costUsd, atMs: leasedAtMs + 30_000 } as const;
      await cli.addRun({ pool, runId, leasedAtMs, progress: { rounds: 2 + at * 2 }, ending });
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
