import type OpenAI from "openai";
import { expect, test } from "vitest";
import { callsOf, cello, outputsFor, runModel } from "./model-server.ts";

const isInputItem = (item: unknown): item is OpenAI.Responses.ResponseInputItem =>
  typeof item === "object" && item !== null && "type" in item;

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

type Response = OpenAI.Responses.Response;
const strange = [{ type: "function_call_output", call_id: "call_strange", output: "{}" }];
const withOutputs = (first: Response) => ({ previous_response_id: first.id, input: outputsFor(first) });
const whole = (first: Response) => [
  { role: "user", content: cello.input },
  ...first.output,
  ...outputsFor(first),
];

test.each<[string, { store?: boolean }, (first: Response) => object, string]>([
  [
    "an unstored reasoning item without its encrypted content",
    { store: false },
    (first) => ({ input: whole(first), store: false }),
    "Items are not persisted when `store` is set to false.",
  ],
  ["an unstored response", { store: false }, withOutputs, "Previous response with id "],
  [
    "a call without its output",
    {},
    (first) => ({ ...withOutputs(first), input: outputsFor(first).slice(0, 1) }),
    "No tool output found for function call ",
  ],
  [
    "an output without a call",
    {},
    () => ({ input: strange }),
    "No tool call found for function call output with call_id call_strange.",
  ],
  [
    "a second output for the same call",
    {},
    (first) => ({ ...withOutputs(first), input: [...outputsFor(first), ...outputsFor(first).slice(0, 1)] }),
    "Duplicate function_call_output for call_id ",
  ],
])("a conversation cannot be continued with %s", async (_, settings, next, message) => {
  const { call } = await runModel();
  const first = await call("POST", "/responses", { ...cello, ...settings });
  const { status, body } = await call("POST", "/responses", { ...cello, ...next(first.body) });

  expect([400, 404]).toContain(status);
  expect(body.error.message).toContain(message);
});

test("an unstored response cannot be retrieved", async () => {
  const { call } = await runModel();
  const { body } = await call("POST", "/responses", { ...cello, store: false });

  expect((await call("GET", `/responses/${body.id}`)).status).toBe(404);
});
