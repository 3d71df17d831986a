import { expect, it } from "vitest";
import type { CloudOptions } from "../../../local/cloud/local-cloud.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import {
  call,
  createGate,
  eventInvokeConfig,
  kindsOf,
  startForTest,
  type Fixture,
  type Watched,
} from "./fixture.ts";

const start = (fixture: Fixture, options: Partial<CloudOptions> = {}) =>
  startForTest(fixture, { retryDelaysMs: [1], ...options });

const toQueue = { OnFailure: { Destination: { "Fn::GetAtt": ["Dead", "Arn"] } } };
/** A worker whose asynchronous invocations have these settings. */
const worker = (settings: object, functions: Fixture["functions"] = {}): Fixture => ({
  functions: { Worker: {}, ...functions },
  resources: { Dead: { Type: "AWS::SQS::Queue" }, Config: eventInvokeConfig("Worker", settings) },
});

/** An invocation that runs until `end` is called. */
async function occupy({ cloud, until }: Watched) {
  const gate = createGate();
  const running = call(cloud, "Worker", gate.event);
  await until(({ kind }) => kind === "cold-start");
  const end = () => {
    gate.open();
    return running;
  };
  return { end };
}

it("a failing event is tried three times by default, with one request id", async () => {
  const { cloud, events } = await start({ functions: { Worker: {} } });
  const { requestId } = await cloud.invoke("Worker", { do: "throw" }, { type: "Event" });
  await cloud.idle();

  expect(kindsOf(events).join(" ")).toBe(
    "queued invoke cold-start error retry invoke error retry invoke error",
  );
  const invokes = events.flatMap((event) => (event.kind === "invoke" ? [event] : []));
  expect(invokes.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  expect(new Set(invokes.map((event) => event.requestId))).toEqual(new Set([requestId]));
});

it("a failing event without retries goes to the failure queue in Lambda's record format", async () => {
  const { cloud } = await start(worker({ MaximumRetryAttempts: 0, DestinationConfig: toQueue }));
  const { requestId } = await cloud.invoke("Worker", { do: "throw", job: 7 }, { type: "Event" });
  await cloud.idle();

  const [record = "", ...more] = cloud.queue("Dead").receive();
  expect(more).toEqual([]);
  expect(JSON.parse(record)).toEqual({
    version: "1.0",
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    requestContext: {
      requestId,
      functionArn: "arn:aws:lambda:us-east-1:000000000000:function:TestStack-Worker:$LATEST",
      condition: "RetriesExhausted",
      approximateInvokeCount: 1,
    },
    requestPayload: { do: "throw", job: 7 },
    responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
    responsePayload: { errorType: "TypeError", errorMessage: "no good", trace: expect.any(Array) },
  });
});

it("an event that waits for concurrency beyond its maximum age goes to the failure queue without an invocation", async () => {
  const clock = createFakeClock(1_000_000);
  const settings = { MaximumEventAgeInSeconds: 60, DestinationConfig: toQueue };
  const slow = { Worker: { properties: { Timeout: 900 } } };
  const watched = await start(worker(settings, slow), { clock, accountConcurrency: 1 });
  const { cloud, events } = watched;
  const { end } = await occupy(watched);
  const { requestId } = await cloud.invoke("Worker", { do: "nothing" }, { type: "Event" });
  await clock.advance(59_999);
  expect(cloud.queue("Dead").size()).toBe(0);
  await clock.advance(1);

  expect(events).toContainEqual(
    expect.objectContaining({ kind: "event-aged-out", requestId, ageMs: 60_000 }),
  );
  const record = JSON.parse(cloud.queue("Dead").receive()[0] ?? "");
  expect(record.requestContext).toMatchObject({ condition: "EventAgeExceeded", approximateInvokeCount: 0 });
  expect(record).not.toHaveProperty("responsePayload");
  await end();
});

it("a failing event goes to the failure queue when its next retry would exceed its maximum age", async () => {
  const clock = createFakeClock(0);
  const settings = { MaximumEventAgeInSeconds: 90, DestinationConfig: toQueue };
  const { cloud, until } = await start(worker(settings), { clock, retryDelaysMs: [60_000, 120_000] });
  await cloud.invoke("Worker", { do: "throw" }, { type: "Event" });
  await until(({ kind }) => kind === "retry");
  await clock.advance(60_000);
  await until((event) => event.kind === "retry" && event.attempt === 3);
  await clock.advance(120_000);
  await cloud.idle();

  const record = JSON.parse(cloud.queue("Dead").receive()[0] ?? "");
  expect(record.requestContext).toMatchObject({ condition: "EventAgeExceeded", approximateInvokeCount: 2 });
  expect(record.responsePayload.errorType).toBe("TypeError");
});

it("a synchronous invocation over the function's reserved concurrency fails with 429", async () => {
  const reserved = { Worker: { properties: { ReservedConcurrentExecutions: 1 } } };
  const watched = await start(worker({}, reserved));
  const { end } = await occupy(watched);

  await expect(call(watched.cloud, "Worker", { do: "nothing" })).rejects.toMatchObject({
    type: "TooManyRequestsException",
    statusCode: 429,
  });
  expect(await end()).toBe("waited");
});

it.each([
  { name: "a function that keeps invoking itself is stopped after 16 invocations", setting: {}, ends: 16 },
  {
    name: "a function may invoke itself without limit when the template allows it",
    setting: { RecursiveLoop: "Allow" },
    ends: 18,
  },
])("$name", async ({ setting, ends }) => {
  const source = `
    import { LambdaClient, InvokeCommand } from "@aws-sdk/client-lambda";
    const client = new LambdaClient();
    export const handler = async ({ n }, { functionName }) => {
      if (n === 18) return;
      const Payload = JSON.stringify({ n: n + 1 });
      await client.send(new InvokeCommand({ FunctionName: functionName, InvocationType: "Event", Payload }));
    };`;
  const { cloud, events } = await start({ functions: { Loop: { source, properties: setting } } });
  await cloud.invoke("Loop", { n: 1 }, { type: "Event" });
  await cloud.idle();

  expect(events.filter(({ kind }) => kind === "end")).toHaveLength(ends);
  expect(events.some(({ kind }) => kind === "recursion-stopped")).toBe(ends === 16);
});
