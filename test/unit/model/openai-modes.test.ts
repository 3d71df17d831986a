import { expect, test } from "vitest";
import type { GenerationMode } from "../../../lib/core/options.ts";
import type { Answer } from "../../support/responses-server.ts";
import {
  apiError,
  completed,
  ended,
  json,
  message,
  startResponsesServer,
  stored,
  storedWhole,
  stream,
} from "../../support/responses-server.ts";
import { adapter, never, request, thrownBy } from "./support.ts";

const fine = stream(completed(message("Hi")));
const whole = storedWhole(message("Hi"));
const gone = apiError(404, { message: "Response with id 'resp_1' not found." });
const refusal = apiError(400, {
  message: "Unknown parameter: 'background'.",
  type: "invalid_request_error",
  param: "background",
  code: "unknown_parameter",
});

async function sentBy(mode: GenerationMode | undefined, answers: readonly Answer[], rounds = 1) {
  await using server = await startResponsesServer(answers);
  const { model, notes } = adapter(server.baseUrl, mode === undefined ? {} : { mode });
  for (let round = 0; round < rounds; round++) await model.generate(request, { signal: never });
  const sent = server.seen.map(({ method, path, body }) =>
    method === "POST" && path === "/v1/responses"
      ? body["background"] === true
        ? "background"
        : "streaming"
      : `${method} ${path}`,
  );
  return { sent, notes };
}

test.for([
  [undefined, "streaming", fine],
  ["streaming", "streaming", fine],
  ["background", "background", whole],
  ["auto", "background", whole],
] as const)("mode %s makes stored responses in %s", async ([mode, delivery, answer]) => {
  expect((await sentBy(mode, [answer])).sent).toEqual([delivery]);
});

const refusals: readonly (readonly [string, Answer])[] = [
  ["an unknown parameter", refusal],
  [
    "words about background mode",
    apiError(400, { message: "This engine has no store and does not support the background mode." }),
  ],
  [
    "a validation error of FastAPI",
    json(422, {
      detail: [
        { loc: ["body", "background"], msg: "Extra inputs are not permitted", type: "extra_forbidden" },
      ],
    }),
  ],
  ["501", apiError(501, { message: "Not implemented" })],
];

test.for(refusals)("auto: a provider that refuses with %s is streamed from then on", async ([, answer]) => {
  const { sent, notes } = await sentBy("auto", [answer, fine, fine], 2);
  expect(sent).toEqual(["background", "streaming", "streaming"]);
  expect(notes).toEqual([{ kind: "background_refused" }]);
});

test("auto: a provider whose responses cannot be read is streamed from then on", async () => {
  const answers = [stored("queued"), gone, gone, gone, gone, gone, gone, fine, fine];
  const { sent } = await sentBy("auto", answers, 2);
  const look = "GET /v1/responses/resp_1";
  const cancel = "POST /v1/responses/resp_1/cancel";
  expect(sent).toEqual(["background", look, look, look, look, look, cancel, "streaming", "streaming"]);
});

test("auto: a provider without a route to stored responses is streamed", async () => {
  const none = apiError(501, { message: "Not implemented" });
  const answers = [stored("queued"), none, none, none, none, none, none, fine];
  expect((await sentBy("auto", answers)).sent.at(-1)).toBe("streaming");
});

test("auto: a provider that answers in the foreground all the same is streamed from then on", async () => {
  const foreground = stored("completed", { background: false, output: [message("Hi")] });
  expect((await sentBy("auto", [foreground, fine], 2)).sent).toEqual(["background", "streaming"]);
});

test("auto: a quick answer in the background is no reason to stream", async () => {
  expect((await sentBy("auto", [whole, whole], 2)).sent).toEqual(["background", "background"]);
});

test("auto: one model's refusal is not another's", async () => {
  expect((await sentBy("auto", [refusal, fine])).sent).toEqual(["background", "streaming"]);
  expect((await sentBy("auto", [whole])).sent).toEqual(["background"]);
});

test("auto: any other rejection goes out and changes nothing", async () => {
  await using server = await startResponsesServer([apiError(400, { message: "Too long" }), whole]);
  const { model } = adapter(server.baseUrl, { mode: "auto" });
  const error = await thrownBy(model.generate(request, { signal: never }));
  expect(error).toMatchObject({ code: "model_rejected" });
  await model.generate(request, { signal: never });
  expect(server.seen[1]!.body).toMatchObject({ background: true });
});

test("auto: a key that is refused at the first look is not a provider without background", async () => {
  const unauthorized = apiError(401, { message: "No", code: "invalid_api_key" });
  await using server = await startResponsesServer([stored("queued"), unauthorized, unauthorized]);
  const { model } = adapter(server.baseUrl, { mode: "auto" });
  const error = await thrownBy(model.generate(request, { signal: never }));
  expect(error).toMatchObject({ code: "model_key_refused" });
  expect(server.seen).toHaveLength(3);
});

test("background: a refusal goes out", async () => {
  await using server = await startResponsesServer([refusal]);
  const { model } = adapter(server.baseUrl, { mode: "background" });
  expect(await thrownBy(model.generate(request, { signal: never }))).toMatchObject({
    code: "model_rejected",
    status: 400,
  });
  expect(server.seen).toHaveLength(1);
});

const limit = { message: "Rate limit reached", code: "rate_limit_exceeded" };
const asked = { "retry-after": "7" };

test.for<readonly [string, readonly Answer[], readonly (number | undefined)[]]>([
  ["a streamed request", [apiError(429, limit, asked), apiError(429, limit), fine], [7_000, undefined]],
  ["an error in a stream", [stream({ type: "error", error: limit }), fine], [undefined]],
  ["a response that failed at it", [stream(ended("failed", { error: limit })), fine], [undefined]],
  ["no 429", [apiError(503, { message: "Down" }, asked), fine], []],
])("the caller hears of a rate limit, also of one that is waited out: %s", async ([, answers, told]) => {
  await using server = await startResponsesServer(answers);
  const heard: (number | undefined)[] = [];
  const { model } = adapter(server.baseUrl, {
    onRateLimited: ({ retryAfterMs }) => heard.push(retryAfterMs),
  });
  await model.generate(request, { signal: never });
  expect(heard).toEqual(told);
});

test("the caller hears of rate limits in the background: at the begin, at a look, at the end", async () => {
  const heard: (number | undefined)[] = [];
  await using server = await startResponsesServer([
    apiError(429, limit, { "retry-after-ms": "250" }),
    stored("queued"),
    apiError(429, limit, asked),
    stored("failed", { error: limit }),
    whole,
  ]);
  const { model } = adapter(server.baseUrl, {
    mode: "background",
    onRateLimited: ({ retryAfterMs }) => heard.push(retryAfterMs),
  });
  await model.generate(request, { signal: never });
  expect(heard).toEqual([250, 7_000, undefined]);
});

test("an exhausted quota is not a rate limit", async () => {
  const quota = { message: "No credit", type: "insufficient_quota", code: "insufficient_quota" };
  const heard: unknown[] = [];
  await using server = await startResponsesServer([
    apiError(429, quota),
    stream(ended("failed", { error: quota })),
  ]);
  const { model } = adapter(server.baseUrl, { onRateLimited: (told) => heard.push(told) });
  for (let round = 0; round < 2; round++) await thrownBy(model.generate(request, { signal: never }));
  expect(heard).toEqual([]);
});
