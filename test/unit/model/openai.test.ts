import { expect, test } from "vitest";
import type { ModelRequest } from "../../../lib/model/model.ts";
import {
  completed,
  ended,
  functionCall,
  json,
  message,
  startResponsesServer,
  stream,
  type Answer,
} from "../../support/responses-server.ts";
import { adapter, key, never, request } from "./support.ts";

const tool = {
  name: "create_list",
  description: "Makes a list.",
  parameters: { type: "object", properties: {}, required: [], additionalProperties: false },
};

async function bodyOf(overrides: Partial<ModelRequest>): Promise<Record<string, unknown>> {
  await using server = await startResponsesServer([stream(completed(message("Hi")))]);
  await adapter(server.baseUrl).model.generate({ ...request, ...overrides }, { signal: never });
  return server.seen[0]!.body;
}

test("a first round is a streaming request with the user's message", async () => {
  await using server = await startResponsesServer([stream(completed(message("Hi")))]);
  await adapter(server.baseUrl).model.generate(request, { signal: never });
  expect(server.seen[0]).toMatchObject({
    method: "POST",
    path: "/v1/responses",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      "user-agent": "studio-runner",
    },
  });
  expect(server.seen[0]!.body).toEqual({
    model: "gpt-6-luna",
    instructions: "Help.",
    input: [{ type: "message", role: "user", content: "Compare two teas." }],
    store: true,
    stream: true,
  });
});

test("a round uses the connection of the round before, whose stream was read to its end", async () => {
  const ports: (number | undefined)[] = [];
  const noting =
    (answer: Answer): Answer =>
    (response) => {
      ports.push(response.socket?.remotePort);
      answer(response);
    };
  const turn = noting(stream(completed(message("Hi"))));
  await using server = await startResponsesServer([turn, turn, turn]);
  const { model } = adapter(server.baseUrl);
  for (const _ of Array(3).keys()) {
    await model.generate(request, { signal: never });
    // A connection is handed back in the next turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(new Set(ports).size).toBe(1);
});

test("a stream that stays open behind the response's end holds nobody up", async () => {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const open: Answer = (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`data: ${JSON.stringify(completed(message("Hi")))}\n\n`);
    response.once("close", resolve);
  };
  await using server = await startResponsesServer([open]);
  const turn = await adapter(server.baseUrl).model.generate(request, { signal: never });
  expect(turn.text).toBe("Hi");
  await closed;
});

test("a whole answer of a server that does not stream is taken as it is", async () => {
  const { response } = completed(message("Hi"));
  await using server = await startResponsesServer([json(200, response)]);
  expect(await adapter(server.baseUrl).model.generate(request, { signal: never })).toMatchObject({
    text: "Hi",
    calls: [],
  });
});

test("tools are strict functions that may be called in parallel", async () => {
  expect(await bodyOf({ tools: [tool] })).toMatchObject({
    tools: [{ type: "function", strict: true, ...tool }],
    tool_choice: "auto",
    parallel_tool_calls: true,
  });
});

test("tier, effort, the limit of a round, the cache's key and hosted tools go out as they are set, and not at all where they are not", async () => {
  const options = {
    reasoningEffort: "low",
    maxOutputTokens: 2_000,
    promptCacheKey: "studio-runner-default",
    serviceTier: "flex",
    hostedTools: ["web_search"],
  } as const;
  expect(await bodyOf({ options, tools: [tool] })).toMatchObject({
    service_tier: "flex",
    tools: [{ type: "function" }, { type: "web_search" }],
    reasoning: { effort: "low" },
    max_output_tokens: 2_000,
    prompt_cache_key: "studio-runner-default",
  });
  const plain = await bodyOf({ options: { reasoningEffort: undefined } });
  for (const name of ["service_tier", "reasoning", "max_output_tokens", "prompt_cache_key"])
    expect(plain).not.toHaveProperty(name);
});

test("a chained round carries the previous response and the tool outputs only", async () => {
  const body = await bodyOf({
    previousResponseId: "resp_0",
    input: [{ type: "tool_output", callId: "call_1", output: "done" }],
  });
  expect(body["previous_response_id"]).toBe("resp_0");
  expect(body["input"]).toEqual([{ type: "function_call_output", call_id: "call_1", output: "done" }]);
  expect(body).not.toHaveProperty("include");
});

test("without storing, the encrypted reasoning is asked for and earlier turns go back as they came", async () => {
  const items = [
    { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "abc" },
    functionCall("call_1", "create_list", "{}"),
  ];
  const body = await bodyOf({ store: false, input: [{ type: "earlier_turn", items }] });
  expect(body).toMatchObject({ store: false, include: ["reasoning.encrypted_content"] });
  expect(body["input"]).toEqual(items);
});

