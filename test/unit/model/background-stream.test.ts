import { expect, test } from "vitest";
import { systemClock } from "../../../lib/core/clock.ts";
import { RunnerError } from "../../../lib/core/errors.ts";
import type { OpenAiOptions } from "../../../lib/model/openai.ts";
import type { Answer } from "../../support/responses-server.ts";
import {
  apiError,
  brokenStream,
  completed,
  ended,
  json,
  message,
  silence,
  startResponsesServer,
  stored,
  storedWhole,
  stream,
} from "../../support/responses-server.ts";
import { adapter, never, request, thrownBy } from "./support.ts";

const create = "POST /v1/responses";
const look = "GET /v1/responses/resp_1";
const eventsAfter = (number: number): string => `${look}?stream=true&starting_after=${number}`;
const cancel = `POST /v1/responses/resp_1/cancel`;

const created = (fields: Readonly<Record<string, unknown>> = {}) => ({
  type: "response.created",
  sequence_number: 0,
  response: { id: "resp_1", status: "queued", background: true, previous_response_id: null, ...fields },
});
const delta = (number: number) => ({
  type: "response.output_text.delta",
  sequence_number: number,
  delta: "H",
});
const itemDone = (number: number, item: unknown) => ({
  type: "response.output_item.done",
  sequence_number: number,
  item,
});
const running = stored("in_progress");
const whole = stream(created(), delta(1), completed(message("Hi")));

