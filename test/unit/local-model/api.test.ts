import OpenAI from "openai";
import { expect, test } from "vitest";
import { startModel } from "../../../local/model/server.ts";
import { systemClock } from "../../../lib/clock.ts";
import { runModel } from "./model-server.ts";
import { answerFor, strictTools } from "./tools.ts";

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
  expect(usage.total_tokens).toBe(usage.input_tokens + usage.output_tokens);
  expect(usage.input_tokens_details.cached_tokens).toBe(0);
  expect(usage.output_tokens_details.reasoning_tokens).toBe(64);
  expect(Math.abs(body.created_at * 1000 - Date.now())).toBeLessThan(5000);
});

test("a whole job over a chain of responses with the SDK", async () => {
  const { model, client } = await runModel();
  let response = await client.responses.create(cello);
  const ids = [response.id];
  for (;;) {
    const calls = response.output.filter((item) => item.type === "function_call");
    if (calls.length === 0) break;
    const input = calls.map((item) => ({
      type: "function_call_output" as const,
      call_id: item.call_id,
      output: answerFor(item),
    }));
    response = await client.responses.create({ ...cello, input, previous_response_id: response.id });
    ids.push(response.id);
  }

  expect(response.output_text).toContain("{{artifact:checklist:next-steps}}");
  expect(response.usage?.input_tokens_details.cached_tokens).toBeGreaterThan(0);
  expect(model.requests().map((request) => request.previousResponseId)).toEqual([null, ids[0], ids[1]]);
  expect(model.requests().map((request) => request.inputKinds)).toEqual([
    ["message"],
    ["function_call_output", "function_call_output", "function_call_output"],
    ["function_call_output", "function_call_output"],
  ]);
});

test("the same job without a stored chain, the whole conversation sent each time", async () => {
  const { client } = await runModel();
  let input: OpenAI.Responses.ResponseInput = [{ role: "user", content: cello.input }];
  const include = ["reasoning.encrypted_content" as const];
  for (let round = 0; ; round++) {
    const response = await client.responses.create({ ...cello, input, include, store: false });
    const calls = response.output.filter((item) => item.type === "function_call");
    if (calls.length === 0) {
      expect(response.output_text).toContain("{{artifact:checklist:next-steps}}");
      expect(round).toBe(2);
      break;
    }
    const outputs = calls.map((item) => ({
      type: "function_call_output" as const,
      call_id: item.call_id,
      output: answerFor(item),
    }));
    input = [...input, ...(response.output as OpenAI.Responses.ResponseInputItem[]), ...outputs];
  }
});

test("refuses unstored reasoning that does not bring its content", async () => {
  const { call } = await runModel();
  const first = await call("POST", "/responses", { ...cello, store: false });
  const outputs = first.body.output.flatMap((item: any) =>
    item.type === "function_call"
      ? [{ type: "function_call_output", call_id: item.call_id, output: "{}" }]
      : [],
  );
  const input = [{ role: "user", content: cello.input }, ...first.body.output, ...outputs];
  const second = await call("POST", "/responses", { ...cello, input, store: false });

  expect(second.status).toBe(404);
  expect(second.body.error.message).toBe(
    `Item with id '${first.body.output[0].id}' not found. Items are not persisted when \`store\` is set to false. ` +
      "Try again with `store` set to true, or remove this item from your input.",
  );
});

test("an unstored response can be neither fetched nor continued", async () => {
  const { call } = await runModel();
  const { body } = await call("POST", "/responses", { ...cello, tools: [], store: false });

  expect((await call("GET", `/responses/${body.id}`)).status).toBe(404);
  const next = await call("POST", "/responses", { ...cello, previous_response_id: body.id });
  expect(next.status).toBe(400);
  expect(next.body).toEqual({
    error: {
      message: `Previous response with id '${body.id}' not found.`,
      type: "invalid_request_error",
      param: "previous_response_id",
      code: "previous_response_not_found",
    },
  });
});

test("refuses to go on while a call has no output", async () => {
  const { call } = await runModel();
  const { body } = await call("POST", "/responses", cello);
  const calls = body.output.filter((item: any) => item.type === "function_call");
  const input = [{ type: "function_call_output", call_id: calls[0].call_id, output: "{}" }];
  const next = await call("POST", "/responses", { ...cello, input, previous_response_id: body.id });

  expect(next.status).toBe(400);
  expect(next.body.error).toEqual({
    message: `No tool output found for function call ${calls[1].call_id}.`,
    type: "invalid_request_error",
    param: "input",
    code: null,
  });
});

test("refuses an output that belongs to no call", async () => {
  const { call } = await runModel();
  const input = [{ type: "function_call_output", call_id: "call_strange", output: "{}" }];
  const { status, body } = await call("POST", "/responses", { ...cello, input });

  expect(status).toBe(400);
  expect(body.error.message).toBe("No tool call found for function call output with call_id call_strange.");
});

test.each([
  ["malformed JSON", '{"model":', null, null],
  ["no model", { input: "x" }, "missing_required_parameter", "model"],
  ["no input", { model: "m" }, "missing_required_parameter", "input"],
  ["an unknown parameter", { model: "m", input: "x", max_tokens: 5 }, "unknown_parameter", "max_tokens"],
  ["a wrong type", { model: "m", input: "x", stream: "yes" }, "invalid_type", "stream"],
  ["an unknown item", { model: "m", input: [{ type: "image" }] }, "invalid_value", "input[0].type"],
  [
    "a person's words as output",
    { model: "m", input: [{ role: "user", content: [{ type: "output_text", text: "x" }] }] },
    "invalid_type",
    "input[0].content",
  ],
  [
    "a tool of another kind",
    { model: "m", input: "x", tools: [{ type: "web_search" }] },
    "invalid_value",
    "tools[0].type",
  ],
])("refuses %s", async (_, request, code, param) => {
  const { call } = await runModel();
  const { status, body } = await call("POST", "/responses", request);

  expect(status).toBe(400);
  expect(body.error).toMatchObject({ type: "invalid_request_error", code, param });
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
  await expect(client.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);

  const right = new OpenAI({ apiKey: "sk-right", baseURL: model.url, maxRetries: 0 });
  await expect(right.responses.retrieve("resp_none")).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  expect((await right.models.list()).data.map((entry) => entry.id)).toContain("gpt-6-luna");
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
