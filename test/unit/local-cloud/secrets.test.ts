import { randomUUID } from "node:crypto";
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
  type GetSecretValueCommandInput,
} from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { startWatched, type Watched } from "./fixture.ts";

let watched: Watched;

beforeAll(async () => {
  watched = await startWatched(
    {
      resources: {
        Empty: { Type: "AWS::SecretsManager::Secret", Properties: { Name: "empty" } },
        First: { Type: "AWS::SecretsManager::Secret", Properties: { Name: "first" } },
        RunnerKey12345678: { Type: "AWS::SecretsManager::Secret", Properties: { GenerateSecretString: {} } },
        ModelKey: { Type: "AWS::SecretsManager::Secret", Properties: { Name: "model/key" } },
      },
    },
    {
      secrets: {
        "*ModelKey*": "sk-model",
        "arn:aws:secretsmanager:us-east-1:1:secret:own-abcdef": "brought",
      },
    },
  );
  for (const [name, value] of Object.entries(watched.cloud.env)) vi.stubEnv(name, value);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await watched.close();
});

const getSecret = (input: GetSecretValueCommandInput) =>
  new SecretsManagerClient().send(new GetSecretValueCommand(input));

it("gives a secret by name, by ARN and by ARN without its suffix", async () => {
  const arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:model/key-abcdef";
  for (const SecretId of ["model/key", arn, arn.slice(0, -7)]) {
    const secret = await getSecret({ SecretId });
    expect(secret).toMatchObject({
      ARN: arn,
      Name: "model/key",
      SecretString: "sk-model",
      VersionStages: ["AWSCURRENT"],
    });
    expect(secret.CreatedDate).toBeInstanceOf(Date);
  }
});

it("keeps a secret from outside the template under its ARN", async () => {
  const secret = await getSecret({ SecretId: "arn:aws:secretsmanager:us-east-1:1:secret:own-abcdef" });

  expect(secret.SecretString).toBe("brought");
});

it("generates a value where the template asks for one", async () => {
  const secret = await getSecret({ SecretId: "RunnerKey12345678-local" });

  expect(secret.SecretString).toMatch(/^[\w-]{32}$/);
});

it.each([
  [
    "a secret without a value",
    { SecretId: "empty" },
    "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
  ],
  [
    "a stage that is not there",
    { SecretId: "model/key", VersionStage: "AWSPENDING" },
    "Secrets Manager can't find the specified secret value for staging label: AWSPENDING",
  ],
  [
    "a secret that does not exist",
    { SecretId: "nothing" },
    "Secrets Manager can't find the specified secret.",
  ],
] as const)("answers %s in Secrets Manager's words", async (_, input, message) => {
  await expect(getSecret(input)).rejects.toMatchObject({ name: "ResourceNotFoundException", message });
});

it("moves stages as a rotation does", async () => {
  const client = new SecretsManagerClient();
  watched.cloud.putSecret("empty", "old");
  const old = await getSecret({ SecretId: "empty" });
  const token = randomUUID();
  await client.send(
    new PutSecretValueCommand({
      SecretId: "empty",
      ClientRequestToken: token,
      SecretString: "new",
      VersionStages: ["AWSPENDING"],
    }),
  );
  expect((await getSecret({ SecretId: "empty" })).SecretString).toBe("old");
  expect((await getSecret({ SecretId: "empty", VersionStage: "AWSPENDING" })).SecretString).toBe("new");
  await client.send(
    new UpdateSecretVersionStageCommand({
      SecretId: "empty",
      VersionStage: "AWSCURRENT",
      MoveToVersionId: token,
      RemoveFromVersionId: old.VersionId,
    }),
  );
  const again = new UpdateSecretVersionStageCommand({
    SecretId: "empty",
    VersionStage: "AWSPENDING",
    RemoveFromVersionId: token,
  });
  await expect(client.send(again)).rejects.toMatchObject({ name: "InvalidParameterException" });

  const described = await client.send(new DescribeSecretCommand({ SecretId: "empty" }));
  const listed = await client.send(new ListSecretVersionIdsCommand({ SecretId: "empty" }));
  expect(watched.cloud.getSecret("empty")).toBe("new");
  expect(described.VersionIdsToStages).toEqual({
    [token]: ["AWSCURRENT"],
    [old.VersionId ?? ""]: ["AWSPREVIOUS"],
  });
  expect(new Set(listed.Versions?.map(({ VersionId }) => VersionId))).toEqual(
    new Set([token, old.VersionId]),
  );
});

