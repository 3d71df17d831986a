import { randomUUID } from "node:crypto";
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
  type GetSecretValueCommandInput,
  type PutSecretValueCommandInput,
} from "@aws-sdk/client-secrets-manager";
import { describe, expect, it } from "vitest";
import { useCloud } from "./fixture.ts";

const secret = (Properties: object) => ({ Type: "AWS::SecretsManager::Secret", Properties });

useCloud(
  {
    resources: {
      Empty: secret({ Name: "empty" }),
      First: secret({ Name: "first" }),
      RunnerKey12345678: secret({ GenerateSecretString: {} }),
      ModelKey: secret({ Name: "model/key" }),
    },
  },
  {
    secrets: {
      "*ModelKey*": "sk-model",
      "arn:aws:secretsmanager:us-east-1:1:secret:own-abcdef": "brought",
    },
  },
);

const client = () => new SecretsManagerClient();
const getSecret = (input: GetSecretValueCommandInput) => client().send(new GetSecretValueCommand(input));
const putSecret = (input: PutSecretValueCommandInput) => client().send(new PutSecretValueCommand(input));
const moveStage = (
  SecretId: string,
  VersionStage: string,
  versions: { MoveToVersionId?: string; RemoveFromVersionId?: string },
) => client().send(new UpdateSecretVersionStageCommand({ SecretId, VersionStage, ...versions }));
const stagesOf = async (SecretId: string) =>
  (await client().send(new DescribeSecretCommand({ SecretId }))).VersionIdsToStages;

it("a secret is found by its name, its ARN and its ARN without the suffix", async () => {
  const arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:model/key-abcdef";
  for (const SecretId of ["model/key", arn, arn.slice(0, -7)]) {
    const found = await getSecret({ SecretId });
    expect(found).toMatchObject({ ARN: arn, SecretString: "sk-model", VersionStages: ["AWSCURRENT"] });
  }
});

it.each([
  ["a secret from outside the template", "arn:aws:secretsmanager:us-east-1:1:secret:own-abcdef", /^brought$/],
  ["a value generated as the template asks", "RunnerKey12345678-local", /^[\w-]{32}$/],
])("GetSecretValue returns %s", async (_, SecretId, value) => {
  expect((await getSecret({ SecretId })).SecretString).toMatch(value);
});

const noValue = "Secrets Manager can't find the specified secret value for staging label: ";

it.each([
  ["a secret without a value", { SecretId: "empty" }, `${noValue}AWSCURRENT`],
  ["a missing stage", { SecretId: "model/key", VersionStage: "AWSPENDING" }, `${noValue}AWSPENDING`],
  [
    "a secret that does not exist",
    { SecretId: "nothing" },
    "Secrets Manager can't find the specified secret.",
  ],
] as const)("GetSecretValue fails with Secrets Manager's message for %s", async (_, input, message) => {
  await expect(getSecret(input)).rejects.toMatchObject({ name: "ResourceNotFoundException", message });
});

describe("moving a stage is rejected", () => {
  const current = "AWSCURRENT";
  const pending = "AWSPENDING";

  it.each<[string, string, { readonly to?: string; readonly from?: string }]>([
    ["when the version that holds it is not named", current, { to: pending }],
    ["when a version that does not hold it is named", current, { to: pending, from: pending }],
    ["to the version that holds it, when another version is named", pending, { to: pending, from: current }],
    ["when it would be removed from a version that does not hold it", pending, { from: current }],
    ["when the secret would be left without a current version", current, { from: current }],
  ])("%s", async (_, stage, { to, from }) => {
    const { VersionId: present = "" } = await getSecret({ SecretId: "model/key" });
    const token = randomUUID();
    const version = { ClientRequestToken: token, SecretString: token, VersionStages: [pending] };
    await putSecret({ SecretId: "model/key", ...version });
    const ids: Readonly<Record<string, string>> = { [current]: present, [pending]: token };
    const moved = moveStage("model/key", stage, {
      ...(to === undefined ? {} : { MoveToVersionId: ids[to] ?? "" }),
      ...(from === undefined ? {} : { RemoveFromVersionId: ids[from] ?? "" }),
    });
    await expect(moved).rejects.toMatchObject({ name: "InvalidParameterException" });
  });
});

it("the first version of a secret becomes AWSCURRENT, whatever its stage", async () => {
  await putSecret({ SecretId: "first", SecretString: "a", VersionStages: ["OTHER"] });
  expect((await getSecret({ SecretId: "first" })).VersionStages?.toSorted()).toEqual(["AWSCURRENT", "OTHER"]);
});

it("repeating a version keeps its stages, and is rejected with another value", async () => {
  const version = { SecretId: "model/key", ClientRequestToken: randomUUID() };
  await putSecret({ ...version, SecretString: "a", VersionStages: ["ONE"] });
  await putSecret({ ...version, SecretString: "a", VersionStages: ["TWO"] });
  expect((await stagesOf("model/key"))?.[version.ClientRequestToken]).toEqual(["ONE"]);
  await expect(putSecret({ ...version, SecretString: "b", VersionStages: ["ONE"] })).rejects.toMatchObject({
    name: "ResourceExistsException",
  });
});

it("PutSecretValue takes a value of 65,536 bytes and refuses a longer one, counted in bytes", async () => {
  await putSecret({ SecretId: "first", SecretString: "é".repeat(32_768) });
  const tooLong = putSecret({ SecretId: "first", SecretString: `${"é".repeat(32_768)}.` });
  await expect(tooLong).rejects.toMatchObject({ name: "InvalidParameterException" });
});
