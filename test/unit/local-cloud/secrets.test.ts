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
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { startWatched, type Watched } from "./fixture.ts";

let watched: Watched;

beforeAll(async () => {
  watched = await startWatched(
    {
      resources: {
        Empty: { Type: "AWS::SecretsManager::Secret", Properties: { Name: "empty" } },
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
  await client.send(
    new UpdateSecretVersionStageCommand({
      SecretId: "empty",
      VersionStage: "AWSPENDING",
      RemoveFromVersionId: token,
    }),
  );

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

it("refuses to move a stage away from a version that was not named", async () => {
  const token = randomUUID();
  const client = new SecretsManagerClient();
  await client.send(
    new PutSecretValueCommand({
      SecretId: "model/key",
      ClientRequestToken: token,
      SecretString: "x",
      VersionStages: ["AWSPENDING"],
    }),
  );

  await expect(
    client.send(
      new UpdateSecretVersionStageCommand({
        SecretId: "model/key",
        VersionStage: "AWSCURRENT",
        MoveToVersionId: token,
      }),
    ),
  ).rejects.toMatchObject({ name: "InvalidParameterException" });
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
