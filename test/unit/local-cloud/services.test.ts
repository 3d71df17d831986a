import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  PutItemCommand,
  QueryCommand,
} from "@aws-sdk/client-dynamodb";
import { InvokeCommand, LambdaClient, type InvokeCommandInput } from "@aws-sdk/client-lambda";
import { expect, it } from "vitest";
import { table, useCloud } from "./fixture.ts";

const watched = useCloud({
  functions: { Echo: {} },
  resources: {
    RunStore: {
      ...table({
        AttributeDefinitions: [
          { AttributeName: "pk", AttributeType: "S" },
          { AttributeName: "state", AttributeType: "S" },
          { AttributeName: "at", AttributeType: "N" },
        ],
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
      }),
      Type: "AWS::DynamoDB::GlobalTable",
    },
  },
});

const invoke = (input: InvokeCommandInput) => new LambdaClient().send(new InvokeCommand(input));

it("Invoke returns payload, version and status, and marks a failure as Unhandled", async () => {
  const invokeSync = async (event: object) => {
    const answer = await invoke({ FunctionName: "Echo", Payload: JSON.stringify(event) });
    return { ...answer, payload: JSON.parse(answer.Payload?.transformToString() ?? "") };
  };

  expect(await invokeSync({ do: "echo", n: 2 })).toMatchObject({
    StatusCode: 200,
    ExecutedVersion: "$LATEST",
    payload: { event: { do: "echo", n: 2 } },
  });
  expect(await invokeSync({ do: "throw" })).toMatchObject({
    FunctionError: "Unhandled",
    payload: { errorType: "TypeError" },
  });
});

it.each([
  ["name", "TestStack-Echo"],
  ["name with version", "TestStack-Echo:$LATEST"],
  ["ARN", "arn:aws:lambda:us-east-1:000000000000:function:TestStack-Echo"],
  ["partial ARN", "000000000000:function:TestStack-Echo"],
])("an Event addressed by the function's %s is accepted with 202 and runs", async (_, FunctionName) => {
  const answer = await invoke({ FunctionName, InvocationType: "Event", Payload: '{"do":"nothing"}' });
  await watched.cloud.idle();

  expect(answer.StatusCode).toBe(202);
  expect(watched.events).toContainEqual(
    expect.objectContaining({ kind: "end", requestId: answer.$metadata.requestId }),
  );
});

it("a DryRun returns 204 and runs nothing", async () => {
  const { StatusCode, $metadata } = await invoke({ FunctionName: "Echo", InvocationType: "DryRun" });

  expect(StatusCode).toBe(204);
  expect(JSON.stringify(watched.events)).not.toContain($metadata.requestId ?? "no id");
});

const [eventLimit, requestLimit] = [1_048_576, 6_291_456];
const sized = (bytes: number) => JSON.stringify({ do: "nothing", fill: "x".repeat(bytes - 26) });

it.each([
  ["an unknown function", { FunctionName: "Nobody" }, "ResourceNotFoundException", 404],
  ["a payload that is not JSON", { Payload: "{" }, "InvalidRequestContentException", 400],
  [
    "an Event over 1 MB",
    { InvocationType: "Event", Payload: sized(eventLimit + 1) },
    "RequestTooLargeException",
    413,
  ],
  ["a request over 6 MB", { Payload: sized(requestLimit + 1) }, "RequestTooLargeException", 413],
] as const)("Invoke rejects %s with Lambda's error", async (...[, input, name, httpStatusCode]) => {
  await expect(invoke({ FunctionName: "Echo", ...input })).rejects.toMatchObject({
    name,
    $metadata: { httpStatusCode },
  });
});

it("an Event of exactly 1 MB is accepted", async () => {
  const Payload = sized(eventLimit);
  expect(Payload).toHaveLength(1_048_576);
  expect(await invoke({ FunctionName: "Echo", InvocationType: "Event", Payload })).toMatchObject({
    StatusCode: 202,
  });
});

it("DynamoDB enforces conditions on rows, and queries the template's index", async () => {
  const client = new DynamoDBClient();
  const TableName = watched.cloud.tableName("RunStore");
  const put = new PutItemCommand({
    TableName,
    Item: { pk: { S: "run-1" }, state: { S: "leased" }, at: { N: "5" } },
    ConditionExpression: "attribute_not_exists(pk)",
  });
  await client.send(put);
  await expect(client.send(put)).rejects.toBeInstanceOf(ConditionalCheckFailedException);
  const found = await client.send(
    new QueryCommand({
      TableName,
      IndexName: "byState",
      KeyConditionExpression: "#state = :leased AND #at < :now",
      ExpressionAttributeNames: { "#state": "state", "#at": "at" },
      ExpressionAttributeValues: { ":leased": { S: "leased" }, ":now": { N: "9" } },
    }),
  );
  expect(found.Items).toEqual([{ pk: { S: "run-1" }, state: { S: "leased" }, at: { N: "5" } }]);
});
