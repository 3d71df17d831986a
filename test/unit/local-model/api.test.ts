import { NotFoundError } from "openai";
import { expect, test } from "vitest";
import { startModel } from "../../../local/model/server.ts";
import { systemClock } from "../../../lib/core/clock.ts";
import { cello, runModel, strictTools } from "./model-server.ts";

test("create returns a complete Response object", async () => {
  const { call } = await runModel();
  const request = { ...cello, tools: [strictTools[0]], instructions: "Be brief.", metadata: { run: "1" } };
  const { body, headers } = await call("POST", "/responses", request);

  expect(headers.get("x-request-id")).toMatch(/^req_/);
  expect(body).toMatchObject({
    id: expect.stringMatching(/^resp_[0-9a-f]{48}$/),
    object: "response",
    status: "completed",
    error: null,
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
      { type: "function_call", name: "create_file", call_id: expect.stringMatching(/^call_/) },
    ],
  });
  const { usage } = body;
  expect(usage?.total_tokens).toBe((usage?.input_tokens ?? 0) + (usage?.output_tokens ?? 0));
  expect(usage?.output_tokens_details.reasoning_tokens).toBe(64);
  expect(Math.abs(body.created_at * 1000 - Date.now())).toBeLessThan(60_000);
});

const asked = (input: unknown, more: object = {}) => ({ model: "m", input, ...more });
const [missing, invalid] = ["missing_required_parameter", "invalid_value"];
const output = { type: "function_call_output", output: "x" };
const spoken = { role: "user", content: [{ type: "output_text", text: "x" }] };

test.each([
  ["malformed JSON", '{"model":', null, null],
  ["no model", { input: "x" }, missing, "model"],
  ["no input", { model: "m" }, missing, "input"],
  ["an unknown parameter", asked("x", { max_tokens: 5 }), "unknown_parameter", "max_tokens"],
  ["a wrong type", asked("x", { stream: "yes" }), "invalid_type", "stream"],
  ["an unknown item", asked([{ type: "image" }]), invalid, "input[0].type"],
  ["an output without its call id", asked([output]), missing, "input[0].call_id"],
  ["output text in a user's message", asked([spoken]), "invalid_type", "input[0].content"],
  ["an unsupported type of tool", asked("x", { tools: [{ type: "shell" }] }), invalid, "tools[0].type"],
])("create rejects %s", async (...[, request, code, param]) => {
  const { call } = await runModel();
  const { status, body } = await call("POST", "/responses", request);

  expect(status).toBe(400);
  expect(body.error).toMatchObject({ type: "invalid_request_error", code, param });
});

test("the models are listed, and an unknown model is not found", async () => {
  const { client } = await runModel();

  expect((await client.models.list()).data.map((entry) => entry.id)).toContain("gpt-6-luna");
  expect(await client.models.retrieve("gpt-6-luna")).toMatchObject({ id: "gpt-6-luna" });
  await expect(client.models.retrieve("gpt-none")).rejects.toBeInstanceOf(NotFoundError);
});

test("a response can be retrieved until it is deleted, and the rest of its chain is kept", async () => {
  const { client, call } = await runModel();
  const first = await client.responses.create({ ...cello, tools: [] });
  const next = (previous_response_id: string) =>
    client.responses.create({ model: "m", input: "Go on.", previous_response_id });
  const second = await next(first.id);

  expect(await client.responses.retrieve(first.id)).toMatchObject({ id: first.id, output: first.output });
  expect((await call("DELETE", `/responses/${first.id}`)).body).toMatchObject({ deleted: true });
  expect((await call("GET", `/responses/${first.id}`)).status).toBe(404);
  expect((await next(second.id)).previous_response_id).toBe(second.id);
});

test("startModel fails with the port when it is in use", async () => {
  const { model } = await runModel();
  const port = Number(new URL(model.url).port);

  await expect(startModel({ port, clock: systemClock })).rejects.toMatchObject({ code: "EADDRINUSE", port });
});
