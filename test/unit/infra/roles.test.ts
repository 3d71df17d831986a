import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { describe, expect, it } from "vitest";
import { addStack } from "../../../infra/synthesize.ts";
import { managedPolicies, rightsOf, roleOfFunctions } from "./roles.ts";
import { synthesizeUnbundled, testApp } from "./synthesized.ts";

const ownLog = (part: string): readonly string[] => [
  `logs:CreateLogStream on PoolDefault${part}RunnerLog.Arn`,
  `logs:PutLogEvents on PoolDefault${part}RunnerLog.Arn`,
];

const ownRows = 'if {"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["default"]}}';

/** The rights of each role that hold whatever the settings. */
const always = {
  PoolDefaultDispatcher: [
    ...ownLog("Dispatcher"),
    `dynamodb:GetItem on RunStoreTable.Arn ${ownRows}`,
    `dynamodb:PutItem on RunStoreTable.Arn ${ownRows}`,
    `dynamodb:Query on RunStoreTable.Arn/index/open ${ownRows}`,
    `dynamodb:UpdateItem on RunStoreTable.Arn ${ownRows}`,
    "lambda:InvokeFunction on PoolDefaultProcessorRunnerFunction.Arn",
    "secretsmanager:GetSecretValue on PoolDefaultKeysSecret",
  ],
  PoolDefaultProcessor: [
    ...ownLog("Processor"),
    `dynamodb:GetItem on RunStoreTable.Arn ${ownRows}`,
    `dynamodb:UpdateItem on RunStoreTable.Arn ${ownRows}`,
    "lambda:InvokeFunction on PoolDefaultProcessorRunnerFunction.Arn",
    "lambda:InvokeFunction on PoolDefaultRecoveryRunnerFunction.Arn",
    "secretsmanager:GetSecretValue on PoolDefaultKeysSecret",
  ],
  PoolDefaultRecovery: [
    ...ownLog("Recovery"),
    `dynamodb:GetItem on RunStoreTable.Arn ${ownRows}`,
    `dynamodb:UpdateItem on RunStoreTable.Arn ${ownRows}`,
    "lambda:InvokeFunction on PoolDefaultProcessorRunnerFunction.Arn",
    "secretsmanager:GetSecretValue on PoolDefaultKeysSecret",
    "sqs:SendMessage on PoolDefaultRecoveryDeadLetters.Arn",
  ],
  PoolDefaultDispatcherSchedule: ["lambda:InvokeFunction on PoolDefaultDispatcherRunnerFunction.Arn"],
} as const;

const modelKey = { PoolDefaultProcessor: ["secretsmanager:GetSecretValue on ModelKeySecret"] };

const identity = {
  PoolDefaultProcessor: [
    'sts:GetWebIdentityToken on * if {"ForAllValues:StringEquals":{"sts:IdentityTokenAudience":"https://api.openai.com/v1"},"NumericLessThanEquals":{"sts:DurationSeconds":"300"}}',
  ],
};

const mantleProject = "on arn:AWS::Partition:bedrock-mantle:AWS::Region:AWS::AccountId:project/default";
const mantle = {
  PoolDefaultProcessor: [
    `bedrock-mantle:CancelInference ${mantleProject}`,
    `bedrock-mantle:CreateInference ${mantleProject} if {"StringEquals":{"bedrock-mantle:Model":["openai.gpt-6-sol","openai.gpt-6-luna"]}}`,
    `bedrock-mantle:GetInference ${mantleProject}`,
  ],
};

const profile = "arn:AWS::Partition:bedrock:us-west-2:AWS::AccountId:inference-profile/us.openai.gpt-6-luna";
const onProfile = `on ${profile}`;
const onModel = `on arn:AWS::Partition:bedrock:*::foundation-model/openai.gpt-6-luna if {"StringEquals":{"bedrock:InferenceProfileArn":"${profile}"}}`;
const onProject = "on arn:AWS::Partition:bedrock:*:AWS::AccountId:project/default";
const runtime = {
  PoolDefaultProcessor: [
    `bedrock:CancelInvoke ${onProject}`,
    `bedrock:GetInvoke ${onProject}`,
    `bedrock:InvokeModel ${onModel}`,
    `bedrock:InvokeModel ${onProfile}`,
    `bedrock:InvokeModel ${onProject} if {"StringEquals":{"bedrock:ModelArn":["${profile}"]}}`,
    `bedrock:InvokeModelWithResponseStream ${onModel}`,
    `bedrock:InvokeModelWithResponseStream ${onProfile}`,
  ],
};

