import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Validations, type App } from "aws-cdk-lib";
import { Annotations, Match } from "aws-cdk-lib/assertions";
import { Queue } from "aws-cdk-lib/aws-sqs";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { addStack } from "../../../infra/synthesize.ts";
import { synthesizeUnbundled, testApp } from "./synthesized.ts";

const reportSchema = z.object({
  pluginReports: z.array(
    z.object({ pluginName: z.string(), conclusion: z.string(), violations: z.array(z.unknown()) }),
  ),
});

const policySchema = z.object({ Statement: z.array(z.object({ Resource: z.unknown() })) });

/** Every synthesis in this file also fails where CloudFormation's own rules are broken. */
const checks = { hasValidation: true };

const pools = [
  { name: "mine", kind: "user" },
  { name: "all", kind: "global" },
];
const stack = synthesizeUnbundled({ pools }, checks);

const acknowledgedIn = (app: App): readonly (readonly [path: string, data: unknown])[] =>
  app.node
    .findAll()
    .flatMap(({ node }) =>
      node.metadata
        .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
        .map(({ data }) => [node.path, data] as const),
    );

const issuer =
  "The key is issued by Studio or by the model's provider, which offer no rotation through Secrets Manager. A new value takes effect without a deploy.";
const lastStop =
  "This is itself the dead-letter queue for events that could not be recovered. Only people read it, so there is no second failure to catch.";

describe("cdk-nag with AwsSolutions", () => {
  it("has only these acknowledged findings, each with its reason", () => {
    expect(acknowledgedIn(stack.app)).toEqual([
      ["StudioRunner/Runner/ModelKey/Secret", { "AwsSolutions::AwsSolutions-SMG4": issuer }],
      ["StudioRunner/Runner/PoolMine/Keys/Secret", { "AwsSolutions::AwsSolutions-SMG4": issuer }],
      ["StudioRunner/Runner/PoolMine/Recovery/DeadLetters", { "AwsSolutions::AwsSolutions-SQS3": lastStop }],
      ["StudioRunner/Runner/PoolAll/Keys/Secret", { "AwsSolutions::AwsSolutions-SMG4": issuer }],
      ["StudioRunner/Runner/PoolAll/Recovery/DeadLetters", { "AwsSolutions::AwsSolutions-SQS3": lastStop }],
    ]);
  });

  const rotated = { name: "mine", kind: "user", rotation: { everyDays: 30 }, dailyCapUsd: 1 };
  const workloadIdentity = { identityProviderId: "idp_1", serviceAccountId: "svc_1" };
  const everything = { monitoring: { tracing: "xray" }, inference: { workloadIdentity }, pools: [rotated] };
  const mantle = { provider: "bedrock", model: "openai.gpt-6-luna" };
  const runtime = { provider: "bedrock", endpoint: "runtime", model: "global.openai.gpt-6-luna" };

  it.each([
    ["lean monitoring", { monitoring: { level: "lean", email: "night@example.com" } }],
    ["Bedrock's mantle endpoint", { inference: mantle, monitoring: { level: "off" } }],
    ["Bedrock's runtime endpoint", { inference: runtime, pools }],
    ["tracing, rotation, a cap and workload identity", everything],
  ])("reports no violation with %s", (_, settings) => {
    const { app } = synthesizeUnbundled(settings, checks);
    const file = join(app.outdir, "validation-report.json");
    const { pluginReports } = reportSchema.parse(JSON.parse(readFileSync(file, "utf8")));
    expect(pluginReports).toMatchObject([
      { pluginName: "AwsSolutions", conclusion: "success", violations: [] },
    ]);
  });

  it("has wildcards acknowledged only in policies of a single statement", () => {
    const all = synthesizeUnbundled(everything);
    const wildcards = acknowledgedIn(all.app).filter(([, data]) => JSON.stringify(data).includes("IAM5"));
    expect(wildcards.map(([path]) => path).toSorted()).toEqual([
      "StudioRunner/Runner/PoolMine/Dispatcher/Runner/Tracing",
      "StudioRunner/Runner/PoolMine/Processor/Identity",
      "StudioRunner/Runner/PoolMine/Processor/Runner/Tracing",
      "StudioRunner/Runner/PoolMine/Recovery/Runner/Tracing",
      "StudioRunner/Runner/PoolMine/Rotator/Runner/Tracing",
    ]);
    const wide = all.resources("AWS::IAM::Policy").filter(({ Properties }) => {
      const { Statement } = policySchema.parse(Properties["PolicyDocument"]);
      return Statement.length > 1 && Statement.some(({ Resource }) => Resource === "*");
    });
    expect(wide).toEqual([]);
  });

  it("fails the synthesis when a resource breaks a rule", () => {
    const app = testApp();
    const queue = new Queue(addStack(app, {}).stack, "Plain");
    expect(queue.node.path).toBe("StudioRunner/Plain");
    expect(() => app.synth()).toThrow("AwsSolutions::AwsSolutions-SQS4");
  });
});

it("the app has no errors and no warnings", () => {
  const annotations = Annotations.fromStack(stack.stack);
  expect(annotations.findError("*", Match.anyValue())).toEqual([]);
  expect(annotations.findWarning("*", Match.anyValue())).toEqual([]);
});
