import { inspect } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import type { ErrorCode } from "../../../lib/core/errors.ts";
import type { ModelRequest } from "../../../lib/model/model.ts";
import {
  apiError,
  completed,
  ended,
  functionCall,
  html,
  message,
  rawStream,
  stream,
} from "../../support/model-replies.ts";
import type { Reply } from "../../support/http-server.ts";
import { freshKey, key, fixture } from "./support.ts";

const fine = stream(completed(message("Hi")));

/** The end of the error's message, after the prefix of its code; the answer; and the request. */
type Case = readonly [says: string, answer: Reply, asked?: Partial<ModelRequest>];
type Fields = Readonly<Record<string, unknown>>;

const chained = { previousResponseId: "resp_0" };
const inFlex = { options: { serviceTier: "flex" } } as const;
const api = (status: number, words: string, code?: string): Reply =>
  apiError(status, { message: words, code });
const unsupported = (param: string): Reply => apiError(400, { message: "No.", param, code: "bad" });
const errorEvent = (error: Fields): Reply => stream({ type: "error", error });
const failed = (error: Fields, more: Fields = {}): Reply => stream(ended("failed", { error, ...more }));
const incomplete = (reason: string, output: readonly unknown[] = []): Reply =>
  stream(ended("incomplete", { incomplete_details: { reason }, output }));
const refusal = (words: string): Reply =>
  stream(completed({ type: "message", content: [{ type: "refusal", refusal: words }] }));

