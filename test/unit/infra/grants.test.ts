import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Stack } from "aws-cdk-lib";
import { AccountRootPrincipal, Role } from "aws-cdk-lib/aws-iam";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import type { StudioRunnerProps } from "../../../infra/props.ts";
import { StudioRunner } from "../../../infra/studio-runner.ts";
import { readTemplate, testApp } from "./synthesized.ts";

const root = resolve(import.meta.dirname, "../../..");
const read = (file: string): string => readFileSync(resolve(root, file), "utf8");

const oneOrMore = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());
const policySchema = z.object({
  PolicyDocument: z.object({ Statement: z.array(z.object({ Action: oneOrMore, Resource: oneOrMore })) }),
});

/** What a role may do, and what it may do with any resource. */
function allowed(grant: "grantRead" | "grantOperate", props: StudioRunnerProps = {}) {
  const app = testApp();
  const stack = new Stack(app, "Mine");
  const runner = new StudioRunner(stack, "Runner", props);
  runner[grant](new Role(stack, "Operator", { assumedBy: new AccountRootPrincipal() }));
  const { Properties } = readTemplate(app, "Mine").resource("AWS::IAM::Policy", "OperatorDefaultPolicy");
  const { Statement } = policySchema.parse(Properties).PolicyDocument;
  const actionsOf = (rows: typeof Statement) => [...new Set(rows.flatMap(({ Action }) => Action))].toSorted();
  return {
    actions: actionsOf(Statement),
    anywhere: actionsOf(Statement.filter(({ Resource }) => Resource.includes("*"))),
    resourcesOf: (action: string) =>
      Statement.filter(({ Action }) => Action.includes(action)).flatMap(({ Resource }) => Resource),
  };
}

/** Actions whose names are not those of the SDK's commands. */
const named: Readonly<Record<string, string>> = {
  "lambda:Invoke": "lambda:InvokeFunction",
  "dynamodb:Get": "dynamodb:GetItem",
  "dynamodb:Put": "dynamodb:PutItem",
  "dynamodb:Update": "dynamodb:UpdateItem",
};
const services: Readonly<Record<string, string>> = {
  "cloudwatch-logs": "logs",
  "secrets-manager": "secretsmanager",
};

/** The IAM actions of the SDK's commands that the files send. */
const callsOf = (files: readonly string[]): readonly string[] =>
  files.flatMap((file) => {
    const text = read(file);
    const [, client = ""] = /"@aws-sdk\/client-([\w-]+)"/.exec(text) ?? [];
    return [...text.matchAll(/new (\w+)Command\(/g)].map(([, command = ""]) => {
      const action = `${services[client] ?? client}:${command}`;
      return named[action] ?? action;
    });
  });

describe("grants", () => {
  const network = { subnetIds: ["subnet-0a1b2c3d"], securityGroupIds: ["sg-0a1b2c3d"] };
  const keyArn = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-000000000001";

  it("grantRead allows what the commands that change nothing call, and no secret", () => {
    const { actions, anywhere } = allowed("grantRead");
    expect({ actions, anywhere }).toEqual({
      actions: [
        "cloudformation:DescribeStacks",
        "cloudwatch:DescribeAlarms",
        "dynamodb:GetItem",
        "dynamodb:Query",
        "logs:FilterLogEvents",
        "scheduler:GetSchedule",
        "sqs:GetQueueAttributes",
      ],
      anywhere: ["cloudwatch:DescribeAlarms"],
    });
  });

  it("grantOperate allows every call that the command line makes, and no other", () => {
    const adapters = ["lib/adapters/dynamodb.ts", "lib/adapters/secrets-manager.ts"];
    const files = readdirSync(resolve(root, "cli/aws")).map((name) => `cli/aws/${name}`);
    // Only the dispatcher adds rows. AWS lets everyone ask who they are.
    const without = ["dynamodb:PutItem", "sts:GetCallerIdentity"];
    const calls = new Set(callsOf([...files, ...adapters]).filter((call) => !without.includes(call)));
    expect(calls.size).toBeGreaterThan(20);
    expect(allowed("grantOperate", { network }).actions).toEqual([...calls].toSorted());
  });

  it.each(["mantle", "runtime"] as const)(
    "grantOperate allows doctor's request to a model at Bedrock's %s",
    (endpoint) => {
      const model = endpoint === "mantle" ? "openai.gpt-6-luna" : "us.openai.gpt-6-luna";
      const inference = { provider: "bedrock", endpoint, region: "us-east-1", model } as const;
      const { actions } = allowed("grantOperate", { inference });
      const expected = { mantle: ["bedrock-mantle:CreateInference"], runtime: ["bedrock:InvokeModel"] };
      expect(actions.filter((action) => action.startsWith("bedrock"))).toEqual(expected[endpoint]);
    },
  );

  it("grantOperate includes the KMS keys", () => {
    expect(allowed("grantOperate", { encryption: { keyArn } }).actions).toEqual(
      expect.arrayContaining(["kms:Decrypt", "kms:GenerateDataKey"]),
    );
  });

  it("grantOperate allows reading the stack and that of cdk bootstrap, and no other", () => {
    const stacks = allowed("grantOperate").resourcesOf("cloudformation:DescribeStacks");
    expect(stacks.map((arn) => /stack\/(\w+)\/\*$/.exec(arn)?.[1])).toEqual(["CDKToolkit", "Mine"]);
  });

  it("docs/permissions.md names every action of grantOperate", () => {
    const text = read("docs/permissions.md");
    const { actions } = allowed("grantOperate", { network, encryption: { keyArn } });
    expect(actions.filter((action) => !text.includes(`\`${action}\``))).toEqual([]);
  });
});
