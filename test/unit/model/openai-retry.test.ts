import { createServer } from "node:net";
import { once } from "node:events";
import { expect, test } from "vitest";
import { systemClock } from "../../../lib/core/clock.ts";
import type { Answer } from "../../support/responses-server.ts";
import {
  apiError,
  brokenStream,
  completed,
  ended,
  html,
  listen,
  message,
  noAnswer,
  silence,
  slowStream,
  startResponsesServer,
  stream,
} from "../../support/responses-server.ts";
import { adapter, never, request, thrownBy } from "./support.ts";

const created = { type: "response.created", response: { id: "resp_1" } };
const limited = { message: "Rate limit reached", type: "requests", code: "rate_limit_exceeded" };
const fine = stream(completed(message("Hi")));

const passing: readonly (readonly [string, Answer])[] = [
  ["408", apiError(408, { message: "Slow" })],
  ["409", apiError(409, { message: "Conflict" })],
  ["429", apiError(429, limited)],
  ["500", apiError(500, { message: "Oops", type: "server_error" })],
  ["an HTML page with 502", html(502)],
  ["a proxy's HTML page with 200", html(200)],
  ["529", apiError(529, { message: "Overloaded" })],
  ["999, which no Response can have", apiError(999, { message: "Denied" })],
  ["a connection that breaks in the stream", brokenStream(created)],
  ["a connection that breaks before the answer", (response) => void response.destroy()],
  ["a stream that ends too early", stream(created)],
  [
    "an error event of the server",
    stream({ type: "error", error: { code: "server_error", message: "Oops" } }),
  ],
  [
    "a failed response with server_error",
    stream(ended("failed", { error: { code: "server_error", message: "Oops" } })),
  ],
  ["a failed response with rate_limit_exceeded", stream(ended("failed", { error: limited }))],
];

test.for(passing)("tries again after %s", async ([, answer]) => {
  await using server = await startResponsesServer([answer, fine]);
  const { model, waits } = adapter(server.baseUrl);
  expect((await model.generate(request, { signal: never })).text).toBe("Hi");
  expect(server.seen).toHaveLength(2);
  expect(waits).toEqual([500]);
});

const waitsAsked: readonly (readonly [string, Readonly<Record<string, string>>, number])[] = [
  ["retry-after in seconds", { "retry-after": "7" }, 7_000],
  ["retry-after-ms before retry-after", { "retry-after-ms": "2500", "retry-after": "7" }, 2_500],
  ["retry-after as an HTTP date", { "retry-after": "Fri, 20 Nov 2026 12:00:09 GMT" }, 9_000],
  ["nonsense, by its own back-off", { "retry-after": "soon" }, 500],
];

test.for(waitsAsked)("waits as asked by %s", async ([, headers, waitMs]) => {
  await using server = await startResponsesServer([apiError(429, limited, headers), fine]);
  const { model, waits, notes } = adapter(server.baseUrl);
  await model.generate(request, { signal: never });
  expect(waits).toEqual([waitMs]);
  expect(notes).toEqual([{ kind: "retry", code: "model_unavailable", status: 429, waitMs }]);
});

test.for<readonly [string, Readonly<Record<string, string>>]>([
  ["retry-after", { "retry-after": "0" }],
  ["retry-after-ms", { "retry-after-ms": "0" }],
  ["a date in the past", { "retry-after": "Fri, 20 Nov 2026 11:00:00 GMT" }],
])("does not ask at once because %s says 0: its waits double", async ([, headers]) => {
  const limitedNow = apiError(429, limited, headers);
  await using server = await startResponsesServer([limitedNow, limitedNow, limitedNow, limitedNow, fine]);
  const { model, waits } = adapter(server.baseUrl);
  await model.generate(request, { signal: never });
  expect(waits).toEqual([500, 1_000, 2_000, 4_000]);
});

test("waits three minutes at most, however long the provider asks", async () => {
  const away = apiError(503, { message: "Down" }, { "retry-after": "1784000000" });
  await using server = await startResponsesServer([away, fine]);
  const { model, waits } = adapter(server.baseUrl);
  expect((await model.generate(request, { signal: never })).text).toBe("Hi");
  expect(waits).toEqual([180_000]);
});