const rotation = {
  PoolDefaultRotator: [
    ...ownLog("Rotator"),
    `dynamodb:GetItem on RunStoreTable.Arn ${ownRows}`,
    `dynamodb:Query on RunStoreTable.Arn/index/open ${ownRows}`,
    `dynamodb:UpdateItem on RunStoreTable.Arn ${ownRows}`,
    "secretsmanager:DescribeSecret on PoolDefaultKeysSecret",
    "secretsmanager:GetSecretValue on PoolDefaultKeysSecret",
    "secretsmanager:GetSecretValue on PoolDefaultRotatorAccountSecret",
    "secretsmanager:PutSecretValue on PoolDefaultKeysSecret",
    "secretsmanager:PutSecretValue on PoolDefaultRotatorAccountSecret",
    "secretsmanager:UpdateSecretVersionStage on PoolDefaultKeysSecret",
  ],
  PoolDefaultRotatorSchedule: ["lambda:InvokeFunction on PoolDefaultRotatorRunnerFunction.Arn"],
};

const traces = ["xray:PutTelemetryRecords on *", "xray:PutTraceSegments on *"];
const tracing = { PoolDefaultDispatcher: traces, PoolDefaultProcessor: traces, PoolDefaultRecovery: traces };
const rotatorTracing = { PoolDefaultRotator: traces };

type Rights = Readonly<Record<string, readonly string[]>>;

const keysArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:runner/keys-AbCdEf";
const modelKeyArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:model-GhIjKl";
const runStoreTableArn = "arn:aws:dynamodb:eu-west-1:123456789012:table/kept-run-store";
const broughtAlong: Rights = Object.fromEntries(
  Object.entries(always).map(([role, lines]) => [
    role,
    lines.map((line) =>
      line.replace("RunStoreTable.Arn", runStoreTableArn).replace("PoolDefaultKeysSecret", keysArn),
    ),
  ]),
);

const sum = (parts: readonly Rights[]): Rights =>
  Object.fromEntries(
    [...new Set(parts.flatMap((part) => Object.keys(part)))]
      .toSorted()
      .map((role) => [role, parts.flatMap((part) => part[role] ?? []).toSorted()]),
  );

const withRotation = { name: "default", kind: "user", rotation: { everyDays: 30 } };
const workloadIdentity = { identityProviderId: "idp_1", serviceAccountId: "svc_1" };

const bedrock = { provider: "bedrock", model: "openai.gpt-6-sol", summaryModel: "openai.gpt-6-luna" };
const atRuntime = { endpoint: "runtime", region: "us-west-2", model: "us.openai.gpt-6-luna" };
const variants: readonly (readonly [name: string, settings: object, rights: readonly Rights[]])[] = [
  ["the defaults, monitoring full", {}, [always, modelKey]],
  ["monitoring off", { monitoring: { level: "off" } }, [always, modelKey]],
  ["rotation", { pools: [withRotation] }, [always, modelKey, rotation]],
  ["workload identity", { inference: { workloadIdentity } }, [always, identity]],
  ["Bedrock's mantle endpoint", { inference: bedrock }, [always, mantle]],
  ["Bedrock's runtime endpoint", { inference: { provider: "bedrock", ...atRuntime } }, [always, runtime]],
  ["tracing", { monitoring: { tracing: "xray" } }, [always, modelKey, tracing]],
  [
    "a table and secrets that exist already",
    {
      runStoreTableArn,
      inference: { keySecretArn: modelKeyArn },
      pools: [{ name: "default", kind: "user", keySecretArn: keysArn }],
    },
    [broughtAlong, { PoolDefaultProcessor: [`secretsmanager:GetSecretValue on ${modelKeyArn}`] }],
  ],
  [
    "all of it",
    {
      monitoring: { tracing: "xray", previewCharacters: 200, email: "night@example.com" },
      inference: { workloadIdentity },
      pools: [{ ...withRotation, dailyCapUsd: 5 }],
    },
    [always, identity, rotation, tracing, rotatorTracing],
  ],
];

