import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { InvokeCommand, LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { startWatched, type Watched } from "./fixture.ts";

let watched: Watched;

beforeAll(async () => {
  watched = await startWatched({
    functions: { Echo: {} },
    resources: {
      RunStore: {
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
  });
  for (const [name, value] of Object.entries(watched.cloud.env)) vi.stubEnv(name, value);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await watched.close();
});

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
] as const)("refuses %s as Lambda does", async (...[, input, name, httpStatusCode]) => {
  await expect(new LambdaClient().send(new InvokeCommand(input))).rejects.toMatchObject({
    name,
    $metadata: { httpStatusCode },
  });
});

it("accepts an Event of exactly 1 MB", async () => {
  const Payload = JSON.stringify({ do: "nothing", fill: "x".repeat(1_048_576 - 26) });
  expect(Payload).toHaveLength(1_048_576);
  const answer = await new LambdaClient().send(
    new InvokeCommand({ FunctionName: "Echo", InvocationType: "Event", Payload }),
  );

  expect(answer.StatusCode).toBe(202);
});

it("keeps rows under conditions and finds them by the template's index", async () => {
  const client = new DynamoDBClient();
  const TableName = watched.cloud.tableName("RunStore");
  const put = new PutItemCommand({
    TableName,
    Item: { pk: { S: "run-1" }, state: { S: "leased" }, at: { N: "5" }, attempt: { N: "1" } },
    ConditionExpression: "attribute_not_exists(pk)",
  });
  await client.send(put);
  await expect(client.send(put)).rejects.toBeInstanceOf(ConditionalCheckFailedException);
  await client.send(
    new UpdateItemCommand({
      TableName,
      Key: { pk: { S: "run-1" } },
      UpdateExpression: "SET #state = :running",
      ConditionExpression: "attempt = :attempt",
      ExpressionAttributeNames: { "#state": "state" },
      ExpressionAttributeValues: { ":running": { S: "running" }, ":attempt": { N: "1" } },
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
    { pk: { S: "run-1" }, state: { S: "running" }, at: { N: "5" }, attempt: { N: "1" } },
  ]);
  expect(row.Item?.["state"]).toEqual({ S: "running" });
});

it("refuses what it does not serve by name", async () => {
  await expect(new LambdaClient().send(new ListFunctionsCommand())).rejects.toMatchObject({
    name: "UnknownOperationException",
    $metadata: { httpStatusCode: 404 },
  });
});
