import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { addOwnStack } from "../../../examples/own-app.ts";
import {
  encryptionSchema,
  iamSchema,
  networkSchema,
  thresholdsSchema,
} from "../../../infra/company-schema.ts";
import { readTemplate, synthesizeUnbundled, testApp } from "./synthesized.ts";

const folder = join(import.meta.dirname, "../../../examples");
const files = readdirSync(folder).toSorted();
const read = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), "utf8"));
const page = (name: string): string => readFileSync(join(folder, "../docs", name), "utf8");

/** CloudFormation's own rules and cdk-nag; a finding without a reason fails the synthesis. */
const checks = { hasValidation: true };

/** What each example with settings is about, as types of resources with their number. */
const contents: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "bedrock.json": { "AWS::SecretsManager::Secret": 1, "AWS::Lambda::Function": 3 },
  "company.json": { "AWS::SNS::Topic": 0, "AWS::Lambda::Function": 4, "AWS::SecretsManager::Secret": 0 },
  "lean.json": { "AWS::CloudWatch::Alarm": 0, "AWS::CloudWatch::Dashboard": 0, "AWS::SNS::Topic": 0 },
  "minimal.json": { "AWS::Lambda::Function": 3, "AWS::CloudWatch::Dashboard": 1 },
  "two-pools.json": { "AWS::Lambda::Function": 6, "AWS::SNS::Subscription": 1 },
};

/** What the CLI reads of a stack with one pool (cli/stack.ts), and the commands that store its keys. */
const operating = [
  "AlarmTopic",
  "Dashboard",
  "ModelKeyCommand",
  "ModelKeySecret",
  "PoolDefaultAlarms",
  "PoolDefaultDeadLetters",
  "PoolDefaultDispatcher",
  "PoolDefaultDispatcherLog",
  "PoolDefaultKeysCommand",
  "PoolDefaultKeysSecret",
  "PoolDefaultProcessor",
  "PoolDefaultProcessorLog",
  "PoolDefaultRecovery",
  "PoolDefaultRecoveryLog",
  "PoolDefaultSchedule",
  "RunStoreTable",
  "Settings",
  "Version",
];

describe("the example", () => {
  it.each(Object.keys(contents))(
    "%s can be synthesized without a finding and makes what it is about",
    (file) => {
      const { resources } = synthesizeUnbundled(read(file), checks);
      const counts = Object.keys(contents[file]!).map((type) => [type, resources(type).length]);
      expect(Object.fromEntries(counts)).toEqual(contents[file]);
    },
  );

  it("own-app.ts runs its functions in the VPC, encrypts with the key, and has the outputs that the CLI reads, of its own stack", () => {
    const app = testApp(checks);
    const { stackName } = addOwnStack(app);
    const { resources, resource, outputs } = readTemplate(app, stackName);
    expect(Object.keys(outputs).toSorted()).toEqual(operating);
    const functions = resources("AWS::Lambda::Function").map(({ Properties }) => Properties["VpcConfig"]);
    const inVpc = {
      SubnetIds: ["VpcPrivateSubnet1Subnet", "VpcPrivateSubnet2Subnet"],
      SecurityGroupIds: ["Functions.GroupId"],
    };
    expect(functions).toEqual([inVpc, inVpc, inVpc]);
    expect(resource("AWS::SQS::Queue").Properties["KmsMasterKeyId"]).toBe("Key.Arn");
    expect(resource("AWS::SNS::Topic").Properties["KmsMasterKeyId"]).toBe("TopicKey.Arn");
  });

  it("company.json has every setting for a company", () => {
    const text = readFileSync(join(folder, "company.json"), "utf8");
    // The topic's key is for a topic that the stack creates, as in own-app.ts; this example brings its topic.
    const names = [encryptionSchema, networkSchema, iamSchema, thresholdsSchema]
      .flatMap(({ shape }) => Object.keys(shape))
      .filter((name) => name !== "topicKeyArn");
    const others = ["namePrefix", "topicArn", "logClass", "reservedConcurrency", "tags", "tracing"];
    const secrets = ["keySecretKmsKeyArn", "accountKeySecretKmsKeyArn"];
    for (const name of [...names, ...others, ...secrets]) expect(text).toContain(`"${name}"`);
  });
});

it("docs/deploy.md names every example", () => {
  for (const file of files) expect(page("deploy.md")).toContain(`(../examples/${file})`);
  expect(files).toEqual([...Object.keys(contents), "own-app.ts"].toSorted());
});

it("docs/permissions.md names every type of resource that an example has", () => {
  const types = Object.keys(contents).flatMap((file) => synthesizeUnbundled(read(file)).types);
  const listed = page("permissions.md");
  expect([...new Set(types)].filter((type) => !listed.includes(`\`${type}\``))).toEqual([]);
});