test("gives up after five attempts, with doubling waits", async () => {
  const down = apiError(503, { message: "Down" });
  await using server = await startResponsesServer([down, down, down, down, down, fine]);
  const { model, waits } = adapter(server.baseUrl);
  const error = await thrownBy(model.generate(request, { signal: never }));
  expect(error).toMatchObject({
    code: "model_unavailable",
    message: "the model's provider is not available: Down (HTTP 503)",
    retryable: true,
  });
  expect(waits).toEqual([500, 1_000, 2_000, 4_000]);
  expect(server.seen).toHaveLength(5);
});

test("names the system's code when nobody listens", async () => {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, "close");
  const error = await thrownBy(
    adapter(`http://127.0.0.1:${port}/v1`).model.generate(request, { signal: never }),
  );
  expect(error).toMatchObject({
    code: "model_unavailable",
    message: "the connection to the model's provider failed (ECONNREFUSED)",
  });
});

/** Long enough for what a local server answers at once, also on a busy machine. */
const silenceMs = 500;

test.for([
  ["after the stream has begun", silence(created)],
  ["before any answer", noAnswer],
] as const)("a line silent %s is closed and tried again", async ([, silent]) => {
  await using server = await startResponsesServer([silent, fine]);
  const { model, notes } = adapter(server.baseUrl, { silenceMs });
  expect((await model.generate(request, { signal: never })).text).toBe("Hi");
  await server.seen[0]!.closed;
  expect(notes).toEqual([{ kind: "retry", code: "model_unavailable", status: undefined, waitMs: 500 }]);
});

test("silence in every attempt is model_unavailable", async () => {
  await using server = await startResponsesServer(Array.from({ length: 5 }, () => silence(created)));
  const error = await thrownBy(
    adapter(server.baseUrl, { silenceMs }).model.generate(request, { signal: never }),
  );
  expect(error).toMatchObject({
    code: "model_unavailable",
    message: "the model's provider sent nothing for 500 ms",
  });
});

test("comments keep a line alive while the model thinks", async () => {
  await using server = await startResponsesServer([
    slowStream({ everyMs: 50, comments: 25 }, completed(message("At last"))),
  ]);
  const { model, notes } = adapter(server.baseUrl, { silenceMs: 1_000 });
  expect((await model.generate(request, { signal: never })).text).toBe("At last");
  expect(notes).toEqual([]);
});

test.for([
  ["in the stream", silence(created)],
  ["before the answer", noAnswer],
] as const)("an abort %s closes the request and rejects with the signal's reason", async ([, answer]) => {
  await using server = await startResponsesServer([answer]);
  const controller = new AbortController();
  const outcome = thrownBy(adapter(server.baseUrl).model.generate(request, { signal: controller.signal }));
  await server.arrived(1);
  const reason = new Error("the lease is lost");
  controller.abort(reason);
  expect(await outcome).toBe(reason);
  await server.seen[0]!.closed;
  expect(server.seen).toHaveLength(1);
});

test("an abort while waiting between attempts rejects with the signal's reason", async () => {
  await using server = await startResponsesServer([apiError(503, { message: "Down" })]);
  const controller = new AbortController();
  const reason = new Error("the lease is lost");
  const { model } = adapter(server.baseUrl, {
    clock: { now: () => 0, sleep: (ms, signal) => systemClock.sleep(ms, signal) },
    onEvent: () => controller.abort(reason),
  });
  expect(await thrownBy(model.generate(request, { signal: controller.signal }))).toBe(reason);
});

test("nothing is sent under a signal that is already aborted", async () => {
  await using server = await startResponsesServer([fine]);
  const reason = new Error("over");
  expect(
    await thrownBy(adapter(server.baseUrl).model.generate(request, { signal: AbortSignal.abort(reason) })),
  ).toBe(reason);
  expect(server.seen).toEqual([]);
});

test("an error of the key's store goes out as it is", async () => {
  await using server = await startResponsesServer([]);
  const broken = new Error("no secret");
  const { model } = adapter(server.baseUrl, {
    apiKey: { get: () => Promise.reject(broken), refresh: () => Promise.reject(broken) },
  });
  expect(await thrownBy(model.generate(request, { signal: never }))).toBe(broken);
});
