import { describe, expect, test } from "vitest";
import { systemClock } from "../../../lib/core/clock.ts";
import { RunnerError } from "../../../lib/core/errors.ts";
import { hangUp, noAnswer, type Reply } from "../../support/http-server.ts";
import {
  apiError,
  completed,
  functionCall,
  html,
  message,
  stored,
  storedWhole,
  stream,
} from "../../support/model-replies.ts";
import { cancel, create, freshKey, key, look, fixture, type Overrides } from "./support.ts";

const queued = stored("queued");
const running = stored("in_progress");
const whole = storedWhole(message("Hi"));
const down = apiError(503, { message: "Down" });
const gone = apiError(404, { message: "Response with id 'resp_1' not found." });
const reason = new Error("the attempt is over");

const background = (answers: readonly Reply[], overrides: Overrides = {}) =>
  fixture(answers, { mode: "background", ...overrides });

test("a background response that is not streamed is polled until it ends", async () => {
  const output = [message("Two lists."), functionCall("call_1", "create_list", '{"a":1}')];
  const { ask, asked, calls, server } = await background([queued, running, storedWhole(...output)]);
  expect(await ask()).toMatchObject({
    responseId: "resp_1",
    text: "Two lists.",
    calls: [{ callId: "call_1", name: "create_list", arguments: '{"a":1}' }],
    usage: { inputTokens: 100, outputTokens: 30 },
    outputItems: output,
  });
  expect(calls()).toEqual([create, look, look]);
  expect(asked()[0]).toEqual({
    model: "gpt-6-luna",
    instructions: "Help.",
    input: [{ type: "message", role: "user", content: "Compare two teas." }],
    store: true,
    stream: true,
    background: true,
  });
  expect(server.requests[1]!.headers.authorization).toBe(`Bearer ${key}`);
});

test("a response that is already finished is not polled", async () => {
  const { ask, calls } = await background([whole]);
  expect((await ask()).text).toBe("Hi");
  expect(calls()).toEqual([create]);
});

test("the response id is recorded before the first poll", async () => {
  const { ask, calls } = await background([queued, whole]);
  const recorded: string[] = [];
  const onStarted = async (responseId: string): Promise<void> => {
    await systemClock.sleep(20);
    recorded.push(`${responseId} after ${calls().join(", ")}`);
  };
  await ask({}, { onStarted });
  expect(recorded).toEqual(["resp_1 after POST /v1/responses"]);
});

test("the wait between polls grows from half a second to two seconds", async () => {
  const { ask, waits } = await background([...Array<Reply>(23).fill(running), whole]);
  await ask();
  expect(waits).toEqual([
    500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 563, 633, 712, 801, 901, 1014, 1141, 1283, 1444, 1624,
    1827, 2000, 2000,
  ]);
});

test("the wait between polls is shortened by a random share of up to a fifth", async () => {
  const { ask, waits } = await background([queued, whole], { random: () => 0.5 });
  await ask();
  expect(waits).toEqual([450]);
});

test.for<readonly [string, Reply]>([
  ["500", apiError(500, { message: "Oops" })],
  ["429", apiError(429, { message: "Slow down" })],
  ["a proxy's 502 page", html(502)],
  ["a proxy's 200 page", html(200)],
  ["broken JSON", { body: '{"id":' }],
  ["JSON that is not a response", { body: { ok: true } }],
  ["a connection that breaks", hangUp],
  ["404 because the provider's store lags behind", gone],
  ["no answer", noAnswer],
])("a poll that fails with %s is repeated, and no second response is created", async ([, fault]) => {
  const { ask, calls } = await background([queued, fault, running, fault, whole], { answerMs: 500 });
  expect((await ask()).text).toBe("Hi");
  expect(calls()).toEqual([create, look, look, look, look]);
});

test("polls are repeated throughout a long outage", async () => {
  const { ask, waits } = await background([queued, ...Array<Reply>(40).fill(down), whole]);
  expect((await ask()).text).toBe("Hi");
  expect(waits.slice(0, 7)).toEqual([500, 250, 500, 1_000, 2_000, 2_500, 2_500]);
});

test("the next poll waits as long as Retry-After asks", async () => {
  const slow = apiError(429, { message: "Slow" }, { "retry-after": "90" });
  const { ask, waits } = await background([queued, slow, whole]);
  await ask();
  expect(waits).toEqual([500, 90_000]);
});

test("a response that is missing in five polls in a row is reported as missing", async () => {
  const { calls, failure } = await background([queued, running, gone, gone, gone, gone, gone]);
  expect(await failure()).toMatchObject({ code: "model_previous_response_missing", retryable: false });
  expect(calls()).toHaveLength(7);
});

