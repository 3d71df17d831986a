import { describe, expect, it } from "vitest";
import { managedPolicies, rightsOf, roleOfFunctions } from "./roles.ts";
import { synthesizeUnbundled } from "./synthesized.ts";

const ownLog = (part: string): readonly string[] => [
  `logs:CreateLogStream on PoolDefault${part}RunnerLog`,
  `logs:PutLogEvents on PoolDefault${part}RunnerLog`,
];

const ownRows = 'if {"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["default"]}}';

/** All that each role may do with the default settings. */
const always = {
  PoolDefaultDispatcher: [
    ...ownLog("Dispatcher"),
    `dynamodb:GetItem on RunStoreTable ${ownRows}`,
    `dynamodb:PutItem on RunStoreTable ${ownRows}`,
    `dynamodb:Query on RunStoreTable/index/open ${ownRows}`,
    `dynamodb:UpdateItem on RunStoreTable ${ownRows}`,
    "lambda:InvokeFunction on PoolDefaultProcessorRunnerFunction",
    "secretsmanager:GetSecretValue on PoolDefaultKeysSecret",
  ],
  PoolDefaultProcessor: [
    ...ownLog("Processor"),
    `dynamodb:GetItem on RunStoreTable ${ownRows}`,
    `dynamodb:UpdateItem on RunStoreTable ${ownRows}`,
    "lambda:InvokeFunction on PoolDefaultProcessorRunnerFunction",
    "lambda:InvokeFunction on PoolDefaultRecoveryRunnerFunction",
    "secretsmanager:GetSecretValue on PoolDefaultKeysSecret",
  ],
  PoolDefaultRecovery: [
    ...ownLog("Recovery"),
    `dynamodb:GetItem on RunStoreTable ${ownRows}`,
    `dynamodb:UpdateItem on RunStoreTable ${ownRows}`,
    "lambda:InvokeFunction on PoolDefaultProcessorRunnerFunction",
    "secretsmanager:GetSecretValue on PoolDefaultKeysSecret",
    "sqs:SendMessage on PoolDefaultRecoveryDeadLetters",
  ],
  PoolDefaultDispatcherSchedule: ["lambda:InvokeFunction on PoolDefaultDispatcherRunnerFunction"],
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

const join = (...parts: readonly string[]): string =>
  JSON.stringify({ "Fn::Join": ["", ["arn:", { Ref: "AWS::Partition" }, ...parts]] }).replace(
    '"ACCOUNT"',
    '{"Ref":"AWS::AccountId"}',
  );
const profile = join(":bedrock:us-west-2:", "ACCOUNT", ":inference-profile/us.openai.gpt-6-luna");
const onProfile =
  "on arn:AWS::Partition:bedrock:us-west-2:AWS::AccountId:inference-profile/us.openai.gpt-6-luna";
const onModel = `on arn:AWS::Partition:bedrock:*::foundation-model/openai.gpt-6-luna if {"StringEquals":{"bedrock:InferenceProfileArn":${profile}}}`;
const onProject = "on arn:AWS::Partition:bedrock:*:AWS::AccountId:project/default";
const runtime = {
  PoolDefaultProcessor: [
    `bedrock:CancelInvoke ${onProject}`,
    `bedrock:GetInvoke ${onProject}`,
    `bedrock:InvokeModel ${onModel}`,
    `bedrock:InvokeModel ${onProfile}`,
    `bedrock:InvokeModel ${onProject} if {"StringEquals":{"bedrock:ModelArn":[${profile}]}}`,
    `bedrock:InvokeModelWithResponseStream ${onModel}`,
    `bedrock:InvokeModelWithResponseStream ${onProfile}`,
  ],
};

const rotation = {
  PoolDefaultRotator: [
    ...ownLog("Rotator"),
    `dynamodb:GetItem on RunStoreTable ${ownRows}`,
    `dynamodb:Query on RunStoreTable/index/open ${ownRows}`,
    `dynamodb:UpdateItem on RunStoreTable ${ownRows}`,
    "secretsmanager:DescribeSecret on PoolDefaultKeysSecret",
    "secretsmanager:GetSecretValue on PoolDefaultKeysSecret",
    "secretsmanager:GetSecretValue on PoolDefaultRotatorAccountSecret",
    "secretsmanager:PutSecretValue on PoolDefaultKeysSecret",
    "secretsmanager:PutSecretValue on PoolDefaultRotatorAccountSecret",
    "secretsmanager:UpdateSecretVersionStage on PoolDefaultKeysSecret",
  ],
  PoolDefaultRotatorSchedule: ["lambda:InvokeFunction on PoolDefaultRotatorRunnerFunction"],
};

const traces = ["xray:PutTelemetryRecords on *", "xray:PutTraceSegments on *"];
const tracing = {
  PoolDefaultDispatcher: traces,
  PoolDefaultProcessor: traces,
  PoolDefaultRecovery: traces,
};
const rotatorTracing = { PoolDefaultRotator: traces };

type Rights = Readonly<Record<string, readonly string[]>>;

const sum = (parts: readonly Rights[]): Rights =>
  Object.fromEntries(
    [...new Set(parts.flatMap((part) => Object.keys(part)))]
      .toSorted()
      .map((role) => [role, parts.flatMap((part) => part[role] ?? []).toSorted()]),
  );

const withRotation = { name: "default", kind: "user", rotation: { everyDays: 30 } };
const workloadIdentity = { identityProviderId: "idp_1", serviceAccountId: "svc_1" };

const variants: readonly {
  readonly name: string;
  readonly settings: object;
  readonly rights: readonly Rights[];
}[] = [
  { name: "the defaults, monitoring full", settings: {}, rights: [always, modelKey] },
  {
    name: "monitoring lean, with e-mail",
    settings: { monitoring: { level: "lean", email: "night@example.com" } },
    rights: [always, modelKey],
  },
  { name: "monitoring off", settings: { monitoring: { level: "off" } }, rights: [always, modelKey] },
  {
    name: "rotation",
    settings: { pools: [withRotation] },
    rights: [always, modelKey, rotation],
  },
  { name: "workload identity", settings: { inference: { workloadIdentity } }, rights: [always, identity] },
  {
    name: "Bedrock's mantle endpoint",
    settings: {
      inference: { provider: "bedrock", model: "openai.gpt-6-sol", summaryModel: "openai.gpt-6-luna" },
    },
    rights: [always, mantle],
  },
  {
    name: "Bedrock's runtime endpoint",
    settings: {
      inference: {
        provider: "bedrock",
        endpoint: "runtime",
        region: "us-west-2",
        model: "us.openai.gpt-6-luna",
      },
    },
    rights: [always, runtime],
  },
  {
    name: "tracing",
    settings: { monitoring: { tracing: "xray" } },
    rights: [always, modelKey, tracing],
  },
  {
    name: "all of it",
    settings: {
      monitoring: { tracing: "xray", previewCharacters: 200, email: "night@example.com" },
      inference: { workloadIdentity },
      pools: [{ ...withRotation, dailyCapUsd: 5 }],
    },
    rights: [always, identity, rotation, tracing, rotatorTracing],
  },
];

const takers = (role: string): string =>
  JSON.stringify({ Service: role.endsWith("Schedule") ? "scheduler.amazonaws.com" : "lambda.amazonaws.com" });

describe.each(variants)("with $name", ({ settings, rights }) => {
  const stack = synthesizeUnbundled(settings);
  const found = rightsOf(stack);

  it("each role may do what is written here, to what is written here, and no other role is there", () => {
    const lines = Object.entries(found).map(([role, { may }]) => [role, may] as const);
    expect(Object.fromEntries(lines)).toEqual(sum(rights));
  });

  it("each role is taken by its service alone, each function has its own, and nothing is managed by AWS", () => {
    expect(Object.entries(found).filter(([role, { taker }]) => taker !== takers(role))).toEqual([]);
    const functions = Object.keys(found).filter((role) => !role.endsWith("Schedule"));
    expect(roleOfFunctions(stack)).toEqual(
      Object.fromEntries(functions.map((role) => [`${role}RunnerFunction`, `${role}RunnerRole`])),
    );
    expect(managedPolicies(stack)).toEqual([]);
    expect(stack.types.filter((type) => type.startsWith("AWS::IAM::"))).toEqual([
      "AWS::IAM::Policy",
      "AWS::IAM::Role",
    ]);
  });
});

it("a second pool's roles name nothing of the first, but the run store and the model's key", () => {
  const pools = [withRotation, { ...withRotation, name: "other" }];
  const roles = Object.entries(rightsOf(synthesizeUnbundled({ pools })));
  expect(roles).toHaveLength(12);
  for (const [role, { may }] of roles) {
    const foreign = role.startsWith("PoolOther") ? "PoolDefault" : "PoolOther";
    expect(may.filter((line) => line.includes(foreign))).toEqual([]);
  }
});

it("each role reaches the rows of its own pool in the run store, and no other rows", () => {
  const pools = [withRotation, { ...withRotation, name: "other" }];
  const onRunStore = Object.entries(rightsOf(synthesizeUnbundled({ pools }))).flatMap(([role, { may }]) =>
    may.filter((line) => line.includes("RunStoreTable")).map((line) => [role, line] as const),
  );
  expect(onRunStore).toHaveLength(22);
  for (const [role, line] of onRunStore) {
    const pool = role.startsWith("PoolOther") ? "other" : "default";
    expect(line).toMatch(/ on RunStoreTable(\/index\/open)? if /);
    expect(line.split(" if ")[1]).toBe(`{"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["${pool}"]}}`);
  }
});