const noQuota = "insufficient_quota";
const noCapacity = { code: "resource_unavailable", message: "No room." };
const missing = { code: "previous_response_not_found", message: "Missing." };
const ignored = stream(
  { type: "response.created", response: { id: "resp_1", previous_response_id: null } },
  completed(message("What was the question?")),
);
const noSchema = "the model's answer breaks the Responses schema at";
const noText = "Invalid input: expected string, received undefined";
const nested = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`;
const half = [message("Half"), functionCall("call_1", "create_list", '{"a"')];

const cases: readonly (readonly [ErrorCode, words: string, readonly Case[]])[] = [
  [
    "model_quota_exhausted",
    "the quota of the model's account is used up: ",
    [
      ["Not a rate limit. (HTTP 429, code insufficient_quota)", api(429, "Not a rate limit.", noQuota)],
      [
        "Nor a lack of room. (HTTP 429, code insufficient_quota)",
        api(429, "Nor a lack of room.", noQuota),
        inFlex,
      ],
      [
        "No credit. (code insufficient_quota)",
        failed({ message: "No credit.", type: noQuota, code: noQuota }),
      ],
      [
        "No credit. (code credit_balance_exhausted, request req_stream)",
        errorEvent({ message: "No credit.", code: "credit_balance_exhausted" }),
      ],
    ],
  ],
  [
    "model_no_capacity",
    "the model's provider has no capacity in the requested service tier: ",
    [
      ["No room. (HTTP 429, code resource_unavailable)", apiError(429, noCapacity), inFlex],
      ["No room. (code resource_unavailable)", failed(noCapacity, { service_tier: "flex" })],
    ],
  ],
  [
    "model_previous_response_missing",
    "the model's provider does not have the previous response: ",
    [
      ["Missing. (HTTP 400, code previous_response_not_found)", apiError(400, missing)],
      [
        "Response with id resp_0 was not found (HTTP 404)",
        api(404, "Response with id resp_0 was not found"),
        chained,
      ],
      [
        "no support for 'previous_response_id' (HTTP 500)",
        api(500, "no support for 'previous_response_id'"),
        chained,
      ],
      ["Missing. (code previous_response_not_found, request req_stream)", errorEvent(missing)],
    ],
  ],
  [
    "model_previous_response_missing",
    "",
    [["the model's provider answered without the previous response", ignored, chained]],
  ],
  [
    "model_rejected",
    "the model's provider rejected the request: ",
    [
      ["No. (HTTP 400, code bad, setting inference.reasoningEffort)", unsupported("reasoning.effort")],
      ["No. (HTTP 400, code bad, setting inference.serviceTier)", unsupported("service_tier")],
      ["No. (HTTP 400, code bad, setting inference.maxOutputTokens)", unsupported("max_output_tokens")],
      ["No. (HTTP 400, code bad, setting inference.hostedTools)", unsupported("tools[12]")],
      ["No. (HTTP 400, code bad)", unsupported("constructor")],
      [
        "No such model (HTTP 404, code model_not_found)",
        api(404, "No such model", "model_not_found"),
        chained,
      ],
      [
        "The key is not at fault (HTTP 403, code model_not_found)",
        api(403, "The key is not at fault", "model_not_found"),
      ],
      [
        "Invalid schema for function (HTTP 400, request req_9)",
        apiError(400, { message: "Invalid schema\n for function" }, { "x-request-id": "req_9" }),
      ],
      [
        "Too long (code context_length_exceeded, request req_stream)",
        errorEvent({ type: "invalid_request_error", code: "context_length_exceeded", message: "Too long" }),
      ],
      ["A detail of FastAPI (HTTP 422)", { status: 422, body: { detail: "A detail of FastAPI" } }],
    ],
  ],
  [
    "model_contract",
    "",
    [
      ["what answered at the model's address is not the Responses API (HTTP 404)", html(404)],
      [`${noSchema} response.id: ${noText}`, { body: { ok: true } }],
      ["the model's answer is nested too deeply", { status: 400, body: nested(10_000) }],
      ["the model's answer holds broken JSON", rawStream("event: response.completed\ndata: {nope\n\n")],
      [
        `${noSchema} function_call.call_id: ${noText}`,
        stream(completed({ type: "function_call", name: "create_list", arguments: "{}" })),
      ],
    ],
  ],
  [
    "model_failed",
    "the model's provider reports ",
    [
      [
        "that the response failed: Odd (code strange, request req_stream)",
        rawStream(`data: ${JSON.stringify({ type: "error", code: "strange", message: "Odd" })}\n\n`),
      ],
      [
        "the response as failed: Bad (code invalid_prompt)",
        failed({ code: "invalid_prompt", message: "Bad" }),
      ],
      ["the response as cancelled", stream(ended("completed", { status: "cancelled", output: [] }))],
    ],
  ],
  [
    "model_incomplete",
    "",
    [
      [
        "the model stopped at its output limit, before its answer was whole",
        incomplete("max_output_tokens", half),
      ],
    ],
  ],
  [
    "model_content_filtered",
    "",
    [["the provider's content filter stopped the model's answer", incomplete("content_filter")]],
  ],
  [
    "model_refused",
    "the model declined: ",
    [
      ["I cannot help.", refusal("I cannot help.")],
      ["x".repeat(300), refusal("x".repeat(500))],
    ],
  ],
  [
    "model_empty",
    "",
    [["the model answered with neither text nor a tool call", stream(completed(message("  \n")))]],
  ],
];

test.for(
  cases.flatMap(([code, words, group]) =>
    group.map(([says, answer, asked]) => [code, words + says, answer, asked] as const),
  ),
)("reports %s without a retry: %s", async ([code, words, answer, asked]) => {
  const { failure, server } = await fixture([answer]);
  expect(await failure(asked)).toMatchObject({ name: "RunnerError", code, message: words, retryable: false });
  expect(server.requests).toHaveLength(1);
});

test("a refused key is fetched again and tried once more", async () => {
  const { ask, notes, server } = await fixture([
    apiError(401, { message: "Incorrect API key", code: "invalid_api_key" }),
    fine,
  ]);
  expect((await ask()).text).toBe("Hi");
  expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
    `Bearer ${key}`,
    `Bearer ${freshKey}`,
  ]);
  expect(notes).toEqual([{ kind: "key_refetched" }]);
});

test.for([401, 403])("a key that is refused twice with %i fails with model_key_refused", async (status) => {
  const refused = apiError(status, { message: `Not allowed: ${key}`, type: "invalid_request_error" });
  const { failure, server } = await fixture([refused, refused]);
  expect(await failure()).toMatchObject({ code: "model_key_refused", status, retryable: false });
  expect(server.requests).toHaveLength(2);
});

test("errors contain no key, header or cause", async () => {
  const echo = `Incorrect API key provided: ${key}. Also sk-proj-abcd**************wxyz`;
  const { failure } = await fixture([
    apiError(401, { message: echo, code: "invalid_api_key" }),
    apiError(401, { message: echo.replace(key, freshKey), code: "invalid_api_key" }),
    apiError(400, { message: echo }, { "x-secret": "from-the-server" }),
    stream({ type: "error", error: { message: echo, code: "strange" } }),
    stream(ended("failed", { error: { code: "strange", message: echo } })),
  ]);
  for (const code of ["model_key_refused", "model_rejected", "model_failed", "model_failed"]) {
    const error = await failure();
    expect(error.code).toBe(code);
    const shown = inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error);
    expect(shown).not.toMatch(/sk-|Bearer|x-secret|from-the-server/);
    expect(error.cause).toBeUndefined();
  }
});

test("a model that does not support encrypted reasoning is asked again at once without it", async () => {
  const { ask, asked, waits } = await fixture([
    apiError(400, { message: "Encrypted content is not supported with this model.", param: "include" }),
    fine,
  ]);
  expect((await ask({ store: false })).text).toBe("Hi");
  expect(asked()[1]).not.toHaveProperty("include");
  expect(asked()[1]).toMatchObject({ store: false });
  expect(waits).toEqual([]);
});

test("the SDK writes nothing to the console", async () => {
  const written: unknown[] = [];
  const { log, warn, error, info, debug } = console;
  const write = (...args: unknown[]): void => void written.push(args);
  Object.assign(console, { log: write, warn: write, error: write, info: write, debug: write });
  process.env["OPENAI_LOG"] = "debug";
  onTestFinished(() => {
    Object.assign(console, { log, warn, error, info, debug });
    delete process.env["OPENAI_LOG"];
  });
  const { ask, failure } = await fixture([rawStream("data: {nope\n\n"), fine]);
  await failure();
  await ask();
  expect(written).toEqual([]);
});
