import { describe, expect, it } from "vitest";
import { rightsOf } from "./roles.ts";
import { problems } from "./settings-cases.ts";
import { synthesizeUnbundled } from "./synthesized.ts";

const names = ["all", "table", "secrets", "logs", "topic", "queue", "model", "keys", "account", "a"] as const;
const key = (name: (typeof names)[number]): string =>
  `arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-00000000000${names.indexOf(name)}`;
const secret = (name: string): string =>
  `arn:aws:secretsmanager:eu-west-1:123456789012:secret:${name}-AbCdEf`;
const through = (service: string): string =>
  `if {"StringLike":{"kms:ViaService":"${service}.AWS::Region.amazonaws.com*"}}`;

/** The rights of each role on KMS keys. */
const keyRights = (settings: unknown): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    Object.entries(rightsOf(synthesizeUnbundled(settings))).map(([role, { may }]) => [
      role,
      may.filter((line) => line.startsWith("kms:")),
    ]),
  );

const tableRights = [
  "Decrypt",
  "DescribeKey",
  "Encrypt",
  "GenerateDataKey",
  "GenerateDataKeyWithoutPlaintext",
  "ReEncryptFrom",
  "ReEncryptTo",
].map((action) => `kms:${action} on ${key("table")} ${through("dynamodb")}`);

const rotated = [{ name: "default", kind: "user", rotation: {} }];

describe("a stack with a KMS key for each kind of resource", () => {
  const encryption = {
    tableKeyArn: key("table"),
    secretsKeyArn: key("secrets"),
    logsKeyArn: key("logs"),
    topicKeyArn: key("topic"),
    queueKeyArn: key("queue"),
  };
  const settings = { encryption, pools: rotated };
  const stack = synthesizeUnbundled(settings, { hasValidation: true });

  it("encrypts table, secrets, logs, topic and queue with them", () => {
    expect(stack.resource("AWS::DynamoDB::Table").Properties["SSESpecification"]).toEqual({
      SSEEnabled: true,
      SSEType: "KMS",
      KMSMasterKeyId: key("table"),
    });
    const valuesOf = (type: string, name: string): readonly unknown[] =>
      stack.resources(type).map(({ Properties }) => Properties[name]);
    expect(valuesOf("AWS::SecretsManager::Secret", "KmsKeyId")).toEqual(Array(3).fill(key("secrets")));
    expect(valuesOf("AWS::Logs::LogGroup", "KmsKeyId")).toEqual(Array(4).fill(key("logs")));
    expect(valuesOf("AWS::SNS::Topic", "KmsMasterKeyId")).toEqual([key("topic")]);
    expect(stack.resource("AWS::SQS::Queue").Properties).toEqual({
      KmsMasterKeyId: key("queue"),
      MessageRetentionPeriod: 1_209_600,
    });
  });

  it("lets each function use the keys of what it uses, through the key's service only", () => {
    const read = `kms:Decrypt on ${key("secrets")} ${through("secretsmanager")}`;
    const write = `kms:GenerateDataKey on ${key("secrets")} ${through("secretsmanager")}`;
    expect(keyRights(settings)).toEqual({
      PoolDefaultDispatcher: [...tableRights, read].toSorted(),
      PoolDefaultDispatcherSchedule: [],
      PoolDefaultProcessor: [...tableRights, read].toSorted(),
      PoolDefaultRecovery: [
        ...tableRights,
        read,
        `kms:Decrypt on ${key("queue")} ${through("sqs")}`,
        `kms:GenerateDataKey on ${key("queue")} ${through("sqs")}`,
      ].toSorted(),
      PoolDefaultRotator: [...tableRights, read, write].toSorted(),
      PoolDefaultRotatorSchedule: [],
    });
  });
});

it("one key encrypts everything that has no key of its own", () => {
  const stack = synthesizeUnbundled({ encryption: { keyArn: key("all"), queueKeyArn: key("queue") } });
  expect(stack.resource("AWS::DynamoDB::Table").Properties["SSESpecification"]).toMatchObject({
    KMSMasterKeyId: key("all"),
  });
  expect(stack.resource("AWS::SNS::Topic").Properties["KmsMasterKeyId"]).toBe(key("all"));
  expect(stack.resource("AWS::SQS::Queue").Properties["KmsMasterKeyId"]).toBe(key("queue"));
});

it("functions may decrypt the secrets that were brought with KMS keys of their own", () => {
  const rights = keyRights({
    inference: { keySecretArn: secret("model"), keySecretKmsKeyArn: key("model") },
    pools: [
      {
        name: "default",
        kind: "user",
        keySecretArn: secret("keys"),
        keySecretKmsKeyArn: key("keys"),
        rotation: { accountKeySecretArn: secret("account"), accountKeySecretKmsKeyArn: key("account") },
      },
    ],
  });
  const decrypt = (id: (typeof names)[number]): string =>
    `kms:Decrypt on ${key(id)} ${through("secretsmanager")}`;
  const write = (id: (typeof names)[number]): string =>
    `kms:GenerateDataKey on ${key(id)} ${through("secretsmanager")}`;
  expect(rights).toMatchObject({
    PoolDefaultDispatcher: [decrypt("keys")],
    PoolDefaultProcessor: [decrypt("model"), decrypt("keys")],
    PoolDefaultRecovery: [decrypt("keys")],
    PoolDefaultRotator: [decrypt("keys"), decrypt("account"), write("keys"), write("account")],
  });
});

it("no role may use a KMS key without settings for encryption", () => {
  expect(Object.values(keyRights({ pools: rotated })).flat()).toEqual([]);
});

describe("the settings refuse", () => {
  it("an alias in place of a key's ARN", () => {
    expect(problems({ encryption: { keyArn: "alias/company" } })).toEqual([
      'encryption.keyArn: given "alias/company". Give the key\'s complete ARN, not an alias: arn:aws:kms:<region>:<account>:key/<id>.',
    ]);
  });

  it.each([
    [{ inference: { keySecretKmsKeyArn: key("a") } }, "inference.keySecretKmsKeyArn", "keySecretArn"],
    [
      { pools: [{ name: "default", kind: "user", keySecretKmsKeyArn: key("a") }] },
      "pools[0].keySecretKmsKeyArn",
      "keySecretArn",
    ],
    [
      { pools: [{ name: "default", kind: "user", rotation: { accountKeySecretKmsKeyArn: key("a") } }] },
      "pools[0].rotation.accountKeySecretKmsKeyArn",
      "accountKeySecretArn",
    ],
  ])("the KMS key of a secret that is not named: %j", (settings, path, name) => {
    expect(problems(settings)).toEqual([
      `${path}: is the KMS key of a secret that you bring, but ${name} is missing. Name the secret, or give the key of the stack's own secrets: encryption.secretsKeyArn.`,
    ]);
  });

  it("the KMS key of a model key with Bedrock, which has none", () => {
    const inference = { provider: "bedrock", model: "openai.gpt-6-luna", keySecretKmsKeyArn: key("a") };
    expect(problems({ inference })).toEqual([
      "inference.keySecretKmsKeyArn: is the KMS key of a model key's secret, but Bedrock needs none: requests are signed by the processor's role. Leave it out, or set inference.provider to \"openai\".",
    ]);
  });

  it("a key for the topic where there is none", () => {
    const settings = { encryption: { topicKeyArn: key("a") }, monitoring: { level: "off" } };
    expect(problems(settings)).toEqual([
      'encryption.topicKeyArn: is the KMS key of the alarms\' topic, but monitoring.level is "off", which has none. Leave it out, or choose another level.',
    ]);
  });
});