const schedules =
  '{"Service":"scheduler.amazonaws.com"} if {"StringEquals":{"aws:SourceAccount":"AWS::AccountId","aws:SourceArn":"arn:AWS::Partition:scheduler:AWS::Region:AWS::AccountId:schedule-group/default"}}';
const takers = (role: string): string =>
  role.endsWith("Schedule") ? schedules : '{"Service":"lambda.amazonaws.com"}';

describe.each(variants)("the stack with %s", (_, settings, rights) => {
  const stack = synthesizeUnbundled(settings);
  const found = rightsOf(stack);

  it("has exactly the roles and permissions listed in this test", () => {
    const lines = Object.entries(found).map(([role, { may }]) => [role, may] as const);
    expect(Object.fromEntries(lines)).toEqual(sum(rights));
  });

  it("lets only its service assume each role, gives each function its own role, and attaches no managed policy", () => {
    expect(Object.entries(found).filter(([role, { taker }]) => taker !== takers(role))).toEqual([]);
    const functions = Object.keys(found).filter((role) => !role.endsWith("Schedule"));
    expect(roleOfFunctions(stack)).toEqual(
      Object.fromEntries(functions.map((role) => [`${role}RunnerFunction`, `${role}RunnerRole.Arn`])),
    );
    expect(managedPolicies(stack)).toEqual([]);
    const types = stack.types.filter((type) => type.startsWith("AWS::IAM::"));
    expect(types).toEqual(["AWS::IAM::Policy", "AWS::IAM::Role"]);
  });
});

describe("a stack with two pools", () => {
  const pools = [withRotation, { ...withRotation, name: "other" }];
  const roles = Object.entries(rightsOf(synthesizeUnbundled({ pools })));

  it("grants no role of one pool access to a resource of the other pool", () => {
    expect(roles).toHaveLength(12);
    for (const [role, { may }] of roles) {
      const foreign = role.startsWith("PoolOther") ? "PoolDefault" : "PoolOther";
      expect(may.filter((line) => line.includes(foreign))).toEqual([]);
    }
  });

  it("grants each role access only to its own pool's rows in the run store", () => {
    const onRunStore = roles.flatMap(([role, { may }]) =>
      may.filter((line) => line.includes("RunStoreTable")).map((line) => [role, line] as const),
    );
    expect(onRunStore).toHaveLength(22);
    for (const [role, line] of onRunStore) {
      const pool = role.startsWith("PoolOther") ? "other" : "default";
      expect(line).toMatch(/ on RunStoreTable\.Arn(\/index\/open)? if /);
      expect(line.split(" if ")[1]).toBe(
        `{"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["${pool}"]}}`,
      );
    }
  });
});

it("the synthesis fails with a circular dependency if the processor's role itself grants the right to call it", () => {
  const app = testApp({ hasValidation: true });
  const [pool] = addStack(app, {}).runner.pools;
  const { role, function: fn } = pool!.processor.runner;
  role.addToPolicy(new PolicyStatement({ actions: ["lambda:InvokeFunction"], resources: [fn.functionArn] }));
  expect(() => app.synth()).toThrow("Circular Dependencies");
});

it("the processor's failure destination is created after the policy that lets its role call recovery", () => {
  const stack = synthesizeUnbundled({});
  const events = stack.resource("AWS::Lambda::EventInvokeConfig", "Processor");
  expect(events.DependsOn).toEqual([stack.resource("AWS::IAM::Policy", "ProcessorOnward").logicalId]);
});

it("each function has active tracing with the setting xray, and is created after the policy that lets it send traces", () => {
  const traced = synthesizeUnbundled({ monitoring: { tracing: "xray" }, pools: [withRotation] });
  for (const part of ["Dispatcher", "Processor", "Recovery", "Rotator"]) {
    const fn = traced.resource("AWS::Lambda::Function", part);
    expect(fn.Properties["TracingConfig"]).toEqual({ Mode: "Active" });
    expect(fn.DependsOn).toContain(traced.resource("AWS::IAM::Policy", `${part}RunnerTracing`).logicalId);
  }
});
