import { expect, test } from "vitest";
import { systemClock } from "../../../lib/core/clock.ts";
import { RunnerError } from "../../../lib/core/errors.ts";
import type { OpenAiOptions } from "../../../lib/model/openai.ts";
import type { Answer } from "../../support/responses-server.ts";
import {
  apiError,
  functionCall,
  html,
  json,
  message,
  noAnswer,
  startResponsesServer,
  stored,
  storedWhole,
} from "../../support/responses-server.ts";
import { adapter, freshKey, key, never, request, thrownBy } from "./support.ts";

const queued = stored("queued");
const running = stored("in_progress");
const whole = storedWhole(message("Hi"));
const down = apiError(503, { message: "Down" });

async function run(answers: readonly Answer[], overrides: Partial<OpenAiOptions> = {}) {
  const server = await startResponsesServer(answers);
  const calls = () => server.seen.map(({ method, path }) => `${method} ${path}`);
  return {
    ...adapter(server.baseUrl, { mode: "background", ...overrides }),
    server,
    calls,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const create = "POST /v1/responses";
const look = "GET /v1/responses/resp_1";
const cancel = "POST /v1/responses/resp_1/cancel";

test("a round is begun in the background, then looked at until it has ended where it is not streamed", async () => {
  const output = [message("Two lists."), functionCall("call_1", "create_list", '{"a":1}')];
  await using it = await run([queued, running, storedWhole(...output)]);
  expect(await it.model.generate(request, { signal: never })).toEqual({
    responseId: "resp_1",
    text: "Two lists.",
    calls: [{ callId: "call_1", name: "create_list", arguments: '{"a":1}' }],
    usage: {
      inputTokens: 100,
      cachedInputTokens: 40,
      cacheWriteTokens: 0,
      outputTokens: 30,
      reasoningTokens: 10,
      webSearches: 0,
    },
    outputItems: output,
  });
  expect(it.calls()).toEqual([create, look, look]);
  expect(it.server.seen[0]!.body).toEqual({
    model: "gpt-6-luna",
    instructions: "Help.",
    input: [{ type: "message", role: "user", content: "Compare two teas." }],
    store: true,
    stream: true,
    background: true,
  });
  expect(it.server.seen[1]!.headers).toMatchObject({
    authorization: `Bearer ${key}`,
    "user-agent": "studio-runner",
  });
});

test("a response that has ended at once is not looked at", async () => {
  await using it = await run([whole]);
  expect((await it.model.generate(request, { signal: never })).text).toBe("Hi");
  expect(it.calls()).toEqual([create]);
});

test("the id is noted before the first look, and nothing is looked at until it is", async () => {
  await using it = await run([queued, whole]);
  const noted: string[] = [];
  const onStarted = async (responseId: string): Promise<void> => {
    await systemClock.sleep(20);
    noted.push(`${responseId} after ${it.calls().join(", ")}`);
  };
  await it.model.generate(request, { signal: never, onStarted });
  expect(noted).toEqual(["resp_1 after POST /v1/responses"]);
});

test("looks become rarer, from half a second to two", async () => {
  await using it = await run([...Array.from({ length: 23 }, () => running), whole]);
  await it.model.generate(request, { signal: never });
  expect(it.waits).toEqual([
    500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 563, 633, 712, 801, 901, 1014, 1141, 1283, 1444, 1624,
    1827, 2000, 2000,
  ]);
});

test("looks are spread by up to a fifth", async () => {
  await using it = await run([queued, whole], { random: () => 0.5 });
  await it.model.generate(request, { signal: never });
  expect(it.waits).toEqual([450]);
});

const passing: readonly (readonly [string, Answer])[] = [
  ["500", apiError(500, { message: "Oops" })],
  ["429", apiError(429, { message: "Slow down" })],
  ["a proxy's page with 502", html(502)],
  ["a proxy's page with 200", html(200)],
  ["broken JSON", (response) => void response.writeHead(200).end('{"id":')],
  ["JSON that is no response", json(200, { ok: true })],
  ["a connection that breaks", (response) => void response.destroy()],
  ["a store that lags behind", apiError(404, { message: "Response with id 'resp_1' not found." })],
];

test.for(passing)("a look that meets %s is repeated, and nothing is asked again", async ([, fault]) => {
  await using it = await run([queued, fault, running, fault, fault, whole]);
  expect((await it.model.generate(request, { signal: never })).text).toBe("Hi");
  expect(it.calls()).toEqual([create, look, look, look, look, look]);
});

test("looks are repeated through any outage", async () => {
  await using it = await run([queued, ...Array.from({ length: 40 }, () => down), whole]);
  expect((await it.model.generate(request, { signal: never })).text).toBe("Hi");
  expect(it.waits.slice(0, 7)).toEqual([500, 250, 500, 1_000, 2_000, 2_500, 2_500]);
});

test("a look waits as long as it is asked to, however long", async () => {
  await using it = await run([queued, apiError(429, { message: "Slow" }, { "retry-after": "90" }), whole]);
  await it.model.generate(request, { signal: never });
  expect(it.waits).toEqual([500, 90_000]);
});

test("a look that nobody answers is given up and repeated", async () => {
  await using it = await run([queued, noAnswer, whole], { answerMs: 500 });
  expect((await it.model.generate(request, { signal: never })).text).toBe("Hi");
  expect(it.calls()).toEqual([create, look, look]);
});

test("a response that is gone for good is missing", async () => {
  const gone = apiError(404, { message: "Response with id 'resp_1' not found." });
  await using it = await run([queued, running, gone, gone, gone, gone, gone]);
  expect(await thrownBy(it.model.generate(request, { signal: never }))).toMatchObject({
    code: "model_previous_response_missing",
    retryable: false,
  });
  expect(it.calls()).toHaveLength(7);
});

test.for([
  ["408", apiError(408, { message: "Slow" })],
  ["409", apiError(409, { message: "Conflict" })],
  ["429", apiError(429, { message: "Slow down" })],
  ["500", apiError(500, { message: "Oops" })],
  ["a proxy's page with 200", html(200)],
] as const)("a request to begin that is answered with %s is repeated", async ([, answer]) => {
  await using it = await run([answer, whole]);
  expect((await it.model.generate(request, { signal: never })).text).toBe("Hi");
  expect(it.waits).toEqual([500]);
});

test.for<readonly [string, Answer]>([
  ["before the answer", (response) => void response.destroy()],
  [
    "in the answer",
    (response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.write('{"id":"resp_1"', () => response.destroy());
    },
  ],
])("a request to begin that breaks %s is repeated", async ([, answer]) => {
  await using it = await run([answer, whole]);
  expect((await it.model.generate(request, { signal: never })).text).toBe("Hi");
  expect(it.calls().slice(0, 2)).toEqual([create, create]);
});

test("a request to begin that is met with silence is repeated", async () => {
  await using it = await run([noAnswer, whole], { silenceMs: 500 });
  expect((await it.model.generate(request, { signal: never })).text).toBe("Hi");
  expect(it.calls().slice(0, 2)).toEqual([create, create]);
});

test("a request to begin that found nobody listening is repeated", async () => {
  const server = await startResponsesServer([]);
  await server[Symbol.asyncDispose]();
  const { model, waits } = adapter(server.baseUrl, { mode: "background" });
  expect(await thrownBy(model.generate(request, { signal: never }))).toMatchObject({
    code: "model_unavailable",
    message: "the connection to the model's provider failed (ECONNREFUSED)",
    retryable: true,
  });
  expect(waits).toEqual([500, 1_000, 2_000, 4_000]);
});

test("a response that failed in passing is asked for again, and its successor is noted too", async () => {
  const failed = stored("failed", { error: { code: "server_error", message: "Oops" } });
  await using it = await run([queued, failed, stored("queued", { id: "resp_2" }), whole]);
  const noted: string[] = [];
  const onStarted = async (responseId: string) => void noted.push(responseId);
  expect((await it.model.generate(request, { signal: never, onStarted })).text).toBe("Hi");
  expect(noted).toEqual(["resp_1", "resp_2"]);
  expect(it.calls()).toEqual([create, look, create, "GET /v1/responses/resp_2"]);
});

const endings: readonly (readonly [string, Answer, Partial<RunnerError>])[] = [
  [
    "cancelled, even in passing",
    stored("cancelled", { error: { code: "server_error", message: "Stopped" } }),
    {
      code: "model_failed",
      message: "the model's provider reports the response as cancelled: Stopped (code server_error)",
    },
  ],
  [
    "failed",
    stored("failed", { error: { code: "invalid_prompt", message: "Bad prompt" } }),
    {
      code: "model_failed",
      message: "the model's provider reports the response as failed: Bad prompt (code invalid_prompt)",
    },
  ],
  [
    "incomplete",
    stored("incomplete", {
      incomplete_details: { reason: "max_output_tokens" },
      output: [message("Half")],
    }),
    { code: "model_incomplete" },
  ],
  [
    "a refusal",
    storedWhole({ ...message(""), content: [{ type: "refusal", refusal: "No." }] }),
    { code: "model_refused", message: "the model declined: No." },
  ],
  ["nothing", storedWhole(), { code: "model_empty" }],
];

test.for(endings)("%s goes out as in streaming, and is not asked again", async ([, ending, expected]) => {
  await using it = await run([queued, ending]);
  const error = await thrownBy(it.model.generate(request, { signal: never }));
  expect(error).toMatchObject({ ...expected, retryable: false });
  expect(it.calls()).toEqual([create, look]);
});

test("a key that is refused on the way is fetched anew, and nothing is asked again", async () => {
  const refused = apiError(401, { message: "Incorrect API key", code: "invalid_api_key" });
  await using it = await run([queued, running, refused, whole]);
  expect((await it.model.generate(request, { signal: never })).text).toBe("Hi");
  expect(it.calls()).toEqual([create, look, look, look]);
  expect(it.server.seen[3]!.headers.authorization).toBe(`Bearer ${freshKey}`);
  expect(it.notes).toEqual([{ kind: "key_refetched" }]);
});

test("an abort between looks rejects at once with the signal's reason, and the generation runs on", async () => {
  const controller = new AbortController();
  const reason = new Error("the attempt is over");
  const clock = {
    now: () => 0,
    sleep: async (ms: number, signal?: AbortSignal) => {
      if (ms === 500) controller.abort(reason);
      return await systemClock.sleep(1_000_000, signal);
    },
  };
  await using it = await run([queued, whole], { clock });
  expect(await thrownBy(it.model.generate(request, { signal: controller.signal }))).toBe(reason);
  expect(it.calls()).toEqual([create]);
});

test("an abort in a look closes it and rejects with the signal's reason", async () => {
  await using it = await run([queued, noAnswer]);
  const controller = new AbortController();
  const outcome = thrownBy(it.model.generate(request, { signal: controller.signal }));
  await it.server.arrived(2);
  const reason = new Error("the attempt is over");
  controller.abort(reason);
  expect(await outcome).toBe(reason);
  await it.server.seen[1]!.closed;
  expect(it.calls()).toEqual([create, look]);
});

test("what the note throws goes out as it is, unrepeated; the response that nobody knows is cancelled", async () => {
  const unavailable = new RunnerError("run_store_unavailable", "no run store", { retryable: true });
  await using it = await run([queued, stored("cancelled")]);
  const onStarted = () => Promise.reject(unavailable);
  expect(await thrownBy(it.model.generate(request, { signal: never, onStarted }))).toBe(unavailable);
  expect(it.calls()).toEqual([create, cancel]);
});

test("a note that an abort cut short may have been made: the response is left running", async () => {
  const controller = new AbortController();
  const reason = new Error("the attempt is over");
  await using it = await run([queued]);
  const onStarted = async () => {
    controller.abort(reason);
    throw reason;
  };
  expect(await thrownBy(it.model.generate(request, { signal: controller.signal, onStarted }))).toBe(reason);
  expect(it.calls()).toEqual([create]);
});

test("a response without the previous one that was named is cancelled before it costs much", async () => {
  await using it = await run([queued, stored("cancelled")]);
  const chained = { ...request, previousResponseId: "resp_0" };
  expect(await thrownBy(it.model.generate(chained, { signal: never }))).toMatchObject({
    code: "model_previous_response_missing",
    message: "the model's provider answered without the previous response",
  });
  expect(it.calls()).toEqual([create, cancel]);
});

test("what is not stored is streamed", async () => {
  await using it = await run([json(200, { id: "resp_1", output: [message("Hi")] })]);
  await it.model.generate({ ...request, store: false }, { signal: never });
  expect(it.server.seen[0]!.body).toMatchObject({ store: false, stream: true });
  expect(it.server.seen[0]!.body).not.toHaveProperty("background");
});
