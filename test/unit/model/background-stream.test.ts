import { expect, test } from "vitest";
import { systemClock } from "../../../lib/core/clock.ts";
import type { Reply } from "../../support/http-server.ts";
import {
  apiError,
  brokenStream,
  completed,
  ended,
  message,
  silence,
  stored,
  storedWhole,
  stream,
} from "../../support/model-replies.ts";
import { create, look, never, fixture, type Overrides } from "./support.ts";

const allEvents = `${look}?stream=true`;
const eventsAfter = (number: number): string => `${allEvents}&starting_after=${number}`;

const created = (fields: Readonly<Record<string, unknown>> = {}) => ({
  type: "response.created",
  sequence_number: 0,
  response: { id: "resp_1", status: "queued", background: true, previous_response_id: null, ...fields },
});
const delta = (sequence_number: number) => ({
  type: "response.output_text.delta",
  sequence_number,
  delta: "H",
});
const itemDone = (sequence_number: number, item: unknown) => ({
  type: "response.output_item.done",
  sequence_number,
  item,
});
const running = stored("in_progress");
const hi = completed(message("Hi"));
const whole = stream(created(), delta(1), hi);

const auto = (answers: readonly Reply[], overrides: Overrides = {}) =>
  fixture(answers, { mode: "auto", ...overrides });

test("a background response is streamed, without polling or waiting", async () => {
  const { ask, asked, calls, waits } = await auto([whole]);
  expect(await ask()).toMatchObject({ responseId: "resp_1", text: "Hi" });
  expect(calls()).toEqual([create]);
  expect(asked()[0]).toMatchObject({ background: true, stream: true, store: true });
  expect(waits).toEqual([]);
});

test("the response id is recorded before the next event is read", async () => {
  const { ask } = await auto([whole]);
  const order: string[] = [];
  const onStarted = async (responseId: string): Promise<void> => {
    await systemClock.sleep(20);
    order.push(`recorded ${responseId}`);
  };
  order.push((await ask({}, { onStarted })).text);
  expect(order).toEqual(["recorded resp_1", "Hi"]);
});

test.for<readonly [string, Reply]>([
  ["breaks", brokenStream(created(), delta(1), delta(2))],
  ["ends before the response does", stream(created(), delta(1), delta(2))],
  ["falls silent", silence(created(), delta(1), delta(2))],
])(
  "a stream that %s is resumed after its last event, and no second response is created",
  async ([, answer]) => {
    const { ask, calls } = await auto([answer, running, stream(delta(3), hi)], { silenceMs: 300 });
    expect((await ask()).text).toBe("Hi");
    expect(calls()).toEqual([create, look, eventsAfter(2)]);
  },
);

test("a stream is resumed every time it breaks or cannot be read", async () => {
  const { ask, calls, waits } = await auto([
    brokenStream(created()),
    apiError(503, { message: "Down" }),
    running,
    brokenStream(delta(1), delta(2)),
    running,
    apiError(429, { message: "Slow" }, { "retry-after": "7" }),
    running,
    brokenStream(),
    running,
    stream(hi),
  ]);
  expect((await ask()).text).toBe("Hi");
  const later = [look, eventsAfter(2)];
  expect(calls()).toEqual([create, look, look, eventsAfter(0), ...later, ...later, ...later]);
  expect(waits).toContain(7_000);
});

test("a response that finished while its stream was broken is read by polling", async () => {
  const { ask, calls } = await auto([brokenStream(created(), delta(1)), storedWhole(message("Hi"))]);
  expect((await ask()).text).toBe("Hi");
  expect(calls()).toEqual([create, look]);
});

test("a resumed stream keeps the items from before the break and counts repeated items once", async () => {
  const [first, second] = [message("One."), message("Two.")];
  const { ask } = await auto([
    brokenStream(created(), itemDone(1, first)),
    running,
    stream(created(), itemDone(1, first), itemDone(2, second), ended("completed", { output: [] })),
  ]);
  expect((await ask()).outputItems).toEqual([first, second]);
});

test("a stream whose events have no sequence numbers is read again from the start", async () => {
  const bare = { type: "response.output_item.done", item: message("One.") };
  const { sequence_number: _, ...begun } = created();
  const { ask, calls } = await auto([
    brokenStream(begun, bare),
    running,
    stream(begun, bare, ended("completed", { output: [] })),
  ]);
  expect((await ask()).outputItems).toEqual([message("One.")]);
  expect(calls()).toEqual([create, look, allEvents]);
});

test.for<readonly [string, Reply]>([
  ["are refused", apiError(400, { message: "This response cannot be streamed.", param: "stream" })],
  ["are answered with 404", apiError(404, { message: "Not found" })],
  ["arrive as JSON", { body: { id: "resp_1", status: "in_progress" } }],
])("a stored response whose events %s is polled until it ends", async ([, answer]) => {
  const { ask, calls, waits } = await auto([
    brokenStream(created(), delta(1)),
    running,
    answer,
    running,
    storedWhole(message("Hi")),
  ]);
  expect((await ask()).text).toBe("Hi");
  expect(calls()).toEqual([create, look, eventsAfter(1), look, look]);
  expect(waits).toEqual([500, 500]);
});

test.for<readonly [string, Reply]>([
  ["before its id is known", brokenStream()],
  ["outside background mode", brokenStream(created({ background: false }), delta(1))],
])("a response whose stream breaks %s is requested again", async ([, answer]) => {
  const { ask, calls } = await auto([answer, whole]);
  expect((await ask()).text).toBe("Hi");
  expect(calls()).toEqual([create, create]);
});

test("a provider that cannot stream in the background is polled from then on, with one note", async () => {
  const { ask, asked, notes } = await auto([
    apiError(400, { message: "'stream' is not supported with background.", param: "stream" }),
    stored("queued"),
    storedWhole(message("Hi")),
    storedWhole(message("Ho")),
  ]);
  await ask();
  expect((await ask()).text).toBe("Ho");
  expect(asked()).toMatchObject([
    { background: true, stream: true },
    { background: true, stream: false },
    { background: true, stream: false },
  ]);
  expect(notes).toEqual([{ kind: "background_stream_refused" }]);
});

test("an abort during the stream closes it and leaves the response running", async () => {
  const { calls, failure, server } = await auto([silence(created(), delta(1))]);
  const controller = new AbortController();
  const reason = new Error("the attempt is over");
  const onStarted = async () => void setTimeout(() => controller.abort(reason), 20);
  expect(await failure({}, { signal: controller.signal, onStarted })).toBe(reason);
  await server.requests[0]!.closed;
  expect(calls()).toEqual([create]);
});

test("a later attempt streams a running response from its first event", async () => {
  const { calls, model, waits } = await auto([running, whole]);
  expect((await model.follow("resp_1", never)).text).toBe("Hi");
  expect(calls()).toEqual([look, allEvents]);
  expect(waits).toEqual([]);
});
