import type OpenAI from "openai";
import { expect, test } from "vitest";
import { callsOf, cello, outputsFor, runModel } from "./model-server.ts";

const isInputItem = (item: unknown): item is OpenAI.Responses.ResponseInputItem =>
  typeof item === "object" && item !== null && "type" in item;

test("the SDK completes a job over a chain of stored responses", async () => {
  const { model, client } = await runModel();
  let response = await client.responses.create(cello);
  const ids = [response.id];
  while (callsOf(response).length > 0) {
    const input = outputsFor(response);
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

test("the SDK completes the same job without storage, sending the whole conversation each time", async () => {
  const { client } = await runModel();
  const settings = { ...cello, include: ["reasoning.encrypted_content" as const], store: false };
  let input: OpenAI.Responses.ResponseInput = [{ role: "user", content: cello.input }];
  let response = await client.responses.create({ ...settings, input });
  let rounds = 0;
  for (; callsOf(response).length > 0; rounds++) {
    const earlier: unknown[] = response.output;
    input = [...input, ...earlier.filter(isInputItem), ...outputsFor(response)];
    response = await client.responses.create({ ...settings, input });
  }

  expect(rounds).toBe(2);
  expect(response.output_text).toContain("{{artifact:checklist:next-steps}}");
});

test("an unstored reasoning item without its encrypted content is rejected", async () => {
  const { call } = await runModel();
  const first = await call("POST", "/responses", { ...cello, store: false });
  const { output } = first.body;
  const input = [{ role: "user", content: cello.input }, ...output, ...outputsFor(first.body)];
  const second = await call("POST", "/responses", { ...cello, input, store: false });

  expect(second.status).toBe(404);
  expect(second.body.error.message).toBe(
    `Item with id '${output[0]?.id}' not found. Items are not persisted when \`store\` is set to false. ` +
      "Try again with `store` set to true, or remove this item from your input.",
  );
});

test("an unstored response can be neither retrieved nor continued", async () => {
  const { call } = await runModel();
  const { body } = await call("POST", "/responses", { ...cello, tools: [], store: false });

  expect((await call("GET", `/responses/${body.id}`)).status).toBe(404);
  const next = await call("POST", "/responses", { ...cello, previous_response_id: body.id });
  expect(next.status).toBe(400);
  expect(next.body.error).toMatchObject({
    message: `Previous response with id '${body.id}' not found.`,
    code: "previous_response_not_found",
  });
});

test("a continued response is rejected while a call has no output", async () => {
  const { call } = await runModel();
  const { body } = await call("POST", "/responses", cello);
  const input = outputsFor(body).slice(0, 1);
  const next = await call("POST", "/responses", { ...cello, input, previous_response_id: body.id });

  expect(next.status).toBe(400);
  expect(next.body.error.message).toBe(
    `No tool output found for function call ${outputsFor(body)[1]?.call_id}.`,
  );
});

test("an output without a call is rejected, and so is a second output for the same call", async () => {
  const { call } = await runModel();
  const strange = [{ type: "function_call_output", call_id: "call_strange", output: "{}" }];
  const unknown = await call("POST", "/responses", { ...cello, input: strange });
  expect(unknown.status).toBe(400);
  expect(unknown.body.error.message).toBe(
    "No tool call found for function call output with call_id call_strange.",
  );

  const { body } = await call("POST", "/responses", cello);
  const outputs = outputsFor(body);
  const input = [...outputs, ...outputs.slice(0, 1)];
  const twice = await call("POST", "/responses", { ...cello, input, previous_response_id: body.id });
  expect(twice.status).toBe(400);
  expect(twice.body.error.message).toBe(
    `Duplicate function_call_output for call_id '${outputs[0]?.call_id}'. Each function_call must have exactly one matching function_call_output.`,
  );
});
