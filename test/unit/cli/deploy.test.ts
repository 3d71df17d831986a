import { beforeEach, describe, expect, it } from "vitest";
import type { ProgramRun } from "../../../cli/programs.ts";
import { patientClock } from "../../support/cli-keys.ts";
import { addPool, cli, expectRun, now, pool, runId, secrets, settle, setUpCli } from "./set-up.ts";

let programs: ProgramRun[];
let exitCode: number;

setUpCli();
beforeEach(() => {
  [programs, exitCode] = [[], 0];
  const run = async (program: ProgramRun): Promise<number> => {
    programs.push(program);
    cli.aws.deployed = true;
    return exitCode;
  };
  Object.assign(cli.edges, { clock: patientClock(cli), programs: { run } });
});

describe("deploy", () => {
  beforeEach(() => void (cli.aws.deployed = false));

  it("runs cdk deploy, and names the keys that are still missing as next steps", async () => {
    const { out } = await expectRun("deploy --yes --region eu-central-1 --profile ops", 0);
    const args = ["deploy", "StudioRunner", "--require-approval", "never", "--profile", "ops"];
    const variables = { AWS_REGION: "eu-central-1", AWS_DEFAULT_REGION: "eu-central-1" };
    const file = "/nowhere/node_modules/.bin/cdk";
    expect(programs).toEqual([{ file, args, folder: "/nowhere", variables, prints: "stdout" }]);
    expect(out.split("\n")).toEqual([
      "StudioRunner is deployed.",
      "",
      "Next:",
      "  npm run runner -- secrets set runner-keys --region eu-central-1 --profile ops",
      "  npm run runner -- secrets set model-key --region eu-central-1 --profile ops",
      "  npm run runner -- doctor --region eu-central-1 --profile ops",
      "",
    ]);
  });

  it("names the pools of missing keys if the stack has several", async () => {
    const other = addPool();
    const answer = await cli.run("deploy", "--yes", "--json");
    expect(answer.json()).toMatchObject({
      next: [
        `npm run runner -- secrets set runner-keys --pool ${pool}`,
        `npm run runner -- secrets set runner-keys --pool ${other}`,
        "npm run runner -- secrets set model-key",
        "npm run runner -- doctor",
      ],
    });
  });

  it("names only doctor as the next step when all keys are stored", async () => {
    secrets.set(`${pool}-keys`, "one.secret-of-one");
    secrets.set("model-key", "sk-model-key-of-the-test");
    const answer = await cli.run("deploy", "--yes", "--json");
    expect(answer.json()).toMatchObject({ deployed: true, next: ["npm run runner -- doctor"] });
    expect(programs[0]?.prints).toBe("stderr");
  });

  it("deploys nothing when a check fails", async () => {
    Object.assign(cli.aws.services, { stacks: { outputs: () => Promise.resolve(undefined) } });
    await expectRun("deploy --yes", 1, "✗ CDK bootstrap", "Nothing was deployed. Fix the failed checks");
    expect(programs).toEqual([]);
  });

  it("exits with 5 when cdk fails", async () => {
    exitCode = 1;
    await expectRun("deploy --yes", 5, "cdk deploy ended with 1; its output is above.");
  });

  it.each([
    ["deploy", "Give --yes."],
    ["deploy --yes --local", "npm start builds and deploys it by itself"],
    ["deploy --yes --stack Other", "cdk.json names the stack StudioRunner, not Other."],
    ["destroy --local", "npm start builds and deploys it by itself"],
    ["destroy --confirm StudioRunner --stack Other", "cdk.json names the stack StudioRunner"],
    ["destroy", "Give --confirm STACK"],
    ["destroy --confirm Another", "The stack is named StudioRunner. Nothing was deleted."],
  ])("%s is rejected", async (argv, message) => {
    cli.aws.deployed = argv.startsWith("destroy");
    await expectRun(argv, 2, message);
    expect(programs).toEqual([]);
  });
});

describe("destroy", () => {
  it("deletes the stack, and names what is kept and how to delete it", async () => {
    const { out } = await expectRun("destroy --confirm StudioRunner", 0);
    expect(programs[0]?.args).toEqual(["destroy", "StudioRunner", "--force"]);
    expect(out).toContain("StudioRunner is deleted.");
    expect(out).toContain("aws dynamodb delete-table --table-name runs");
  });

  it("does not mention the run store when it is deleted with the stack", async () => {
    settle({ removalPolicy: "destroy" });
    expect((await cli.run("destroy", "--confirm", "StudioRunner")).out).not.toContain("--table-name");
  });

  it("asks for the name of the stack at a terminal, and shows what is kept", async () => {
    const text = async (): Promise<string> => "StudioRunner";
    Object.assign(cli.edges, { input: { isTerminal: true }, prompts: { text } });
    await expectRun("destroy", 0, "The run store runs is kept");
  });

  it("refuses while jobs are in flight, unless forced", async () => {
    await cli.addRun({ runId, pool, leasedAtMs: now - 30_000 });
    await expectRun("destroy --confirm StudioRunner", 1, "1 run in flight.");
    await expectRun("destroy --confirm StudioRunner --force", 0);
  });

  it("deletes a stack that has no outputs, because an earlier destroy failed", async () => {
    Object.assign(cli.aws, { status: "DELETE_FAILED", withOutputs: false });
    await expectRun("destroy --confirm StudioRunner", 0, "StudioRunner is deleted.");
    expect(programs[0]?.args).toEqual(["destroy", "StudioRunner", "--force"]);
  });

  it("exits with 3 when there is no stack", async () => {
    cli.aws.deployed = false;
    await expectRun("destroy --confirm StudioRunner", 3);
  });
});