test("reasoning without encrypted content is not replayed, nor the ids that point to it", async () => {
  const items = [
    { type: "reasoning", id: "rs_1", summary: [] },
    { type: "function_call", id: "fc_1", call_id: "call_1", name: "create_list", arguments: "{}" },
  ];
  const body = await bodyOf({ input: [{ type: "earlier_turn", items }] });
  expect(body["input"]).toEqual([
    { type: "function_call", call_id: "call_1", name: "create_list", arguments: "{}" },
  ]);
});

test("the SDK's environment variables do not leak into the request", async () => {
  process.env["OPENAI_ORG_ID"] = "org-from-environment";
  process.env["OPENAI_ADMIN_KEY"] = "admin-from-environment";
  try {
    await using server = await startResponsesServer([stream(completed(message("Hi")))]);
    await adapter(server.baseUrl).model.generate(request, { signal: never });
    expect(server.seen[0]!.headers).not.toHaveProperty("openai-organization");
    expect(server.seen[0]!.headers.authorization).toBe(`Bearer ${key}`);
  } finally {
    delete process.env["OPENAI_ORG_ID"];
    delete process.env["OPENAI_ADMIN_KEY"];
  }
});

test("text, calls in their order, usage and the raw items", async () => {
  const output = [
    message("Two lists."),
    functionCall("call_1", "create_list", '{"a":1}'),
    functionCall("call_2", "create_table", "{broken"),
  ];
  await using server = await startResponsesServer([
    stream({ type: "response.created", response: { id: "resp_1" } }, completed(...output)),
  ]);
  expect(await adapter(server.baseUrl).model.generate(request, { signal: never })).toEqual({
    responseId: "resp_1",
    text: "Two lists.",
    calls: [
      { callId: "call_1", name: "create_list", arguments: '{"a":1}' },
      { callId: "call_2", name: "create_table", arguments: "{broken" },
    ],
    usage: {
      inputTokens: 100,
      cachedInputTokens: 40,
      cacheWriteTokens: 0,
      outputTokens: 30,
      reasoningTokens: 10,
      webSearches: 0,
    },
    outputItems: output,
  });
});

test("of calls with one id only the first goes back: the API takes one call for each output", async () => {
  const again = { ...functionCall("call_0", "create_list", "{}"), id: "fc_again" };
  await using server = await startResponsesServer([
    stream(
      completed(
        functionCall("call_0", "create_file", "{}"),
        again,
        functionCall("call_1", "create_svg", "{}"),
      ),
    ),
  ]);
  const turn = await adapter(server.baseUrl).model.generate(request, { signal: never });
  expect(turn.calls.map(({ callId, name }) => [callId, name])).toEqual([
    ["call_0", "create_file"],
    ["call_0", "create_list"],
    ["call_1", "create_svg"],
  ]);
  expect(turn.outputItems).toMatchObject([{ name: "create_file" }, { name: "create_svg" }]);
});

test("events that nobody knows are ignored", async () => {
  await using server = await startResponsesServer([
    stream(
      { type: "keepalive", sequence_number: 1 },
      { type: "response.brand_new.delta", delta: { x: 1 } },
      completed(message("Hi")),
    ),
  ]);
  expect((await adapter(server.baseUrl).model.generate(request, { signal: never })).text).toBe("Hi");
});

test("a server that leaves out status, usage and annotations is understood", async () => {
  await using server = await startResponsesServer([
    stream({
      type: "response.completed",
      response: {
        id: "resp_1",
        output: [{ type: "message", content: [{ type: "output_text", text: "Hi" }] }],
      },
    }),
  ]);
  const turn = await adapter(server.baseUrl).model.generate(request, { signal: never });
  expect(turn.text).toBe("Hi");
  expect(turn.usage).toEqual({
    inputTokens: 0,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: 0,
    reasoningTokens: 0,
    webSearches: 0,
    costUsd: 0,
  });
});

test("a server that leaves the final output empty is understood from its finished items", async () => {
  await using server = await startResponsesServer([
    stream({ type: "response.output_item.done", item: message("Hi") }, ended("completed", { output: [] })),
  ]);
  expect((await adapter(server.baseUrl).model.generate(request, { signal: never })).text).toBe("Hi");
});

test("comments on the way are not part of a marked final answer", async () => {
  await using server = await startResponsesServer([
    stream(
      completed(
        { ...message("Let me see."), phase: "commentary" },
        { ...message("Green."), phase: "final_answer" },
      ),
    ),
  ]);
  expect((await adapter(server.baseUrl).model.generate(request, { signal: never })).text).toBe("Green.");
});

test("several messages are paragraphs of one text", async () => {
  await using server = await startResponsesServer([stream(completed(message("One."), message("Two.")))]);
  expect((await adapter(server.baseUrl).model.generate(request, { signal: never })).text).toBe(
    "One.\n\nTwo.",
  );
});
