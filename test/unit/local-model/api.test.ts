import OpenAI, { AuthenticationError, NotFoundError } from "openai";
import { expect, test } from "vitest";
import { startModel } from "../../../local/model/server.ts";
import { systemClock } from "../../../lib/core/clock.ts";
import { runModel } from "./model-server.ts";
import { strictTools } from "./tools.ts";

const cello = { model: "gpt-6-luna", input: "Help me learn the cello.", tools: strictTools };

test("create answers with a whole Response object", async () => {
  const { call } = await runModel();
  const { status, body, headers } = await call("POST", "/responses", {
    ...cello,
    tools: [strictTools[0]],
    instructions: "Be brief.",
    metadata: { run: "1" },
  });

  expect(status).toBe(200);
  expect(headers.get("x-request-id")).toMatch(/^req_/);
  expect(body).toMatchObject({
    id: expect.stringMatching(/^resp_[0-9a-f]{48}$/),
    object: "response",
    status: "completed",
    error: null,
    incomplete_details: null,
    instructions: "Be brief.",
    model: "gpt-6-luna",
    metadata: { run: "1" },
    parallel_tool_calls: true,
    previous_response_id: null,
    store: true,
    background: false,
    tool_choice: "auto",
    tools: [strictTools[0]],
    output: [
      { type: "reasoning", summary: [] },
      {
        type: "function_call",
        name: "create_file",
        status: "completed",
        call_id: expect.stringMatching(/^call_/),
      },
    ],
  });
  const { usage } = body;
  expect(usage?.total_tokens).toBe((usage?.input_tokens ?? 0) + (usage?.output_tokens ?? 0));
  expect(usage?.input_tokens_details.cached_tokens).toBe(0);
  expect(usage?.output_tokens_details.reasoning_tokens).toBe(64);
  expect(Math.abs(body.created_at * 1000 - Date.now())).toBeLessThan(60_000);
});

test.each([
  ["malformed JSON", '{"model":', { code: null, param: null }],
  ["no model", { input: "x" }, { code: "missing_required_parameter", param: "model" }],
  ["no input", { model: "m" }, { code: "missing_required_parameter", param: "input" }],
  [
    "an unknown parameter",
    { model: "m", input: "x", max_tokens: 5 },
    { code: "unknown_parameter", param: "max_tokens" },
  ],
  ["a wrong type", { model: "m", input: "x", stream: "yes" }, { code: "invalid_type", param: "stream" }],
  [
    "an unknown item",
    { model: "m", input: [{ type: "image" }] },
    { code: "invalid_value", param: "input[0].type" },
  ],
  [
    "an item without its call id",
    { model: "m", input: [{ type: "function_call_output", output: "x" }] },
    { code: "missing_required_parameter", param: "input[0].call_id" },
  ],
  [
    "a person's words as output",
    { model: "m", input: [{ role: "user", content: [{ type: "output_text", text: "x" }] }] },
    { code: "invalid_type", param: "input[0].content" },
  ],
  [
    "a tool of another kind",
    { model: "m", input: "x", tools: [{ type: "code_interpreter" }] },
    { code: "invalid_value", param: "tools[0].type" },
  ],
])("refuses %s", async (_, request, expected) => {
  const { call } = await runModel();
  const { status, body } = await call("POST", "/responses", request);

  expect(status).toBe(400);
  expect(body.error).toMatchObject({ type: "invalid_request_error", ...expected });
});

test.each([
  ["no key", {}, "You didn't provide an API key."],
  ["a wrong key", { authorization: "Bearer sk-wrong" }, "Incorrect API key provided."],
])("answers 401 to %s", async (_, headers, message) => {
  const { model } = await runModel({ keys: ["sk-right"] });
  const response = await fetch(`${model.url}/models`, { headers: headers as Record<string, string> });

  expect(response.status).toBe(401);
  expect(await response.json()).toEqual({
    error: { message, type: "invalid_request_error", param: null, code: "invalid_api_key" },
  });
});

test("the SDK sees the API's error classes", async () => {
  const { client, model } = await runModel({ keys: ["sk-right"] });
  await expect(client.models.list()).rejects.toBeInstanceOf(AuthenticationError);

  const right = new OpenAI({ apiKey: "sk-right", baseURL: model.url, maxRetries: 0 });
  await expect(right.responses.retrieve("resp_none")).rejects.toBeInstanceOf(NotFoundError);
  expect((await right.models.list()).data.map((entry) => entry.id)).toContain("gpt-6-luna");
  expect(await right.models.retrieve("gpt-6-luna")).toMatchObject({ id: "gpt-6-luna", shutdown_date: null });
  await expect(right.models.retrieve("gpt-none")).rejects.toBeInstanceOf(NotFoundError);
});

test("retrieve gives the response again, delete takes it away, and the rest of the chain stays", async () => {
  const { client, call } = await runModel();
  const first = await client.responses.create({ ...cello, tools: [] });
  const second = await client.responses.create({
    model: "m",
    input: "And now?",
    previous_response_id: first.id,
  });

  expect(await client.responses.retrieve(first.id)).toMatchObject({ id: first.id, output: first.output });
  expect((await call("DELETE", `/responses/${first.id}`)).body).toEqual({
    id: first.id,
    object: "response",
    deleted: true,
  });
  expect((await call("GET", `/responses/${first.id}`)).status).toBe(404);
  const third = await client.responses.create({
    model: "m",
    input: "Go on.",
    previous_response_id: second.id,
  });
  expect(third.previous_response_id).toBe(second.id);
});

test("lists a response's own input in pages, newest first", async () => {
  const { client } = await runModel();
  const input = ["one", "two", "three"].map((content) => ({ role: "user" as const, content }));
  const { id } = await client.responses.create({ model: "m", input });

  const seen: unknown[] = [];
  for await (const item of client.responses.inputItems.list(id, { limit: 2 })) {
    seen.push(item.type === "message" && item.content[0]);
  }
  expect(seen).toEqual([
    { type: "input_text", text: "three" },
    { type: "input_text", text: "two" },
    { type: "input_text", text: "one" },
  ]);
});

test.each([
  ["refuse", "completed", null],
  ["incomplete", "incomplete", { reason: "max_output_tokens" }],
  ["content-filter", "incomplete", { reason: "content_filter" }],
  ["failed", "failed", null],
])("[[%s]] ends with status %s", async (word, status, details) => {
  const { client } = await runModel();
  const response = await client.responses.create({ ...cello, input: `Hello [[${word}]]` });

  expect(response.status).toBe(status);
  expect(response.incomplete_details).toEqual(details);
  expect(response.error).toEqual(
    word === "failed" ? { code: "server_error", message: "The model failed to generate a response." } : null,
  );
});

test("answers 404 to an unknown address and notes it", async () => {
  const { model, call } = await runModel();
  const { status, body } = await call("POST", "/chat/completions", {});

  expect(status).toBe(404);
  expect(body.error.code).toBe("unknown_url");
  expect(model.requests()).toMatchObject([{ method: "POST", path: "/v1/chat/completions", status: 404 }]);
});

test("says which port is taken", async () => {
  const { model } = await runModel();
  const port = Number(new URL(model.url).port);

  await expect(startModel({ port, clock: systemClock })).rejects.toMatchObject({ code: "EADDRINUSE", port });
});
