import { inspect } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { apiError, completed, ended, message, rawStream, stream } from "../../support/responses-server.ts";
import { cases } from "./openai-error-cases.ts";
import { freshKey, key, scene } from "./support.ts";

const fine = stream(completed(message("Hi")));

test.for(cases)("reports %s at the first try: %s", async ([code, , answer, words, asked]) => {
  const { failure, server } = await scene([answer]);
  const error = await failure(asked);
  expect(error).toMatchObject({ name: "RunnerError", code, message: words, retryable: false });
  expect(server.seen).toHaveLength(1);
});

test("a refused key is fetched again and tried once more", async () => {
  const { ask, notes, server } = await scene([
    apiError(401, { message: "Incorrect API key", code: "invalid_api_key" }),
    fine,
  ]);
  expect((await ask()).text).toBe("Hi");
  expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([
    `Bearer ${key}`,
    `Bearer ${freshKey}`,
  ]);
  expect(notes).toEqual([{ kind: "key_refetched" }]);
});

test.for([401, 403])("a key refused twice with %i is model_key_refused", async (status) => {
  const refusal = apiError(status, { message: `Not allowed: ${key}`, type: "invalid_request_error" });
  const { failure, server } = await scene([refusal, refusal]);
  expect(await failure()).toMatchObject({ code: "model_key_refused", status, retryable: false });
  expect(server.seen).toHaveLength(2);
});

test("no error carries the key, a header or a cause", async () => {
  const echo = `Incorrect API key provided: ${key}. Also sk-proj-abcd**************wxyz`;
  const { failure } = await scene([
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

test("a model without encrypted reasoning is asked again without it, at once", async () => {
  const { ask, server, waits } = await scene([
    apiError(400, { message: "Encrypted content is not supported with this model.", param: "include" }),
    fine,
  ]);
  expect((await ask({ store: false })).text).toBe("Hi");
  expect(server.seen[1]!.body).not.toHaveProperty("include");
  expect(server.seen[1]!.body["store"]).toBe(false);
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
  const { ask, failure } = await scene([rawStream("data: {nope\n\n"), fine]);
  await failure();
  await ask();
  expect(written).toEqual([]);
});
