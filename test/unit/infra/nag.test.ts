import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CfnResource, Validations } from "aws-cdk-lib";
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

const stack = synthesizeUnbundled({
  pools: [
    { name: "mine", kind: "user" },
    { name: "all", kind: "global" },
  ],
});

const issuer =
  "The key is issued by Studio or by the model's provider, who offer no rotation to Secrets Manager. A new value is taken up without a deploy.";
const lastStop =
  "This queue is itself where events end that could not be settled: nothing reads it but people, so there is no second failure to catch.";

describe("cdk-nag, AwsSolutions", () => {
  it("finds nothing", () => {
    const file = join(stack.app.outdir, "validation-report.json");
    const { pluginReports } = reportSchema.parse(JSON.parse(readFileSync(file, "utf8")));
    expect(pluginReports).toContainEqual({
      pluginName: "AwsSolutions",
      conclusion: "success",
      violations: [],
    });
  });

  it("is acknowledged in these places only, each with its reason", () => {
    const acknowledged = stack.app.node
      .findAll()
      .flatMap(({ node }) =>
        node.metadata
          .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
          .map(({ data }): unknown => [node.path, data]),
      );
    expect(acknowledged).toEqual([
      ["StudioRunner/Runner/ModelKey/Secret", { "AwsSolutions::AwsSolutions-SMG4": issuer }],
      ["StudioRunner/Runner/PoolMine/Keys/Secret", { "AwsSolutions::AwsSolutions-SMG4": issuer }],
      ["StudioRunner/Runner/PoolMine/Settler/DeadLetters", { "AwsSolutions::AwsSolutions-SQS3": lastStop }],
      ["StudioRunner/Runner/PoolAll/Keys/Secret", { "AwsSolutions::AwsSolutions-SMG4": issuer }],
      ["StudioRunner/Runner/PoolAll/Settler/DeadLetters", { "AwsSolutions::AwsSolutions-SQS3": lastStop }],
    ]);
  });

  it("stops the synthesis when something breaks a rule", () => {
    const app = testApp();
    const { stack: broken } = addStack(app, {});
    const queue = new Queue(broken, "Plain");
    expect(queue.node.defaultChild).toBeInstanceOf(CfnResource);
    expect(() => app.synth()).toThrow("AwsSolutions::AwsSolutions-SQS4");
  });
});

it("the app has no errors and no warnings", () => {
  const annotations = Annotations.fromStack(stack.stack);
  expect(annotations.findError("*", Match.anyValue())).toEqual([]);
  expect(annotations.findWarning("*", Match.anyValue())).toEqual([]);
});