async function run(answers: readonly Answer[], overrides: Partial<OpenAiOptions> = {}) {
  const server = await startResponsesServer(answers);
  return {
    ...adapter(server.baseUrl, { mode: "auto", ...overrides }),
    server,
    calls: () => server.seen.map(({ method, path }) => `${method} ${path}`),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

test("a round in the background is followed by its events, without a look and without a wait", async () => {
  await using it = await run([whole]);
  expect(await it.model.generate(request, { signal: never })).toMatchObject({
    responseId: "resp_1",
    text: "Hi",
  });
  expect(it.calls()).toEqual([create]);
  expect(it.server.seen[0]!.body).toMatchObject({ background: true, stream: true, store: true });
  expect(it.waits).toEqual([]);
});

test("the id is noted before the next event is looked at", async () => {
  await using it = await run([whole]);
  const order: string[] = [];
  const onStarted = async (responseId: string): Promise<void> => {
    await systemClock.sleep(20);
    order.push(`noted ${responseId}`);
  };
  const turn = await it.model.generate(request, { signal: never, onStarted });
  order.push(turn.text);
  expect(order).toEqual(["noted resp_1", "Hi"]);
});

test.for<readonly [string, Answer]>([
  ["breaks", brokenStream(created(), delta(1), delta(2))],
  ["ends before its response", stream(created(), delta(1), delta(2))],
])("a stream that %s is resumed after its last event, and nothing is asked again", async ([, answer]) => {
  await using it = await run([answer, running, stream(delta(3), completed(message("Hi")))]);
  expect((await it.model.generate(request, { signal: never })).text).toBe("Hi");
  expect(it.calls()).toEqual([create, look, eventsAfter(2)]);
});

test("a stream that falls silent is taken up again", async () => {
  const answers = [silence(created(), delta(1)), running, stream(completed(message("Hi")))];
  await using it = await run(answers, { silenceMs: 300 });
  expect((await it.model.generate(request, { signal: never })).text).toBe("Hi");
  expect(it.calls()).toEqual([create, look, eventsAfter(1)]);
});

test("a stream that breaks again and again, or cannot be taken up for a while, is asked for nothing twice", async () => {
  await using it = await run([
    brokenStream(created()),
    apiError(503, { message: "Down" }),
    running,
    brokenStream(delta(1), delta(2)),
    running,
    apiError(429, { message: "Slow" }, { "retry-after": "7" }),
    running,
    brokenStream(),
    running,
    stream(completed(message("Hi"))),
  ]);
  expect((await it.model.generate(request, { signal: never })).text).toBe("Hi");
  expect(it.calls()).toEqual([
    create,
    look,
    look,
    eventsAfter(0),
    look,
    eventsAfter(2),
    look,
    eventsAfter(2),
    look,
    eventsAfter(2),
  ]);
  expect(it.waits).toContain(7_000);
});

test("a response that ended while its stream was away is taken from a look", async () => {
  await using it = await run([brokenStream(created(), delta(1)), storedWhole(message("Hi"))]);
  expect((await it.model.generate(request, { signal: never })).text).toBe("Hi");
  expect(it.calls()).toEqual([create, look]);
});

test("items of before the break count, and those that are sent twice count once", async () => {
  const [first, second] = [message("One."), message("Two.")];
  await using it = await run([
    brokenStream(created(), itemDone(1, first)),
    running,
    stream(created(), itemDone(1, first), itemDone(2, second), ended("completed", { output: [] })),
  ]);
  const { outputItems } = await it.model.generate(request, { signal: never });
  expect(outputItems).toEqual([first, second]);
});

test("events without numbers are read from the start again", async () => {
  const bare = { type: "response.output_item.done", item: message("One.") };
  const { sequence_number: _, ...begun } = created();
  await using it = await run([
    brokenStream(begun, bare),
    running,
    stream(begun, bare, ended("completed", { output: [] })),
  ]);
  expect((await it.model.generate(request, { signal: never })).outputItems).toEqual([message("One.")]);
  expect(it.calls()).toEqual([create, look, `${look}?stream=true`]);
});

test.for<readonly [string, Answer]>([
  ["are refused", apiError(400, { message: "This response cannot be streamed.", param: "stream" })],
  ["are no route", apiError(404, { message: "Not found" })],
  ["come as JSON", json(200, { id: "resp_1", status: "in_progress" })],
])("where the events of a stored response %s, it is looked at until it ends", async ([, answer]) => {
  await using it = await run([
    brokenStream(created(), delta(1)),
    running,
    answer,
    running,
    storedWhole(message("Hi")),
  ]);
  expect((await it.model.generate(request, { signal: never })).text).toBe("Hi");
  expect(it.calls()).toEqual([create, look, eventsAfter(1), look, look]);
  expect(it.waits).toEqual([500, 500]);
});

test.for<readonly [string, Answer]>([
  ["before it has told its id", brokenStream()],
  ["though it is not made in the background", brokenStream(created({ background: false }), delta(1))],
])("a stream that breaks %s is asked for again", async ([, answer]) => {
  await using it = await run([answer, whole]);
  expect((await it.model.generate(request, { signal: never })).text).toBe("Hi");
  expect(it.calls()).toEqual([create, create]);
});

test("a provider that does not stream in the background is looked at from then on, and told of once", async () => {
  const refusal = apiError(400, { message: "'stream' is not supported with background.", param: "stream" });
  await using it = await run([
    refusal,
    stored("queued"),
    storedWhole(message("Hi")),
    storedWhole(message("Ho")),
  ]);
  await it.model.generate(request, { signal: never });
  expect((await it.model.generate(request, { signal: never })).text).toBe("Ho");
  expect(it.server.seen.map(({ body }) => [body["background"], body["stream"]])).toEqual([
    [true, true],
    [true, false],
    [undefined, undefined],
    [true, false],
  ]);
  expect(it.notes).toEqual([{ kind: "background_stream_refused" }]);
});

test("what the note throws goes out as it is, unrepeated; the response that nobody knows is cancelled", async () => {
  const unavailable = new RunnerError("run_store_unavailable", "no run store", { retryable: true });
  await using it = await run([whole, stored("cancelled")]);
  const onStarted = () => Promise.reject(unavailable);
  expect(await thrownBy(it.model.generate(request, { signal: never, onStarted }))).toBe(unavailable);
  expect(it.calls()).toEqual([create, cancel]);
});

test("a stream without the previous response that was named is cancelled before it costs much", async () => {
  await using it = await run([whole, stored("cancelled")]);
  const chained = { ...request, previousResponseId: "resp_0" };
  expect(await thrownBy(it.model.generate(chained, { signal: never }))).toMatchObject({
    code: "model_previous_response_missing",
  });
  expect(it.calls()).toEqual([create, cancel]);
});

test("an abort in the middle closes the stream and leaves the response running", async () => {
  await using it = await run([silence(created(), delta(1))]);
  const controller = new AbortController();
  const reason = new Error("the attempt is over");
  const onStarted = async () => void setTimeout(() => controller.abort(reason), 20);
  expect(await thrownBy(it.model.generate(request, { signal: controller.signal, onStarted }))).toBe(reason);
  await it.server.seen[0]!.closed;
  expect(it.calls()).toEqual([create]);
});

test("a later attempt follows a response by its events from the start", async () => {
  await using it = await run([running, whole]);
  expect((await it.model.follow("resp_1", never)).text).toBe("Hi");
  expect(it.calls()).toEqual([look, `${look}?stream=true`]);
  expect(it.waits).toEqual([]);
});
