import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { commands } from "../../../cli/commands.ts";
import { exits } from "../../../cli/errors.ts";
import { fakeCli, type FakeCli } from "../../support/cli.ts";
import { startLocalTable, type LocalTable } from "../../support/run-store.ts";

let local: LocalTable;
let cli: FakeCli;
beforeAll(async () => void (local = await startLocalTable()));
afterAll(() => local.close());
beforeEach(() => void (cli = fakeCli(local.table, Date.parse("2026-11-20T03:00:00Z"))));

describe("help", () => {
  it("lists every command and every exit code", async () => {
    const { code, out, err } = await cli.run("--help");
    expect(code).toBe(0);
    expect(err).toBe("");
    for (const { name } of commands) expect(out).toContain(`\n  ${name.split(" ")[0]} `);
    for (const { code: exit, meaning } of Object.values(exits)) expect(out).toContain(`${exit}  ${meaning}`);
  });

  it.each(commands.map(({ name }) => [name]))("of %s has an example and the options of all", async (name) => {
    const { code, out } = await cli.run(...name.split(" "), "--help");
    expect(code).toBe(0);
    expect(out).toContain(`Usage: npm run runner -- ${name}`);
    expect(out).toContain("Examples:");
    expect(out).toContain("--json ");
    expect(out).toContain("--pool ");
  });

  it("fits the terminal", async () => {
    cli.columns = 70;
    const { out } = await cli.run("status", "--help");
    const prose = out.split("\n").filter((line) => !line.startsWith("  npm run"));
    expect(Math.max(...prose.map((line) => line.length))).toBeLessThanOrEqual(70);
  });
});

describe("a wrong command line ends with 2, nothing on standard output, and", () => {
  it.each([
    [["statsu"], "Unknown command 'statsu'. (Did you mean status?)"],
    [["status", "--jsn"], "Unknown option '--jsn'. (Did you mean --json?)"],
    [["jobs", "--limit"], "Option '--limit <count>' argument missing."],
    [["status", "extra"], "Too many arguments for 'status'. Expected 0 arguments but got 1: extra."],
    [[], "No command is given. Commands: init, doctor, status, jobs"],
  ] as const)("%j is told apart", async (argv, message) => {
    const { code, out, err } = await cli.run(...argv);
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toContain(`Error: ${message}`);
  });
});

describe("a wrong command line", () => {
  it.each([
    [["status", "--jsn"], "status --help"],
    [["--json", "jobs", "--limit"], "jobs --help"],
    [["secrets", "set"], "secrets set --help"],
    [["secrets", "sett"], "secrets --help"],
    [["statsu"], "--help"],
  ])("%j names the help that helps", async (argv, help) => {
    const { code, err } = await cli.run(...argv);
    expect(code).toBe(2);
    expect(err).toContain(`See npm run runner -- ${help}`);
  });
});

describe("errors from outside", () => {
  it("say where nothing answers, and what to do", async () => {
    const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:4401"), {
      code: "ECONNREFUSED",
      address: "127.0.0.1",
      port: 4401,
    });
    cli.aws.broken.stacks = new AggregateError([refused], "");
    const { code, err } = await cli.run("status");
    expect(code).toBe(5);
    expect(err).toContain("Error: Nothing answers at 127.0.0.1:4401.\n");
    expect(err).toContain("npm start");
    const { RunnerError } = await import("../../../lib/core/errors.ts");
    cli.aws.broken.stacks = new RunnerError("run_store_unavailable", "no run store", { cause: refused });
    expect((await cli.run("status")).err).toContain("Nothing answers at 127.0.0.1:4401.");
  });

  const named = (name: string, message: string) => Object.assign(new Error(message), { name });

  it.each([
    ["CredentialsProviderError", 4, "no_credentials"],
    ["ExpiredTokenException", 4, "no_credentials"],
    ["AccessDenied", 4, "access_denied"],
    ["ThrottlingException", 5, "aws_failed"],
    ["TimeoutError", 5, "aws_failed"],
    ["TypeError", 5, "internal"],
  ])("%s ends with %i", async (name, code, errorCode) => {
    const error =
      name === "TypeError" ? new TypeError("x is not a function") : named(name, "the call failed");
    cli.aws.broken.stacks = error;
    const answer = await cli.run("status", "--json");
    expect(answer.code).toBe(code);
    expect(answer.out).toBe("");
    expect(answer.error().code).toBe(errorCode);
  });

  it("shows where a defect is from, to a person only", async () => {
    cli.aws.broken.stacks = new TypeError("x is not a function");
    expect((await cli.run("status")).err).toContain("    at ");
    expect(Object.keys((await cli.run("status", "--json")).error())).toEqual(["code", "message"]);
  });

  it("asks for a region when none is known", async () => {
    cli.aws.broken.stacks = new Error("Region is missing");
    const { code, err } = await cli.run("status");
    expect(code).toBe(2);
    expect(err).toBe("Error: No AWS region is set.\nName one with --region, or set AWS_REGION.\n");
  });

  it("takes a region that is none for a wrong command line", async () => {
    cli.aws.broken.stacks = new Error(
      'Region not accepted: region="us_east" is not a valid hostname component.',
    );
    const { code, err } = await cli.run("status", "--region", "us_east");
    expect(code).toBe(2);
    expect(err).toBe(
      "Error: This is no AWS region.\nName one like eu-central-1 with --region, or set AWS_REGION.\n",
    );
  });

  it("sees a refusal behind the run store's own error", async () => {
    const { RunnerError } = await import("../../../lib/core/errors.ts");
    const cause = named("AccessDeniedException", "not authorized to perform dynamodb:GetItem");
    const table = {
      ...local.table,
      get: () =>
        Promise.reject(new RunnerError("run_store_unavailable", "the run store did not answer", { cause })),
    };
    const answer = await fakeCli(table, 0).run("pause", "--why", "failure", "--json");
    // The write is an update and works; reading the status does not.
    expect(answer.code).toBe(0);
    const refused = await fakeCli(table, 0).run("status", "--json");
    expect(refused.code).toBe(4);
    expect(refused.error().code).toBe("access_denied");
  });
});

describe("a stack that is not there", () => {
  it("ends with 3 and the command that deploys it", async () => {
    cli.aws.deployed = false;
    const { code, err } = await cli.run("status");
    expect(code).toBe(3);
    expect(err).toBe(
      "Error: There is no stack StudioRunner in this account and region.\nDeploy it with npm run runner -- deploy, or name another with --stack and --region.\n",
    );
  });

  it("ends with 3 where no local stack runs", async () => {
    const answer = await cli.run("status", "--local", "--json");
    expect(answer.code).toBe(3);
    expect(answer.error()).toEqual({
      code: "not_running",
      message: "No local stack runs in /nowhere/.local.",
      remedy: "Start it with npm start in another terminal, or name its folder with --state-dir.",
    });
  });
});
