import { Stack } from "aws-cdk-lib";
import { describe, expect, it } from "vitest";
import type { StudioRunnerProps } from "../../../infra/props.ts";
import { StudioRunner } from "../../../infra/studio-runner.ts";
import { pool, problems } from "./settings-cases.ts";
import { readTemplate, testApp } from "./synthesized.ts";

const uuid = "1234abcd-12ab-34cd-56ef-000000000001";

/** Every part that a stack can have, with what belongs to the partition and region. */
const everything = (partition: string, region: string): StudioRunnerProps => ({
  runStoreTableArn: `arn:${partition}:dynamodb:${region}:123456789012:table/runs`,
  encryption: { keyArn: `arn:${partition}:kms:${region}:123456789012:key/${uuid}` },
  iam: { permissionsBoundaryArn: `arn:${partition}:iam::123456789012:policy/workloads` },
  network: { subnetIds: ["subnet-0a1b2c3d"], securityGroupIds: ["sg-0a1b2c3d"] },
  monitoring: { tracing: "xray", email: "night@example.com" },
  pools: [{ name: "default", kind: "user", rotation: { everyDays: 30 }, dailyCapUsd: 5 }],
});

function templateIn(region: string, props: StudioRunnerProps): string {
  const app = testApp({ hasValidation: true });
  const stack = new Stack(app, "There", { env: { account: "123456789012", region } });
  void new StudioRunner(stack, "Runner", props);
  return readTemplate(app, "There").text;
}

describe("a stack in another partition", () => {
  it.each([
    ["aws-us-gov", "us-gov-west-1"],
    ["aws-cn", "cn-north-1"],
  ])("%s names nothing of the partition aws", (partition, region) => {
    const text = templateIn(region, everything(partition, region));
    expect(text).not.toContain("arn:aws:");
    expect(text).toContain(`arn:${partition}:`);
  });

  it("refuses the table of another region", () => {
    expect(() => templateIn("us-gov-west-1", everything("aws-us-gov", "us-gov-east-1"))).toThrow(
      "runStoreTableArn: is in us-gov-east-1, but the stack is in us-gov-west-1. A stack can use only what is in its own region.",
    );
  });
});

const secretIn = (region: string): string =>
  `arn:aws:secretsmanager:${region}:123456789012:secret:keys-AbCdEf`;
const chineseTable = "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/runs";

it.each<readonly [settings: Readonly<Record<string, unknown>>, problem: string]>([
  [
    {
      ...pool({ keySecretArn: secretIn("eu-west-1") }),
      inference: { keySecretArn: secretIn("us-east-1") },
    },
    "pools[0].keySecretArn: is in eu-west-1, but inference.keySecretArn is in us-east-1. A stack can use only what is in its own region.",
  ],
  [
    {
      inference: { keySecretArn: secretIn("eu-west-1") },
      iam: { permissionsBoundaryArn: "arn:aws-us-gov:iam::123456789012:policy/workloads" },
    },
    "iam.permissionsBoundaryArn: is of the partition aws-us-gov, but inference.keySecretArn is in eu-west-1, in aws. A stack can use only what is in its own partition.",
  ],
  [
    { encryption: { tableKeyArn: `arn:aws-cn:kms:eu-west-1:123456789012:key/${uuid}` } },
    "encryption.tableKeyArn: names partition aws-cn with region eu-west-1, which is in aws. Correct the ARN.",
  ],
  [
    { runStoreTableArn: chineseTable, endpoints: { fips: true } },
    "endpoints.fips: is true, but runStoreTableArn is in cn-north-1, and AWS has no FIPS endpoints in China. Give false.",
  ],
  [
    { runStoreTableArn: chineseTable, inference: { provider: "bedrock", model: "openai.gpt-6-luna" } },
    'inference.provider: is "bedrock", but runStoreTableArn is in cn-north-1, and AWS has no Bedrock in China. Give "openai", with the inference.baseUrl of a server there.',
  ],
  [
    {
      runStoreTableArn: "arn:aws-us-gov:dynamodb:us-gov-west-1:123456789012:table/runs",
      inference: { provider: "bedrock", model: "openai.gpt-6-luna", region: "us-east-1" },
    },
    "inference.region: is us-east-1, but runStoreTableArn is in us-gov-west-1, in another partition: the processor's role is not valid there. Give a region of aws-us-gov.",
  ],
])("the settings refuse what is not in one place: %j", (settings, problem) => {
  expect(problems(settings)).toEqual([problem]);
});