test.for<readonly [string, Reply]>([
  ["is answered with 429", apiError(429, { message: "Slow down" })],
  ["is answered with a proxy's page", html(200)],
  ["loses its connection before the answer", hangUp],
  [
    "loses its connection during the answer",
    {
      raw: (response) => {
        response.writeHead(200, { "content-type": "application/json" });
        response.write('{"id":"resp_1"', () => response.destroy());
      },
    },
  ],
  ["gets no answer", noAnswer],
])("a create request that %s is repeated", async ([, answer]) => {
  const { ask, calls, waits } = await background([answer, whole], { silenceMs: 500 });
  expect((await ask()).text).toBe("Hi");
  expect(calls()).toEqual([create, create]);
  expect(waits).toEqual([500]);
});

test("a response that failed temporarily is requested again, and the new id is recorded too", async () => {
  const failed = stored("failed", { error: { code: "server_error", message: "Oops" } });
  const { ask, calls } = await background([queued, failed, stored("queued", { id: "resp_2" }), whole]);
  const recorded: string[] = [];
  const turn = await ask({}, { onStarted: async (responseId) => void recorded.push(responseId) });
  expect(turn.text).toBe("Hi");
  expect(recorded).toEqual(["resp_1", "resp_2"]);
  expect(calls()).toEqual([create, look, create, "GET /v1/responses/resp_2"]);
});

test.for<readonly [string, Reply, string]>([
  [
    "was cancelled, even with a temporary error,",
    stored("cancelled", { error: { code: "server_error", message: "Stopped" } }),
    "model_failed",
  ],
  [
    "failed permanently",
    stored("failed", { error: { code: "invalid_prompt", message: "Bad prompt" } }),
    "model_failed",
  ],
  [
    "is incomplete",
    stored("incomplete", { incomplete_details: { reason: "max_output_tokens" } }),
    "model_incomplete",
  ],
])("a response that %s is not requested again", async ([, ending, code]) => {
  const { calls, failure } = await background([queued, ending]);
  expect(await failure()).toMatchObject({ code, retryable: false });
  expect(calls()).toEqual([create, look]);
});

test("a key that is refused while polling is fetched again, and no second response is created", async () => {
  const refused = apiError(401, { message: "Incorrect API key", code: "invalid_api_key" });
  const { ask, calls, notes, server } = await background([queued, running, refused, whole]);
  expect((await ask()).text).toBe("Hi");
  expect(calls()).toEqual([create, look, look, look]);
  expect(server.requests[3]!.headers.authorization).toBe(`Bearer ${freshKey}`);
  expect(notes).toEqual([{ kind: "key_refetched" }]);
});

test("an abort between polls rejects with the signal's reason and leaves the response running", async () => {
  const controller = new AbortController();
  const clock = {
    now: () => 0,
    sleep: async (ms: number, signal?: AbortSignal) => {
      if (ms === 500) controller.abort(reason);
      return await systemClock.sleep(1_000_000, signal);
    },
  };
  const { calls, failure } = await background([queued, whole], { clock });
  expect(await failure({}, { signal: controller.signal })).toBe(reason);
  expect(calls()).toEqual([create]);
});

test("an abort during a poll closes it and rejects with the signal's reason", async () => {
  const { calls, failure, server } = await background([queued, noAnswer]);
  const controller = new AbortController();
  const outcome = failure({}, { signal: controller.signal });
  await server.received(2);
  controller.abort(reason);
  expect(await outcome).toBe(reason);
  await server.requests[1]!.closed;
  expect(calls()).toEqual([create, look]);
});

describe.for<readonly [string, Reply]>([
  ["polled", queued],
  [
    "streamed",
    stream(
      { type: "response.created", response: { id: "resp_1", background: true, previous_response_id: null } },
      completed(message("Hi")),
    ),
  ],
])("a response that is %s", ([, begun]) => {
  test("is cancelled if its id cannot be recorded, and the error is thrown unchanged", async () => {
    const unavailable = new RunnerError("run_store_unavailable", "no run store", { retryable: true });
    const { calls, failure } = await background([begun, stored("cancelled")]);
    expect(await failure({}, { onStarted: () => Promise.reject(unavailable) })).toBe(unavailable);
    expect(calls()).toEqual([create, cancel]);
  });

  test("is cancelled if it ignores the previous response", async () => {
    const { calls, failure } = await background([begun, stored("cancelled")]);
    expect(await failure({ previousResponseId: "resp_0" })).toMatchObject({
      code: "model_previous_response_missing",
      message: "the model's provider answered without the previous response",
    });
    expect(calls()).toEqual([create, cancel]);
  });
});

test("a response whose id may have been recorded before an abort is left running", async () => {
  const controller = new AbortController();
  const { calls, failure } = await background([queued]);
  const onStarted = async () => {
    controller.abort(reason);
    throw reason;
  };
  expect(await failure({}, { signal: controller.signal, onStarted })).toBe(reason);
  expect(calls()).toEqual([create]);
});

test("a response that is not stored is streamed in the foreground", async () => {
  const { ask, asked } = await background([{ body: { id: "resp_1", output: [message("Hi")] } }]);
  await ask({ store: false });
  expect(asked()[0]).toMatchObject({ store: false, stream: true });
  expect(asked()[0]).not.toHaveProperty("background");
});
