import { expect, test } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { hangUp, noAnswer } from "../../support/http-server.ts";
import {
  apiError,
  completed,
  functionCall,
  html,
  message,
  silence,
  stored,
  storedWhole,
  stream,
} from "../../support/model-replies.ts";
import { fixture, never, thrownBy } from "../model/support.ts";

const usage = { input_tokens: 7, output_tokens: 3 };
const counted = {
  inputTokens: 7,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 3,
  reasoningTokens: 0,
  webSearches: 0,
};
const created = { type: "response.created", response: { id: "resp_1", status: "in_progress" } };

test("following a response waits for its end, polls when there are no events, and starts no new response", async () => {
  const { model, server, waits } = await fixture([
    stored("in_progress"),
    stored("in_progress"),
    storedWhole(message("Hi")),
  ]);
  expect(await model.follow("resp_1", never)).toMatchObject({ responseId: "resp_1", text: "Hi" });
  const route = "/v1/responses/resp_1";
  expect(server.requests.map(({ path }) => path)).toEqual([route, `${route}?stream=true`, route]);
  expect(waits).toEqual([500]);
});

test("a response that has ended is followed without a wait", async () => {
  const { model, waits } = await fixture([storedWhole(message("Hi"))]);
  await model.follow("resp_1", never);
  expect(waits).toEqual([]);
});

test.for([
  ["a permanent failure", stored("failed", { error: { code: "invalid_prompt" } }), "model_failed", false],
  ["a transient failure", stored("failed", { error: { code: "server_error" } }), "model_failed", true],
  ["cancelled", stored("cancelled"), "model_failed", true],
  ["incomplete", stored("incomplete"), "model_incomplete", false],
] as const)("following a response that ended as %s throws", async ([, answer, code, retryable]) => {
  const { model } = await fixture([answer]);
  const error = await thrownBy(model.follow("resp_1", never));
  expect(error).toMatchObject({ code, retryable });
});

test.for([
  ["404", apiError(404, { message: "Response with id 'resp_1' not found." })],
  ["404 of a server without the route", html(404)],
  ["403 for a key that may not read", apiError(403, { message: "Missing scope" })],
  ["405", apiError(405, { message: "Method not allowed" })],
  ["501", apiError(501, { message: "Not implemented" })],
] as const)("a response that stays unreadable is reported as missing: %s", async ([, answer]) => {
  const { model, waits } = await fixture(Array.from({ length: 10 }, () => answer));
  for (const read of [model.follow, model.retrieve]) {
    expect(await thrownBy(read("resp_1", never))).toMatchObject({
      code: "model_previous_response_missing",
      retryable: false,
    });
  }
  expect(waits).toEqual([250, 500, 1_000, 2_000, 250, 500, 1_000, 2_000]);
});

test("a completed response is retrieved with its turn, its predecessor and its usage", async () => {
  const call = functionCall("call_1", "create_list", "{}");
  const whole = { previous_response_id: "resp_0", output: [call], usage };
  const { model } = await fixture([stored("completed", whole)]);
  expect(await model.retrieve("resp_1", never)).toEqual({
    previousResponseId: "resp_0",
    status: "completed",
    usage: counted,
    turn: {
      responseId: "resp_1",
      text: "",
      calls: [{ callId: "call_1", name: "create_list", arguments: "{}" }],
      usage: counted,
      outputItems: [call],
    },
  });
});

test.for(["queued", "in_progress", "failed", "cancelled", "incomplete"] as const)(
  "a response that is %s is retrieved without a turn but with its usage",
  async (status) => {
    const { model } = await fixture([stored(status, { usage, output: [message("Hi")] })]);
    const retrieved = { previousResponseId: undefined, status, turn: undefined, usage: counted };
    expect(await model.retrieve("resp_1", never)).toEqual(retrieved);
  },
);

test("a completed response without text or calls is retrieved without a turn", async () => {
  const { model } = await fixture([storedWhole()]);
  const { status, turn } = await model.retrieve("resp_1", never);
  expect({ status, turn }).toEqual({ status: "completed", turn: undefined });
});

test("a stored response without a status counts as ended", async () => {
  const { model } = await fixture([stored("", { status: null, output: [message("Hi")] })]);
  expect((await model.follow("resp_1", never)).text).toBe("Hi");
});

test("an unknown status that persists is a contract error", async () => {
  const { model } = await fixture(Array.from({ length: 5 }, () => stored("dreaming")));
  const error = await thrownBy(model.retrieve("resp_1", never));
  expect(error).toMatchObject({ code: "model_contract", retryable: false });
});

test("a response id is escaped in the request path", async () => {
  const { model, server } = await fixture([storedWhole(message("Hi"))]);
  await model.retrieve("resp/1?x", never);
  expect(server.requests[0]!.path).toBe("/v1/responses/resp%2F1%3Fx");
});

test.for(["follow", "cancel"] as const)(
  "an abort while calling %s rejects with the signal's reason",
  async (call) => {
    const { model, server } = await fixture([noAnswer]);
    const controller = new AbortController();
    const outcome = thrownBy(model[call]("resp_1", controller.signal));
    await server.received(1);
    const reason = new Error("the lease is lost");
    controller.abort(reason);
    expect(await outcome).toBe(reason);
  },
);

test("cancelling a response takes one request", async () => {
  const { model, calls, notes } = await fixture([stored("cancelled")]);
  await model.cancel("resp_1", never);
  expect(calls()).toEqual(["POST /v1/responses/resp_1/cancel"]);
  expect(notes).toEqual([]);
});

test("cancelling a response is retried after transient errors", async () => {
  const { model, server } = await fixture([apiError(503, { message: "Down" }), hangUp, stored("cancelled")]);
  await model.cancel("resp_1", never);
  expect(server.requests).toHaveLength(3);
});

test.for([
  ["a response that was not made in the background", apiError(400, { message: "Cannot cancel" }), 400],
  ["a response that is gone", apiError(404, { message: "Not found" }), 404],
] as const)("failing to cancel %s is recorded, not thrown", async ([, answer, status]) => {
  const { model, notes } = await fixture([answer]);
  await model.cancel("resp_1", never);
  expect(notes).toMatchObject([{ kind: "cancel_failed", status }]);
});

test("streaming: the id is recorded once, when the response is created", async () => {
  const progress = { type: "response.in_progress", response: { id: "resp_1" } };
  const { failure } = await fixture([silence(created, progress)]);
  const controller = new AbortController();
  const recorded: string[] = [];
  const outcome = failure(
    {},
    {
      signal: controller.signal,
      onStarted: async (responseId) => {
        recorded.push(responseId);
        setTimeout(() => controller.abort(new Error("seen enough")), 20);
      },
    },
  );
  expect((await outcome).message).toBe("seen enough");
  expect(recorded).toEqual(["resp_1"]);
});

test("streaming: the id is recorded at the end when the server does not announce the response", async () => {
  const { ask } = await fixture([stream(completed(message("Hi")))]);
  const recorded: string[] = [];
  const onStarted = async (responseId: string) => void recorded.push(responseId);
  await ask({}, { onStarted });
  expect(recorded).toEqual(["resp_1"]);
});

test("streaming: an error while the id is recorded is thrown unchanged and closes the request, which is not repeated", async () => {
  const { ask, server } = await fixture([silence(created)]);
  const unavailable = new RunnerError("run_store_unavailable", "no run store", { retryable: true });
  const onStarted = () => Promise.reject(unavailable);
  const outcome = ask({}, { onStarted });
  expect(await thrownBy(outcome)).toBe(unavailable);
  await server.requests[0]!.closed;
  expect(server.requests).toHaveLength(1);
});
