import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ProgramRun } from "../../../cli/programs.ts";
import { connectKeys, patientClock, type FakeSecrets } from "../../support/cli-keys.ts";
import { fakeCli, type FakeCli } from "../../support/cli.ts";
import { startLocalTable, type LocalTable } from "../../support/run-store.ts";

const now = Date.parse("2026-11-20T03:00:00Z");

let local: LocalTable;
let cli: FakeCli;
let secrets: FakeSecrets;
let programs: ProgramRun[];
let exitCode: number;
beforeAll(async () => void (local = await startLocalTable()));
afterAll(() => local.close());

let counter = 0;
let pool = "";
beforeEach(() => {
  pool = `dep${counter++}`;
  cli = fakeCli(local.table, now);
  ({ secrets } = connectKeys(cli));
  [programs, exitCode] = [[], 0];
  cli.projectSettings = cli.aws.settings = { pools: [{ name: pool, kind: "user" }] };
  const run = async (program: ProgramRun): Promise<number> => {
    programs.push(program);
    cli.aws.deployed = true;
    return exitCode;
  };
  Object.assign(cli.edges, { clock: patientClock(cli), programs: { run } });
});

describe("deploy", () => {
  beforeEach(() => void (cli.aws.deployed = false));

  it("checks, deploys, and names the keys that are still missing", async () => {
    const { code, out } = await cli.run("deploy", "--yes", "--region", "eu-central-1", "--profile", "ops");
    expect(code).toBe(0);
    expect(programs).toEqual([
      {
        file: "/nowhere/node_modules/.bin/cdk",
        args: ["deploy", "StudioRunner", "--require-approval", "never", "--profile", "ops"],
        folder: "/nowhere",
        variables: { AWS_REGION: "eu-central-1", AWS_DEFAULT_REGION: "eu-central-1" },
        prints: "stdout",
      },
    ]);
    expect(out).toBe(
      [
        "StudioRunner is deployed.",
        "",
        "Next:",
        `  npm run runner -- secrets set runner-keys --pool ${pool}`,
        "  npm run runner -- secrets set model-key",
        "  npm run runner -- doctor",
        "",
      ].join("\n"),
    );
  });

  it("names nothing but doctor where the keys are there", async () => {
    secrets.set(`${pool}-keys`, "one.secret-of-one");
    secrets.set("model-key", "sk-model-key-of-the-test");
    const answer = await cli.run("deploy", "--yes", "--json");
    expect(answer.json()).toMatchObject({ deployed: true, next: ["npm run runner -- doctor"] });
    expect(programs[0]?.prints).toBe("stderr");
  });

  it("deploys nothing when a check fails", async () => {
    Object.assign(cli.aws.services, { stacks: { outputs: () => Promise.resolve(undefined) } });
    const { code, out } = await cli.run("deploy", "--yes");
    expect(code).toBe(1);
    expect(out).toContain("✗ CDK bootstrap");
    expect(out).toContain("Nothing was deployed. Fix the failed checks first.");
    expect(programs).toEqual([]);
  });

  it("says that cdk failed", async () => {
    exitCode = 1;
    const { code, err } = await cli.run("deploy", "--yes");
    expect(code).toBe(5);
    expect(err).toContain("cdk deploy ended with 1; its output is above.");
  });

  it.each([
    [["deploy"], "Give --yes."],
    [["deploy", "--yes", "--local"], "npm start builds and deploys it by itself"],
    [["deploy", "--yes", "--stack", "Other"], "cdk.json names the stack StudioRunner, not Other."],
    [["destroy", "--local"], "npm start builds and deploys it by itself"],
    [["destroy", "--confirm", "StudioRunner", "--stack", "Other"], "cdk.json names the stack StudioRunner"],
  ])("%j is refused", async (argv, message) => {
    const { code, err } = await cli.run(...argv);
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(programs).toEqual([]);
  });
});

describe("destroy", () => {
  it("removes the stack, and says what stays and how it goes", async () => {
    const { code, out } = await cli.run("destroy", "--confirm", "StudioRunner");
    expect(code).toBe(0);
    expect(programs[0]?.args).toEqual(["destroy", "StudioRunner", "--force"]);
    expect(out).toContain("StudioRunner is deleted.");
    expect(out).toContain("aws dynamodb delete-table --table-name runs");
  });

  it("says nothing of a run store that goes too", async () => {
    cli.aws.settings = { pools: [{ name: pool, kind: "user" }], removalPolicy: "destroy" };
    expect((await cli.run("destroy", "--confirm", "StudioRunner")).out).not.toContain("--table-name");
  });

  it("asks for the name at a terminal, and shows what stays before", async () => {
    const text = async (): Promise<string> => "StudioRunner";
    Object.assign(cli.edges, { input: { isTerminal: true }, prompts: { text } });
    const { code, err } = await cli.run("destroy");
    expect(code).toBe(0);
    expect(err).toContain("The run store runs is kept");
  });

  it.each([
    [["destroy"], 2, "Give --confirm STACK"],
    [["destroy", "--confirm", "Another"], 2, "The stack is named StudioRunner. Nothing was deleted."],
  ])("%j is refused", async (argv, code, message) => {
    const answer = await cli.run(...argv);
    expect(answer.code).toBe(code);
    expect(answer.err).toContain(message);
    expect(programs).toEqual([]);
  });

  it("refuses while jobs are in flight, unless forced", async () => {
    await cli.addRun({ runId: "01JCZ9V5W3X8K2M4N6P8Q0R2S4", pool, leasedAtMs: now - 30_000 });
    const { code, err } = await cli.run("destroy", "--confirm", "StudioRunner");
    expect(code).toBe(1);
    expect(err).toContain("1 run in flight.");
    expect((await cli.run("destroy", "--confirm", "StudioRunner", "--force")).code).toBe(0);
  });

  it("says that there is no stack", async () => {
    cli.aws.deployed = false;
    expect((await cli.run("destroy", "--confirm", "StudioRunner")).code).toBe(3);
  });
});
