import { APIConnectionError, APIConnectionTimeoutError } from "openai";
import { expect, test } from "vitest";
import { createFakeClock } from "../../support/fake-clock.ts";
import { eventually, parseEvents, runModel } from "./model-server.ts";

const hello = { model: "m", input: "Hello." };
const create = "POST /v1/responses";

test("a status fault applies as often as configured, only on its route, with its headers and body", async () => {
  const { model, call } = await runModel();
  const body = { error: { message: "quota", type: "insufficient_quota", code: null, param: null } };
  const headers = { "retry-after": "3" };
  model.faults.add({ route: create, times: 1, fault: { kind: "status", status: 429, headers, body } });
  model.faults.add({ route: create, times: 1, fault: { kind: "status", status: 500 } });

  expect((await call("GET", "/models")).status).toBe(200);
  const first = await call("POST", "/responses", hello);
  expect(first.status).toBe(429);
  expect(first.headers.get("retry-after")).toBe("3");
  expect(first.body).toEqual(body);
  const second = await call("POST", "/responses", hello);
  expect(second.status).toBe(500);
  expect(second.body.error.message).toBe("Injected fault: 500");
  expect((await call("POST", "/responses", hello)).status).toBe(200);
});

test("a fault with a probability depends on the random number, and clear removes all faults", async () => {
  const dice = [0.2, 0.7];
  const { model, call } = await runModel({ random: () => dice.shift() ?? 0 });
  model.faults.add({ probability: 0.5, fault: { kind: "status", status: 503 } });

  expect((await call("POST", "/responses", hello)).status).toBe(503);
  expect((await call("POST", "/responses", hello)).status).toBe(200);
  model.faults.clear();
  expect((await call("POST", "/responses", hello)).status).toBe(200);
});

test("an HTML fault answers with an HTML page and status 200", async () => {
  const { model, call } = await runModel();
  model.faults.add({ fault: { kind: "html" } });
  const { status, headers, text } = await call("POST", "/responses", hello);

  expect(status).toBe(200);
  expect(headers.get("content-type")).toBe("text/html");
  expect(text).toMatch(/^<!doctype html>/);
});

test("a reset before the answer generates nothing, and a reset after it loses the generated response", async () => {
  const asked: string[] = [];
  const { model, client } = await runModel({
    script: ({ items }) => {
      asked.push(items.map((item) => item.type).join());
      return { parts: [{ type: "text", text: "Done." }], outcome: "completed" };
    },
  });
  model.faults.add({ times: 1, fault: { kind: "reset", when: "before" } });
  await expect(client.responses.create(hello)).rejects.toBeInstanceOf(APIConnectionError);
  expect(asked).toEqual([]);

  model.faults.add({ times: 1, fault: { kind: "reset", when: "after" } });
  await expect(client.responses.create(hello)).rejects.toBeInstanceOf(APIConnectionError);
  expect(asked).toEqual(["user"]);
});

test("a mid-stream reset cuts the stream after six events", async () => {
  const { model } = await runModel();
  model.faults.add({ fault: { kind: "reset", when: "mid-stream" } });
  const response = await fetch(`${model.url}/responses`, {
    method: "POST",
    headers: { authorization: "Bearer k" },
    body: JSON.stringify({ ...hello, stream: true }),
  });
  let text = "";
  const read = async (): Promise<void> => {
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) text += chunk;
  };

  await expect(read()).rejects.toThrow(TypeError);
  expect(parseEvents(text)).toHaveLength(6);
});

test("a delay postpones the answer by its duration", async () => {
  const clock = createFakeClock();
  const { model, call } = await runModel({ clock });
  model.faults.add({ fault: { kind: "delay", ms: 5_000 } });
  let ended = false;
  const answer = call("POST", "/responses", hello).finally(() => (ended = true));
  await eventually(() => (clock.sleeping() === 1 ? true : undefined));
  await clock.advance(4_999);
  expect(ended).toBe(false);
  await clock.advance(1);

  expect((await answer).status).toBe(200);
});

test("a silent fault keeps the connection open until the client disconnects", async () => {
  const { model, client } = await runModel();
  model.faults.add({ times: 1, fault: { kind: "silent" } });

  await expect(client.responses.create(hello, { timeout: 60 })).rejects.toBeInstanceOf(
    APIConnectionTimeoutError,
  );
  await eventually(() => (model.requests()[0]?.aborted ? true : undefined));
  expect(model.requests()[0]?.status).toBeNull();
});

test("a mid-stream silent fault keeps the connection open after six events", async () => {
  const { model, client } = await runModel();
  model.faults.add({ times: 1, fault: { kind: "silent", when: "mid-stream" } });
  const stream = await client.responses.create({ ...hello, stream: true });
  const seen: string[] = [];
  const reading = (async () => {
    for await (const event of stream) seen.push(event.type);
  })();
  await eventually(() => (seen.length === 6 ? true : undefined));
  expect(model.requests()[0]?.aborted).toBe(false);

  stream.controller.abort();
  await reading;
  expect(seen).toHaveLength(6);
  await eventually(() => (model.requests()[0]?.aborted ? true : undefined));
});

test("with control on, other processes can set faults and read the journal", async () => {
  const { model, call } = await runModel({ control: true });
  const local = (method: string, path: string, body?: unknown) =>
    fetch(new URL(path, model.url), { method, ...(body ? { body: JSON.stringify(body) } : {}) });

  const fault = { kind: "status", status: 500 };
  expect((await local("POST", "/_local/faults", { fault })).status).toBe(201);
  expect((await call("POST", "/responses", hello)).status).toBe(500);
  expect((await local("DELETE", "/_local/faults")).status).toBe(200);
  expect((await call("POST", "/responses", hello)).status).toBe(200);
  expect(await (await local("GET", "/_local/requests")).json()).toMatchObject([
    { path: "/v1/responses", model: null, status: 500 },
    { path: "/v1/responses", model: "m", status: 200, inputKinds: ["message"] },
  ]);

  const wrong = await local("POST", "/_local/faults", { fault: { kind: "fire" } });
  expect(wrong.status).toBe(400);
  expect(await wrong.json()).toMatchObject({ error: { message: expect.stringContaining("kind") } });
});

test("with control off, the control routes do not exist", async () => {
  const { model } = await runModel();

  expect((await fetch(new URL("/_local/requests", model.url))).status).toBe(404);
});
