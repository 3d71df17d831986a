import { inspect } from "node:util";
import { expect, test } from "vitest";
import {
  apiError,
  completed,
  ended,
  message,
  rawStream,
  startResponsesServer,
  stream,
} from "../../support/responses-server.ts";
import { cases } from "./openai-error-cases.ts";
import { adapter, freshKey, key, never, request, thrownBy } from "./support.ts";

test.for(cases)("$rule → $code", async ({ answer, code, message: sentence, status, ...asking }) => {
  const { previousResponseId, serviceTier } = asking;
  await using server = await startResponsesServer([answer]);
  const { model } = adapter(server.baseUrl);
  const chained = previousResponseId === undefined ? request : { ...request, previousResponseId };
  const asked = { ...chained, options: { serviceTier } };
  const error = await thrownBy(model.generate(asked, { signal: never }));
  expect(error).toMatchObject({ name: "RunnerError", code, message: sentence, status, retryable: false });
  expect(server.seen).toHaveLength(1);
});

test("a refused key is fetched anew and tried once more", async () => {
  await using server = await startResponsesServer([
    apiError(401, { message: "Incorrect API key", code: "invalid_api_key" }),
    stream(completed(message("Hi"))),
  ]);
  const { model, notes } = adapter(server.baseUrl);
  expect((await model.generate(request, { signal: never })).text).toBe("Hi");
  expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([
    `Bearer ${key}`,
    `Bearer ${freshKey}`,
  ]);
  expect(notes).toEqual([{ kind: "key_refetched" }]);
});

test.for([401, 403])("a key refused twice with %i goes out as model_key_refused", async (status) => {
  const refusal = apiError(status, { message: `Not allowed: ${key}`, type: "invalid_request_error" });
  await using server = await startResponsesServer([refusal, refusal]);
  const error = await thrownBy(adapter(server.baseUrl).model.generate(request, { signal: never }));
  expect(error).toMatchObject({ code: "model_key_refused", status, retryable: false });
  expect(server.seen).toHaveLength(2);
});

test("no error carries the key, a header or a cause", async () => {
  const echo = `Incorrect API key provided: ${key}. Also sk-proj-abcd**************wxyz`;
  await using server = await startResponsesServer([
    apiError(401, { message: echo, code: "invalid_api_key" }),
    apiError(401, { message: echo.replace(key, freshKey), code: "invalid_api_key" }),
    apiError(400, { message: echo }, { "x-secret": "from-the-server" }),
    stream({ type: "error", error: { message: echo, code: "strange" } }),
    stream(ended("failed", { error: { code: "strange", message: echo } })),
  ]);
  const { model } = adapter(server.baseUrl);
  const errors = [];
  for (let call = 0; call < 4; call++)
    errors.push(await thrownBy(model.generate(request, { signal: never })));
  expect(errors.map(({ code }) => code)).toEqual([
    "model_key_refused",
    "model_rejected",
    "model_failed",
    "model_failed",
  ]);
  const shown = errors
    .map((error) => inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error))
    .join();
  expect(shown).not.toMatch(/sk-|Bearer|x-secret|from-the-server/);
  expect(errors.map(({ cause }) => cause)).toEqual([undefined, undefined, undefined, undefined]);
});

test("a model without encrypted reasoning is asked again without it", async () => {
  await using server = await startResponsesServer([
    apiError(400, { message: "Encrypted content is not supported with this model.", param: "include" }),
    stream(completed(message("Hi"))),
  ]);
  const { model, waits } = adapter(server.baseUrl);
  expect((await model.generate({ ...request, store: false }, { signal: never })).text).toBe("Hi");
  expect(server.seen[1]!.body).not.toHaveProperty("include");
  expect(server.seen[1]!.body["store"]).toBe(false);
  expect(waits).toEqual([]);
});

test("the SDK writes nothing to the console", async ({ onTestFinished }) => {
  const written: unknown[] = [];
  const { log, warn, error, info, debug } = console;
  onTestFinished(() => void Object.assign(console, { log, warn, error, info, debug }));
  const write = (...args: unknown[]): void => void written.push(args);
  Object.assign(console, { log: write, warn: write, error: write, info: write, debug: write });
  process.env["OPENAI_LOG"] = "debug";
  onTestFinished(() => void delete process.env["OPENAI_LOG"]);
  await using server = await startResponsesServer([
    rawStream("data: {nope\n\n"),
    stream(completed(message("Hi"))),
  ]);
  const { model } = adapter(server.baseUrl);
  await thrownBy(model.generate(request, { signal: never }));
  await model.generate(request, { signal: never });
  expect(written).toEqual([]);
});
