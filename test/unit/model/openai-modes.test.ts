import { expect, test } from "vitest";
import type { Reply } from "../../support/http-server.ts";
import {
  apiError,
  completed,
  ended,
  message,
  stored,
  storedWhole,
  stream,
} from "../../support/model-replies.ts";
import { cancel, create, look, fixture } from "./support.ts";

const fine = stream(completed(message("Hi")));
const whole = storedWhole(message("Hi"));
const gone = apiError(404, { message: "Response with id 'resp_1' not found." });
const none = apiError(501, { message: "Not implemented" });
const refusal = apiError(400, {
  message: "Unknown parameter.",
  param: "background",
  code: "unknown_parameter",
});

type Mode = "streaming" | "background" | "auto" | undefined;

async function sentBy(mode: Mode, answers: readonly Reply[], rounds = 1) {
  const { ask, notes, server } = await fixture(answers, mode === undefined ? {} : { mode });
  for (let round = 0; round < rounds; round++) await ask();
  const sent = server.requests.map(({ method, path, body }) => {
    const call = `${method} ${path}`;
    if (call !== create) return call;
    return body.includes('"background":true') ? "background" : "streaming";
  });
  return { sent, notes };
}

test.for([
  [undefined, "streaming", fine],
  ["streaming", "streaming", fine],
  ["background", "background", whole],
  ["auto", "background", whole],
] as const)("mode %s uses %s requests for stored responses", async ([mode, delivery, answer]) => {
  expect((await sentBy(mode, [answer, answer], 2)).sent).toEqual([delivery, delivery]);
});

const extraInputs = { loc: ["body", "background"], msg: "Extra inputs are not permitted" };

test.for<readonly [string, Reply]>([
  ["an unknown parameter", refusal],
  ["a message about background mode", apiError(400, { message: "No store: no background mode." })],
  ["Bedrock's message", apiError(400, { message: "The background parameter is not supported" })],
  ["a validation error of FastAPI", { status: 422, body: { detail: [extraInputs] } }],
  ["501", none],
])("auto: a provider that refuses with %s is switched to streaming", async ([, answer]) => {
  const { sent, notes } = await sentBy("auto", [answer, fine, fine], 2);
  expect(sent).toEqual(["background", "streaming", "streaming"]);
  expect(notes).toEqual([{ kind: "background_refused" }]);
});

test("auto: a provider whose stored responses cannot be read is switched to streaming", async () => {
  const { sent } = await sentBy(
    "auto",
    [stored("queued"), gone, gone, gone, gone, gone, gone, fine, fine],
    2,
  );
  expect(sent).toEqual(["background", look, look, look, look, look, cancel, "streaming", "streaming"]);
});

test("auto: a provider without a route to stored responses is switched to streaming", async () => {
  const answers = [stored("queued"), none, none, none, none, none, none, fine];
  expect((await sentBy("auto", answers)).sent.at(-1)).toBe("streaming");
});

test("auto: a provider that ignores the background parameter is switched to streaming", async () => {
  const foreground = stored("completed", { background: false, output: [message("Hi")] });
  expect((await sentBy("auto", [foreground, fine], 2)).sent).toEqual(["background", "streaming"]);
});

test("auto: any other rejection is reported and does not change the mode", async () => {
  const { ask, asked, failure } = await fixture([apiError(400, { message: "Too long" }), whole], {
    mode: "auto",
  });
  expect(await failure()).toMatchObject({ code: "model_rejected" });
  await ask();
  expect(asked()[1]).toMatchObject({ background: true });
});

test("auto: a key that is refused at the first poll does not switch to streaming", async () => {
  const unauthorized = apiError(401, { message: "No", code: "invalid_api_key" });
  const { failure, server } = await fixture([stored("queued"), unauthorized, unauthorized], { mode: "auto" });
  expect(await failure()).toMatchObject({ code: "model_key_refused" });
  expect(server.requests).toHaveLength(3);
});

test("background: a refusal of the background parameter is reported", async () => {
  const { failure, server } = await fixture([refusal], { mode: "background" });
  expect(await failure()).toMatchObject({ code: "model_rejected", status: 400 });
  expect(server.requests).toHaveLength(1);
});

const limit = { message: "Rate limit reached", code: "rate_limit_exceeded" };
const quota = { message: "No credit", type: "insufficient_quota", code: "insufficient_quota" };
const limited = (headers = {}): Reply => apiError(429, limit, headers);
const asked = { "retry-after": "7" };
const inBackground: readonly Reply[] = [
  limited({ "retry-after-ms": "250" }),
  stored("queued"),
  limited(asked),
  stored("failed", { error: limit }),
  whole,
];

test.for<readonly [string, Mode, readonly Reply[], readonly (number | undefined)[]]>([
  ["answers to a request", "streaming", [limited(asked), limited(), fine], [7_000, undefined]],
  ["an error in a stream", "streaming", [stream({ type: "error", error: limit }), fine], [undefined]],
  ["a failed response", "streaming", [stream(ended("failed", { error: limit })), fine], [undefined]],
  ["start, poll and end in the background", "background", inBackground, [250, 7_000, undefined]],
  ["no limit, but an outage", "streaming", [apiError(503, { message: "Down" }, asked), fine], []],
  ["no limit, but an exhausted quota", "streaming", [apiError(429, quota)], []],
  [
    "no limit, but a failed response without quota",
    "streaming",
    [stream(ended("failed", { error: quota }))],
    [],
  ],
])("onRateLimited gets the Retry-After of each rate limit: %s", async ([, mode, answers, waits]) => {
  const reported: (number | undefined)[] = [];
  const { ask } = await fixture(answers, {
    ...(mode && { mode }),
    onRateLimited: ({ retryAfterMs }) => reported.push(retryAfterMs),
  });
  await ask().catch(() => undefined);
  expect(reported).toEqual(waits);
});
