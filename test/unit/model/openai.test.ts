import { expect, onTestFinished, test } from "vitest";
import type { ModelRequest } from "../../../lib/model/model.ts";
import { completed, ended, functionCall, message, silence, stream } from "../../support/model-replies.ts";
import type { Reply } from "../../support/http-server.ts";
import { key, fixture } from "./support.ts";

const hi = completed(message("Hi"));
const tool = {
  name: "create_list",
  description: "Makes a list.",
  parameters: { type: "object", properties: {}, required: [], additionalProperties: false },
};

async function bodyOf(changes: Partial<ModelRequest>): Promise<Record<string, unknown>> {
  const { ask, asked } = await fixture([stream(hi)]);
  await ask(changes);
  return asked()[0]!;
}

test("the first round sends a streaming request with the user's message", async () => {
  const { ask, asked, server } = await fixture([stream(hi)]);
  await ask();
  expect(server.requests[0]).toMatchObject({
    method: "POST",
    path: "/v1/responses",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      "user-agent": "studio-runner",
    },
  });
  expect(asked()[0]).toEqual({
    model: "gpt-6-luna",
    instructions: "Help.",
    input: [{ type: "message", role: "user", content: "Compare two teas." }],
    store: true,
    stream: true,
  });
});

test("rounds reuse one connection", async () => {
  const ports: (number | undefined)[] = [];
  const turn: Reply = {
    raw: (response) => {
      ports.push(response.socket?.remotePort);
      response.writeHead(200, { "content-type": "text/event-stream" }).end(`data: ${JSON.stringify(hi)}\n\n`);
    },
  };
  const { ask } = await fixture([turn, turn, turn]);
  for (const _ of Array(3).keys()) {
    await ask();
    // A connection returns to the pool in the next turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(new Set(ports).size).toBe(1);
});

test("a stream that stays open after the response has ended is closed without waiting", async () => {
  const { ask, server } = await fixture([silence(hi)]);
  expect((await ask()).text).toBe("Hi");
  await server.requests[0]!.closed;
});

test("tools are sent as strict functions that may be called in parallel", async () => {
  expect(await bodyOf({ tools: [tool] })).toMatchObject({
    tools: [{ type: "function", strict: true, ...tool }],
    tool_choice: "auto",
    parallel_tool_calls: true,
  });
});

test("tier, effort, output limit, cache key and hosted tools are sent if they are set", async () => {
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

test("a chained round sends only the previous response's id and the tool outputs", async () => {
  const body = await bodyOf({
    previousResponseId: "resp_0",
    input: [{ type: "tool_output", callId: "call_1", output: "done" }],
  });
  expect(body["previous_response_id"]).toBe("resp_0");
  expect(body["input"]).toEqual([{ type: "function_call_output", call_id: "call_1", output: "done" }]);
  expect(body).not.toHaveProperty("include");
});

test("without storing, encrypted reasoning is requested and earlier turns are resent unchanged", async () => {
  const items = [
    { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "abc" },
    functionCall("call_1", "create_list", "{}"),
  ];
  const body = await bodyOf({ store: false, input: [{ type: "earlier_turn", items }] });
  expect(body).toMatchObject({ store: false, include: ["reasoning.encrypted_content"] });
  expect(body["input"]).toEqual(items);
});

test("reasoning without encrypted content is not sent back, nor are the ids that point to it", async () => {
  const call = { type: "function_call", call_id: "call_1", name: "create_list", arguments: "{}" };
  const items = [
    { type: "reasoning", id: "rs_1", summary: [] },
    { ...call, id: "fc_1" },
  ];
  expect((await bodyOf({ input: [{ type: "earlier_turn", items }] }))["input"]).toEqual([call]);
});

test("the SDK's environment variables do not leak into the request", async () => {
  const variables = { OPENAI_ORG_ID: "org-from-environment", OPENAI_ADMIN_KEY: "admin-from-environment" };
  Object.assign(process.env, variables);
  onTestFinished(() => Object.keys(variables).forEach((name) => delete process.env[name]));
  const { ask, server } = await fixture([stream(hi)]);
  await ask();
  expect(server.requests[0]!.headers).not.toHaveProperty("openai-organization");
  expect(server.requests[0]!.headers.authorization).toBe(`Bearer ${key}`);
});

test("a turn has the text, the calls in their order, the usage and the raw items", async () => {
  const output = [
    message("Two lists."),
    functionCall("call_1", "create_list", '{"a":1}'),
    functionCall("call_2", "create_table", "{broken"),
  ];
  const { ask } = await fixture([
    stream({ type: "response.created", response: { id: "resp_1" } }, completed(...output)),
  ]);
  expect(await ask()).toEqual({
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

test("of calls with the same id, only the first is resent, since each output may have one call", async () => {
  const { ask } = await fixture([
    stream(
      completed(
        functionCall("call_0", "create_file", "{}"),
        { ...functionCall("call_0", "create_list", "{}"), id: "fc_again" },
        functionCall("call_1", "create_svg", "{}"),
      ),
    ),
  ]);
  const { calls, outputItems } = await ask();
  expect(calls.map(({ callId, name }) => [callId, name])).toEqual([
    ["call_0", "create_file"],
    ["call_0", "create_list"],
    ["call_1", "create_svg"],
  ]);
  expect(outputItems).toMatchObject([{ name: "create_file" }, { name: "create_svg" }]);
});

const comment = { ...message("Let me see."), phase: "commentary" };
const bare = { type: "message", content: [{ type: "output_text", text: "Hi" }] };

test.for<readonly [string, Reply, string]>([
  ["a server that does not stream", { body: hi["response"] }, "Hi"],
  [
    "a stream with unknown events",
    stream({ type: "keepalive", sequence_number: 1 }, { type: "response.brand_new.delta", delta: {} }, hi),
    "Hi",
  ],
  [
    "a server that leaves out status, usage and annotations",
    stream({ type: "response.completed", response: { id: "resp_1", output: [bare] } }),
    "Hi",
  ],
  [
    "a server that leaves the final output empty",
    stream({ type: "response.output_item.done", item: message("Hi") }, ended("completed", { output: [] })),
    "Hi",
  ],
  [
    "a marked final answer, without the commentary before it",
    stream(completed(comment, { ...message("Green."), phase: "final_answer" })),
    "Green.",
  ],
  ["several messages, as paragraphs", stream(completed(message("One."), message("Two."))), "One.\n\nTwo."],
])("reads the text of %s", async ([, answer, text]) => {
  const { ask } = await fixture([answer]);
  expect(await ask()).toMatchObject({ text, calls: [] });
});
