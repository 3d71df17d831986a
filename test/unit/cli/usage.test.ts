import { describe, expect, it, vi } from "vitest";
import { createAws } from "../../../cli/aws/aws.ts";
import { commands } from "../../../cli/commands.ts";
import { exits } from "../../../cli/errors.ts";
import { RunnerError } from "../../../lib/core/errors.ts";
import { fakeCli } from "../../support/cli.ts";
import { cli, expectRun, local, setUpCli } from "./set-up.ts";

setUpCli();

describe("help", () => {
  it("lists every command and every exit code", async () => {
    const { out, err } = await expectRun("--help", 0);
    expect(err).toBe("");
    for (const { name } of commands) expect(out).toContain(`\n  ${name.split(" ")[0]} `);
    for (const { code: exit, meaning } of Object.values(exits)) expect(out).toContain(`${exit}  ${meaning}`);
  });

  it.each(commands.map(({ name }) => name))("for %s has examples and the common options", async (name) => {
    await expectRun(`${name} --help`, 0, `npm run runner -- ${name}`, "Examples:", "--json ", "--pool ");
  });

  it.each([
    ["", "--help"],
    ["help", "--help"],
    ["help jobs", "jobs --help"],
    ["help secrets set", "secrets set --help"],
    ["help secrets", "secrets --help"],
    ["help explain ws-1", "explain --help"],
  ])("is what the command line '%s' prints, like '%s'", async (line, same) => {
    const { out } = await expectRun(line === "" ? [] : line, 0);
    expect(out).toBe((await cli.run(...same.split(" "))).out);
  });

  it.each([60, 80])("fits a terminal of %i columns", async (columns) => {
    cli.columns = columns;
    for (const name of ["", ...commands.map((command) => command.name)]) {
      const { out } = await cli.run("help", ...name.split(" ").filter(Boolean));
      expect(out.split("\n").filter((line) => line.length > columns)).toEqual([]);
    }
  });

  it("names the command line as it was started", async () => {
    cli.commandName = "npx studio-runner";
    await expectRun(
      "help jobs",
      0,
      "Usage: npx studio-runner jobs",
      "  npx studio-runner jobs --state failed",
    );
  });

  it("breaks a long example so that the shell still reads it as one command", async () => {
    cli.columns = 60;
    const lines = [
      "  npm run runner -- init --yes --model gpt-6-luna \\",
      "      --cap 20 --email ops@example.com",
    ];
    await expectRun("help init", 0, lines.join("\n"));
  });
});

it("--version prints the versions of studio-runner and Node", async () => {
  expect((await expectRun("--version", 0)).out).toBe("studio-runner 0.1.0\nnode 24.21.0\n");
  expect((await cli.run("--version", "--json")).json()).toEqual({ version: "0.1.0", node: "24.21.0" });
});

describe("an invalid command line exits with 2, prints nothing to standard output and names the help:", () => {
  it.each([
    ["status --stack my_stack", "--stack: Give a CloudFormation stack name", ""],
    ["statsu", "Unknown command 'statsu'. (Did you mean status?)", "--help"],
    ["status --jsn", "Unknown option '--jsn'. (Did you mean --json?)", "status --help"],
    ["--json jobs --limit", "Option '--limit <count>' argument missing.", "jobs --help"],
    ["status extra", "Too many arguments for 'status'.", "status --help"],
    ["secrets set", "Missing required argument", "secrets set --help"],
    ["secrets sett", "Unknown command 'sett'", "secrets --help"],
    ["secrets", "secrets is not a command by itself. Give one of: secrets set.", "secrets --help"],
    ["help statsu", "Unknown command 'statsu'. (Did you mean status?)", "--help"],
  ] as const)("%s", async (argv, message, help) => {
    const { out, err } = await expectRun(argv, 2);
    expect(out).toBe("");
    expect(err).toContain(message);
    expect(err).toContain(`See npm run runner -- ${help}`);
  });
});

