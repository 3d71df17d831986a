import { randomUUID } from "node:crypto";
import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startWatched, type Watched } from "./fixture.ts";

let watched: Watched;
const before = { ...process.env };

beforeAll(async () => {
  watched = await startWatched(
    {
      functions: { Echo: {} },
      resources: {
        Empty: { Type: "AWS::SecretsManager::Secret", Properties: { Name: "empty" } },
        RunnerKey12345678: { Type: "AWS::SecretsManager::Secret", Properties: { GenerateSecretString: {} } },
        ModelKey: { Type: "AWS::SecretsManager::Secret", Properties: { Name: "model/key" } },
        Ledger: {
          Type: "AWS::DynamoDB::GlobalTable",
          Properties: {
            BillingMode: "PAY_PER_REQUEST",
            AttributeDefinitions: [
              { AttributeName: "pk", AttributeType: "S" },
              { AttributeName: "state", AttributeType: "S" },
              { AttributeName: "at", AttributeType: "N" },
            ],
            KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
            GlobalSecondaryIndexes: [
              {
                IndexName: "byState",
                KeySchema: [
                  { AttributeName: "state", KeyType: "HASH" },
                  { AttributeName: "at", KeyType: "RANGE" },
                ],
                Projection: { ProjectionType: "ALL" },
              },
            ],
            TimeToLiveSpecification: { AttributeName: "expiresAt", Enabled: true },
          },
        },
      },
    },
    {
      secrets: {
        "*ModelKey*": "sk-model",
        "arn:aws:secretsmanager:us-east-1:1:secret:own-abcdef": "brought",
      },
    },
  );
  Object.assign(process.env, watched.cloud.env);
});

afterAll(async () => {
  for (const name of Object.keys(watched.cloud.env)) delete process.env[name];
  Object.assign(process.env, before);
  await watched.close();
});

const getSecret = (input: ConstructorParameters<typeof GetSecretValueCommand>[0]) =>
  new SecretsManagerClient().send(new GetSecretValueCommand(input));

it("answers the AWS SDK's Invoke with payload, version and status", async () => {
  const answer = await new LambdaClient().send(
    new InvokeCommand({ FunctionName: "TestStack-Echo", Payload: JSON.stringify({ do: "echo", n: 2 }) }),
  );

  expect(answer.StatusCode).toBe(200);
  expect(answer.ExecutedVersion).toBe("$LATEST");
  expect(JSON.parse(answer.Payload?.transformToString() ?? "").event).toEqual({ do: "echo", n: 2 });
});

it.each([
  ["name", "TestStack-Echo"],
  ["name with version", "TestStack-Echo:$LATEST"],
  ["ARN", "arn:aws:lambda:us-east-1:000000000000:function:TestStack-Echo"],
  ["partial ARN", "000000000000:function:TestStack-Echo"],
])("accepts an Event by the function's %s with 202", async (_, FunctionName) => {
  const answer = await new LambdaClient().send(
    new InvokeCommand({ FunctionName, InvocationType: "Event", Payload: '{"do":"nothing"}' }),
  );
  await watched.cloud.idle();

  expect(answer.StatusCode).toBe(202);
  expect(watched.events).toContainEqual(
    expect.objectContaining({ kind: "end", requestId: answer.$metadata.requestId }),
  );
});

it("marks a function's failure as Unhandled", async () => {
  const answer = await new LambdaClient().send(
    new InvokeCommand({ FunctionName: "Echo", Payload: '{"do":"throw"}' }),
  );

  expect(answer.FunctionError).toBe("Unhandled");
  expect(JSON.parse(answer.Payload?.transformToString() ?? "")).toMatchObject({ errorType: "TypeError" });
});

it("answers a DryRun with 204 and runs nothing", async () => {
  const answer = await new LambdaClient().send(
    new InvokeCommand({ FunctionName: "Echo", InvocationType: "DryRun" }),
  );

  expect(answer.StatusCode).toBe(204);
});

it.each([
  ["an unknown function", { FunctionName: "Nobody" }, "ResourceNotFoundException", 404],
  [
    "a payload that is no JSON",
    { FunctionName: "Echo", Payload: "{" },
    "InvalidRequestContentException",
    400,
  ],
  [
    "an Event over 1 MB",
    { FunctionName: "Echo", InvocationType: "Event", Payload: JSON.stringify("x".repeat(1_048_576)) },
    "RequestTooLargeException",
    413,
  ],
  [
    "a request over 6 MB",
    { FunctionName: "Echo", Payload: JSON.stringify("x".repeat(6_291_456)) },
    "RequestTooLargeException",
    413,
  ],
] as const)("refuses %s as Lambda does", async (_, input, name, httpStatusCode) => {
  await expect(new LambdaClient().send(new InvokeCommand(input))).rejects.toMatchObject({
    name,
    $metadata: { httpStatusCode },
  });
});

it("accepts an Event of exactly 1 MB", async () => {
  const Payload = JSON.stringify({ do: "nothing", fill: "x".repeat(1_048_576 - 25) });
  expect(Payload).toHaveLength(1_048_576);
  const answer = await new LambdaClient().send(
    new InvokeCommand({ FunctionName: "Echo", InvocationType: "Event", Payload }),
  );

  expect(answer.StatusCode).toBe(202);
});

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
  expect(listed.Versions?.map(({ VersionId }) => VersionId).toSorted()).toEqual(
    [token, old.VersionId].toSorted(),
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

it("keeps rows under conditions and finds them by the template's index", async () => {
  const client = new DynamoDBClient();
  const TableName = watched.cloud.tableName("Ledger");
  const put = new PutItemCommand({
    TableName,
    Item: { pk: { S: "run-1" }, state: { S: "leased" }, at: { N: "5" }, leg: { N: "1" } },
    ConditionExpression: "attribute_not_exists(pk)",
  });
  await client.send(put);
  await expect(client.send(put)).rejects.toBeInstanceOf(ConditionalCheckFailedException);
  await client.send(
    new UpdateItemCommand({
      TableName,
      Key: { pk: { S: "run-1" } },
      UpdateExpression: "SET #state = :running",
      ConditionExpression: "leg = :leg",
      ExpressionAttributeNames: { "#state": "state" },
      ExpressionAttributeValues: { ":running": { S: "running" }, ":leg": { N: "1" } },
    }),
  );

  const found = await client.send(
    new QueryCommand({
      TableName,
      IndexName: "byState",
      KeyConditionExpression: "#state = :running AND #at < :now",
      ExpressionAttributeNames: { "#state": "state", "#at": "at" },
      ExpressionAttributeValues: { ":running": { S: "running" }, ":now": { N: "9" } },
    }),
  );
  const row = await client.send(
    new GetItemCommand({ TableName, Key: { pk: { S: "run-1" } }, ConsistentRead: true }),
  );
  expect(found.Items).toEqual([
    { pk: { S: "run-1" }, state: { S: "running" }, at: { N: "5" }, leg: { N: "1" } },
  ]);
  expect(row.Item?.["state"]).toEqual({ S: "running" });
});

it("refuses what it does not serve by name", async () => {
  const response = await fetch(`${watched.cloud.env["AWS_ENDPOINT_URL_LAMBDA"]}/2015-03-31/functions`);

  expect(response.status).toBe(404);
  expect(response.headers.get("x-amzn-errortype")).toBe("UnknownOperationException");
});
