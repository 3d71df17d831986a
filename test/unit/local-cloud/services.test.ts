import { DynamoDBClient, PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { InvokeCommand, LambdaClient, type InvokeCommandInput } from "@aws-sdk/client-lambda";
import { expect, it } from "vitest";
import { useCloud } from "./fixture.ts";

const keyOf = (AttributeName: string) => [{ AttributeName, KeyType: "HASH" }];
const watched = useCloud({
  functions: { Echo: {} },
  resources: {
    Rows: {
      Type: "AWS::DynamoDB::Table",
      Properties: {
        TableName: "rows",
        KeySchema: keyOf("pk"),
        AttributeDefinitions: ["pk", "state"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
        GlobalSecondaryIndexes: [
          { IndexName: "byState", KeySchema: keyOf("state"), Projection: { ProjectionType: "ALL" } },
        ],
      },
    },
  },
});

const invoke = (input: InvokeCommandInput) => new LambdaClient().send(new InvokeCommand(input));

const [eventLimit, requestLimit] = [1_048_576, 6_291_456];
const sized = (bytes: number) => JSON.stringify({ do: "nothing", fill: "x".repeat(bytes - 26) });

it.each([
  ["name", "TestStack-Echo"],
  ["name with version", "TestStack-Echo:$LATEST"],
  ["ARN", "arn:aws:lambda:us-east-1:000000000000:function:TestStack-Echo"],
  ["partial ARN", "000000000000:function:TestStack-Echo"],
])(
  "an Event of exactly 1 MB, addressed by the function's %s, is accepted with 202 and runs",
  async (_, FunctionName) => {
    const answer = await invoke({ FunctionName, InvocationType: "Event", Payload: sized(eventLimit) });
    await watched.cloud.idle();

    expect(answer.StatusCode).toBe(202);
    expect(watched.events).toContainEqual(
      expect.objectContaining({ kind: "end", requestId: answer.$metadata.requestId }),
    );
  },
);

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

const row = { pk: { S: "a" } };

it.each([
  [
    "PutItem",
    (client: DynamoDBClient) =>
      client.send(new PutItemCommand({ TableName: "rows", Item: { ...row, state: { S: "" } } })),
  ],
  [
    "UpdateItem",
    (client: DynamoDBClient) =>
      client.send(
        new UpdateItemCommand({
          TableName: "rows",
          Key: row,
          UpdateExpression: "SET #state = :state",
          ExpressionAttributeNames: { "#state": "state" },
          ExpressionAttributeValues: { ":state": { S: "" } },
        }),
      ),
  ],
])("%s refuses an empty key of an index, as DynamoDB does", async (_, write) => {
  await expect(write(new DynamoDBClient())).rejects.toMatchObject({ name: "ValidationException" });
});
