import { InvokeCommand, LambdaClient, type InvokeCommandInput } from "@aws-sdk/client-lambda";
import { expect, it } from "vitest";
import { useCloud } from "./fixture.ts";

const watched = useCloud({ functions: { Echo: {} } });

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