describe("errors from outside", () => {
  it("name the address that refuses connections, and what to do", async () => {
    const refused = new Error("connect ECONNREFUSED 127.0.0.1:4401");
    Object.assign(refused, { code: "ECONNREFUSED", address: "127.0.0.1", port: 4401 });
    cli.aws.broken.stacks = new AggregateError([refused], "");
    await expectRun("status", 5, "Error: Nothing answers at 127.0.0.1:4401.", "npm start");
    cli.aws.broken.stacks = new RunnerError("run_store_unavailable", "no run store", { cause: refused });
    await expectRun("status", 5, "Nothing answers at 127.0.0.1:4401.");
    const unknown = Object.assign(new Error("getaddrinfo"), {
      code: "ENOTFOUND",
      hostname: "sts.nowhere.aws",
    });
    cli.aws.broken.stacks = unknown;
    await expectRun("status", 5, "Nothing answers at sts.nowhere.aws.\nCheck the network, --region,");
  });

  const named = (name: string, message = "the call failed") => Object.assign(new Error(message), { name });
  const defect = new TypeError("x is not a function");

  it.each([
    [named("CredentialsProviderError"), 4, "no_credentials"],
    [named("ExpiredTokenException"), 4, "no_credentials"],
    [named("InvalidSignatureException"), 4, "signature_refused"],
    [named("AccessDenied"), 4, "access_denied"],
    [named("ThrottlingException"), 5, "aws_failed"],
    [named("TimeoutError"), 5, "aws_failed"],
    [defect, 5, "internal"],
  ])("exit after %s with %i", async (error, code, errorCode) => {
    cli.aws.broken.stacks = error;
    const answer = await expectRun("status --json", code);
    expect(answer.out).toBe("");
    expect(answer.error().code).toBe(errorCode);
  });

  it("include a stack trace of a defect in text, but not with --json", async () => {
    cli.aws.broken.stacks = defect;
    expect((await cli.run("status")).err).toContain("    at ");
    expect(Object.keys((await cli.run("status", "--json")).error())).toEqual(["code", "message"]);
  });

  it.each([
    ["is missing", undefined],
    ["cannot be part of a host name", "us_east"],
  ])("exit with 2 if the region %s", async (_, region) => {
    vi.stubEnv("AWS_REGION", region);
    vi.stubEnv("AWS_CONFIG_FILE", "/nowhere");
    cli.aws.region = createAws({}).region;
    await expectRun(
      "status",
      2,
      "Error: There is no valid AWS region: ",
      "Name one like eu-central-1",
      "For the stack of npm start, add --local.",
    );
    vi.unstubAllEnvs();
  });

  it("report access_denied when that is the cause of a run store error", async () => {
    const cause = named("AccessDeniedException", "not authorized to perform dynamodb:GetItem");
    const error = new RunnerError("run_store_unavailable", "the run store did not answer", { cause });
    const denied = fakeCli({ ...local.table, get: () => Promise.reject(error) }, 0);
    const answer = await denied.run("status", "--json");
    expect(answer.code).toBe(4);
    expect(answer.error().code).toBe("access_denied");
  });
});

describe("a missing stack", () => {
  it("makes a command exit with 3 and name the command that deploys it", async () => {
    cli.aws.deployed = false;
    await expectRun(
      "status",
      3,
      "There is no stack StudioRunner in this account in eu-central-1.",
      "npm run runner -- deploy",
    );
  });

  it.each([
    [
      "CREATE_IN_PROGRESS",
      "not_deployed",
      "is still being deployed for the first time (CREATE_IN_PROGRESS).",
    ],
    ["DELETE_IN_PROGRESS", "not_deployed", "is still being destroyed (DELETE_IN_PROGRESS)."],
    [
      "ROLLBACK_COMPLETE",
      "deploy_failed",
      "The first deploy of the stack StudioRunner failed (ROLLBACK_COMPLETE).",
    ],
    ["DELETE_FAILED", "deploy_failed", "Destroying the stack StudioRunner failed (DELETE_FAILED)."],
    [
      "UPDATE_COMPLETE",
      "version_skew",
      "The stack StudioRunner has no output Settings: another version deployed it.",
    ],
  ])("without outputs makes a command exit with 3 and name its state %s", async (status, code, message) => {
    Object.assign(cli.aws, { status, withOutputs: false });
    const error = (await expectRun("status --json", 3)).error();
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });

  it.each([
    ["ROLLBACK_COMPLETE", "Then deploy again: npm run runner -- deploy"],
    ["DELETE_FAILED", "Then destroy it again: npm run runner -- destroy"],
  ])("in the state %s without outputs asks for the command that can follow", async (status, next) => {
    Object.assign(cli.aws, { status, withOutputs: false });
    expect((await expectRun("status --json", 3)).error().remedy).toBe(
      `The stack's events in the console of CloudFormation say why. ${next}`,
    );
  });

  it("is not taken for one in AWS when --state-dir is given without --local", async () => {
    await expectRun(
      "status --state-dir /tmp/mine",
      2,
      "Error: --state-dir is the folder of a local stack. Give --local too.",
    );
  });

  it.each(["region", "profile"])("is not local and in AWS, as with --local and --%s", async (option) => {
    await expectRun(
      `status --local --${option} x`,
      2,
      `Error: --${option} is about a stack in AWS. Leave out --${option} or --local.`,
    );
  });

  it("makes a command exit with 3 when no local stack runs", async () => {
    const answer = await expectRun("status --local --json", 3);
    expect(answer.error()).toEqual({
      code: "not_running",
      message: "No local stack runs in /nowhere/.local.",
      remedy: "Start it with npm start in another terminal, or name its folder with --state-dir.",
    });
  });
});
