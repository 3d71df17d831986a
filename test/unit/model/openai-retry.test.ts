import { expect, test } from "vitest";
import { systemClock } from "../../../lib/core/clock.ts";
import { hangUp, noAnswer, type Reply } from "../../support/http-server.ts";
import {
  apiError,
  brokenStream,
  completed,
  ended,
  html,
  message,
  silence,
  slowStream,
  stream,
} from "../../support/model-replies.ts";
import { fixture } from "./support.ts";

const created = { type: "response.created", response: { id: "resp_1" } };
const limited = { message: "Rate limit reached", type: "requests", code: "rate_limit_exceeded" };
const oops = { code: "server_error", message: "Oops" };
const down = apiError(503, { message: "Down" });
const fine = stream(completed(message("Hi")));

test.for<readonly [string, Reply]>([
  ["408", apiError(408, { message: "Slow" })],
  ["409", apiError(409, { message: "Conflict" })],
  ["429", apiError(429, limited)],
  ["500", apiError(500, { message: "Oops", type: "server_error" })],
  ["529", apiError(529, { message: "Overloaded" })],
  ["999, which no Response object can have", apiError(999, { message: "Denied" })],
  ["an HTML page with 502", html(502)],
  ["a proxy's HTML page with 200", html(200)],
  ["a connection that breaks in the stream", brokenStream(created)],
  ["a connection that breaks before the answer", hangUp],
  ["a stream that ends too early", stream(created)],
  ["an error event of the server", stream({ type: "error", error: oops })],
  ["a failed response with server_error", stream(ended("failed", { error: oops }))],
  ["a failed response with rate_limit_exceeded", stream(ended("failed", { error: limited }))],
])("retries after %s", async ([, answer]) => {
  const { ask, server, waits } = await fixture([answer, fine]);
  expect((await ask()).text).toBe("Hi");
  expect(server.requests).toHaveLength(2);
  expect(waits).toEqual([500]);
});

test.for<readonly [Readonly<Record<string, string>>, number]>([
  [{ "retry-after": "7" }, 7_000],
  [{ "retry-after-ms": "2500", "retry-after": "7" }, 2_500],
  [{ "retry-after": "Fri, 20 Nov 2026 12:00:09 GMT" }, 9_000],
  [{ "retry-after": "soon" }, 500],
  [{ "retry-after-ms": "0" }, 500],
  [{ "retry-after": "1784000000" }, 180_000],
])("given %j, waits %i ms: its own back-off at least, three minutes at most", async ([headers, waitMs]) => {
  const { ask, notes, waits } = await fixture([apiError(429, limited, headers), fine]);
  await ask();
  expect(waits).toEqual([waitMs]);
  const explanation =
    "the model's provider is not available: Rate limit reached (HTTP 429, code rate_limit_exceeded)";
  expect(notes).toEqual([{ kind: "retry", code: "model_unavailable", status: 429, explanation, waitMs }]);
});

test("fails after five tries with doubling waits", async () => {
  const { failure, server, waits } = await fixture([down, down, down, down, down, fine]);
  expect(await failure()).toMatchObject({
    code: "model_unavailable",
    message: "the model's provider is not available: Down (HTTP 503)",
    retryable: true,
  });
  expect(waits).toEqual([500, 1_000, 2_000, 4_000]);
  expect(server.requests).toHaveLength(5);
});

test("reports the system's error code when the connection is refused", async () => {
  const { failure, server } = await fixture([]);
  await server.close();
  expect(await failure()).toMatchObject({
    code: "model_unavailable",
    message: "the connection to the model's provider failed (ECONNREFUSED)",
  });
});

/** Longer than a local server needs for an answer, even on a busy machine. */
const silenceMs = 500;

test.for([
  ["after the stream has started", silence(created)],
  ["before any answer", noAnswer],
] as const)("a connection that falls silent %s is closed, and the request is retried", async ([, silent]) => {
  const { ask, notes, server } = await fixture([silent, fine], { silenceMs });
  expect((await ask()).text).toBe("Hi");
  await server.requests[0]!.closed;
  expect(notes).toEqual([
    {
      kind: "retry",
      code: "model_unavailable",
      status: undefined,
      explanation: "the model's provider sent nothing for 500 ms",
      waitMs: 500,
    },
  ]);
});

test("silence on every try fails with model_unavailable", async () => {
  const { failure } = await fixture(Array<Reply>(5).fill(silence(created)), { silenceMs });
  expect(await failure()).toMatchObject({
    code: "model_unavailable",
    message: "the model's provider sent nothing for 500 ms",
  });
});

test("comments in the stream keep a slow connection alive", async () => {
  const slow = slowStream({ everyMs: 50, comments: 25 }, completed(message("At last")));
  const { ask, notes } = await fixture([slow], { silenceMs: 1_000 });
  expect((await ask()).text).toBe("At last");
  expect(notes).toEqual([]);
});

const reason = new Error("the lease is lost");

test.for([
  ["during the stream", silence(created)],
  ["before the answer", noAnswer],
] as const)("an abort %s closes the request and rejects with the signal's reason", async ([, answer]) => {
  const { failure, server } = await fixture([answer]);
  const controller = new AbortController();
  const outcome = failure({}, { signal: controller.signal });
  await server.received(1);
  controller.abort(reason);
  expect(await outcome).toBe(reason);
  await server.requests[0]!.closed;
  expect(server.requests).toHaveLength(1);
});

test("an abort while waiting between tries rejects with the signal's reason", async () => {
  const controller = new AbortController();
  const { failure } = await fixture([down], {
    clock: { now: () => 0, sleep: (ms, signal) => systemClock.sleep(ms, signal) },
    onEvent: () => controller.abort(reason),
  });
  expect(await failure({}, { signal: controller.signal })).toBe(reason);
});

test("nothing is sent if the signal has already aborted", async () => {
  const { failure, server } = await fixture([fine]);
  expect(await failure({}, { signal: AbortSignal.abort(reason) })).toBe(reason);
  expect(server.requests).toEqual([]);
});

test("an error from the key source is thrown unchanged", async () => {
  const broken = new Error("no secret");
  const get = () => Promise.reject(broken);
  const { failure } = await fixture([], { apiKey: { get, refresh: get } });
  expect(await failure()).toBe(broken);
});
