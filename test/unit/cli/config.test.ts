import { describe, expect, it } from "vitest";
import { CliError } from "../../../cli/errors.ts";
import { cli, expectRun, pool, setUpCli } from "./set-up.ts";

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

  it("says only why nothing can be compared, and exits with that problem's code, with --differences", async () => {
    cli.aws.deployed = false;
    const missing = await expectRun("config --differences", 3, "There is no stack");
    cli.aws.services = {
      stacks: { outputs: () => Promise.reject(new CliError("no_credentials", "No credentials.")) },
    };
    const refused = await expectRun("config --differences", 4, "No credentials.");
    expect(missing.out + refused.out).toBe("");
  });

  it("exits with 2 when the project's settings are invalid, naming each problem but no secret", async () => {
    cli.projectSettings = { inference: { model: "sk-proj-abcdefgh12345678" }, pool: 1 };
    const { err } = await expectRun("config", 2, "inference.model: looks like", "pool: unknown setting");
    expect(err).not.toContain("abcdefgh");
  });
});
