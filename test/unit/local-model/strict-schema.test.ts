import { expect, test } from "vitest";
import { runModel, strictTools } from "./model-server.ts";

const tool = (parameters: unknown, strict: boolean | null = true) => ({
  type: "function",
  name: "note",
  description: "Notes",
  parameters,
  strict,
});
const text = { type: "string" };
const whole = (title: object) => ({
  type: "object",
  properties: { title },
  required: ["title"],
  additionalProperties: false,
});

const [at, inTitle] = ["In context=(), ", "In context=('properties', 'title'), "];
const mustBeObject = `schema must be a JSON Schema of 'type: "object"', got `;
const mustBeFalse = "'additionalProperties' is required to be supplied and to be false.";
const everyKey =
  "'required' is required to be supplied and to be an array including every key in properties.";
const openObject = { type: "object", properties: {}, required: [] };
const branch = { anyOf: [{ type: "null" }, { type: "array", items: { ...text, default: "" } }] };

test.each([
  ["an open object", { ...whole(text), additionalProperties: true }, `${at}${mustBeFalse}`],
  ["a nested open object", whole(openObject), `${inTitle}${mustBeFalse}`],
  ["an optional property", { ...whole(text), required: [] }, `${at}${everyKey} Missing 'title'.`],
  [
    "a required property that is not defined",
    { ...whole(text), required: ["title", "body"] },
    `${at}Extra required key "body" supplied.`,
  ],
  ["minLength", whole({ ...text, minLength: 1 }), `${inTitle}'minLength' is not permitted.`],
  [
    "look-around",
    whole({ ...text, pattern: "^(?=a)b" }),
    `${inTitle}'pattern' holds look-around, which is not supported.`,
  ],
  [
    "an unsupported keyword in a branch of anyOf",
    whole(branch),
    "In context=('properties', 'title', 'anyOf', '1', 'items'), 'default' is not permitted.",
  ],
  ["a root that is not an object", { type: "string" }, `${mustBeObject}'type: "string"'.`],
  ["no schema", null, `${mustBeObject}'type: "None"'.`],
])("a strict tool is rejected with %s", async (_, parameters, problem) => {
  const { call } = await runModel();
  const { status, body } = await call("POST", "/responses", {
    model: "m",
    input: "x",
    tools: [strictTools[0], tool(parameters)],
  });

  expect(status).toBe(400);
  expect(body.error).toEqual({
    message: `Invalid schema for function 'note': ${problem}`,
    type: "invalid_request_error",
    param: "tools[1].parameters",
    code: "invalid_function_parameters",
  });
});

test.each([
  [
    "a strict tool with supported keywords",
    [tool(whole({ type: ["string", "null"], pattern: "^[a-z]+$", description: "d" }))],
  ],
  [
    "a tool that is not strict",
    [tool({ type: "object", properties: { a: { ...text, minLength: 1 } } }, false)],
  ],
  ["the runner's tools", strictTools],
])("a request is accepted with %s", async (_, tools) => {
  const { call } = await runModel();

  expect((await call("POST", "/responses", { model: "m", input: "x", tools })).status).toBe(200);
});