describe("moving a stage", () => {
  const client = () => new SecretsManagerClient();

  /** A secret with a present value and a pending one. */
  async function pendingVersion(): Promise<{ readonly current: string; readonly pending: string }> {
    const { VersionId: current = "" } = await getSecret({ SecretId: "model/key" });
    const pending = randomUUID();
    const version = { ClientRequestToken: pending, VersionStages: ["AWSPENDING"] };
    await client().send(
      new PutSecretValueCommand({ SecretId: "model/key", SecretString: pending, ...version }),
    );
    return { current, pending };
  }

  const move = (VersionStage: string, more: { MoveToVersionId?: string; RemoveFromVersionId?: string }) =>
    client().send(new UpdateSecretVersionStageCommand({ SecretId: "model/key", VersionStage, ...more }));

  const refused = { name: "InvalidParameterException" };

  it("is refused where its holder is not named", async () => {
    const { pending } = await pendingVersion();
    await expect(move("AWSCURRENT", { MoveToVersionId: pending })).rejects.toMatchObject(refused);
  });

  it("is refused where another version than its holder is named, also when it is where it should go", async () => {
    const { current, pending } = await pendingVersion();
    const other = { MoveToVersionId: pending, RemoveFromVersionId: pending };
    await expect(move("AWSCURRENT", other)).rejects.toMatchObject(refused);
    const there = { MoveToVersionId: pending, RemoveFromVersionId: current };
    await expect(move("AWSPENDING", there)).rejects.toMatchObject(refused);
    await expect(move("AWSPENDING", { RemoveFromVersionId: current })).rejects.toMatchObject(refused);
  });

  it("is refused where the secret would be left without a present value", async () => {
    const { current } = await pendingVersion();
    await expect(move("AWSCURRENT", { RemoveFromVersionId: current })).rejects.toMatchObject(refused);
  });
});

it("makes a secret's first version the present one, whatever its stage", async () => {
  const version = { SecretId: "first", SecretString: "a", VersionStages: ["OTHER"] };
  await new SecretsManagerClient().send(new PutSecretValueCommand(version));
  expect((await getSecret({ SecretId: "first" })).VersionStages?.toSorted()).toEqual(["AWSCURRENT", "OTHER"]);
});

it("ignores a value that a version has already, and its stage", async () => {
  const client = new SecretsManagerClient();
  const version = { SecretId: "model/key", ClientRequestToken: randomUUID(), SecretString: "same" };
  await client.send(new PutSecretValueCommand({ ...version, VersionStages: ["ONE"] }));
  await client.send(new PutSecretValueCommand({ ...version, VersionStages: ["TWO"] }));
  const described = await client.send(new DescribeSecretCommand({ SecretId: "model/key" }));
  expect(described.VersionIdsToStages?.[version.ClientRequestToken]).toEqual(["ONE"]);
});

it("takes the same version once more and refuses it with another value", async () => {
  const client = new SecretsManagerClient();
  const version = { SecretId: "model/key", ClientRequestToken: randomUUID(), VersionStages: ["TEST"] };
  await client.send(new PutSecretValueCommand({ ...version, SecretString: "a" }));
  await client.send(new PutSecretValueCommand({ ...version, SecretString: "a" }));

  await expect(
    client.send(new PutSecretValueCommand({ ...version, SecretString: "b" })),
  ).rejects.toMatchObject({
    name: "ResourceExistsException",
  });
});
