import { LLMock } from "@copilotkit/aimock";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loop, teas } from "../agent/loop-support.ts";
import { adapter, never, request, thrownBy } from "./support.ts";

/** An independent mock of the Responses API, to check our reading of it. It cannot chain stored responses. */
let mock: LLMock;

beforeEach(async () => {
  mock = new LLMock({ port: 0, logLevel: "silent" });
  await mock.start();
});

afterEach(async () => {
  await mock.stop();
});

const model = () => adapter(`${mock.url}/v1`).model;

test("a streamed answer is returned with its full text and its usage", async () => {
  mock.onMessage("two teas", {
    content: "Green tea is unfermented, black tea is fermented. ".repeat(20),
    usage: { input_tokens: 12, output_tokens: 5, total_tokens: 17 },
  });
  const { text, responseId, calls, usage } = await model().generate(request, { signal: never });
  expect(text).toHaveLength(1_000);
  expect(responseId).toMatch(/^resp/);
  expect(calls).toEqual([]);
  expect(usage).toMatchObject({ inputTokens: 12, outputTokens: 5 });
});

test("a tool call creates its deliverable, and the next round ends the conversation", async () => {
  mock.addFixture({ match: { hasToolResult: true }, response: { content: "See {{artifact:list:teas}}." } });
  mock.addFixture({
    match: { userMessage: "Compare teas", toolName: "create_list" },
    response: { toolCalls: [{ id: "call_1", name: "create_list", arguments: JSON.stringify(teas) }] },
  });
  const { message, draft, rounds } = await loop(model(), { store: false });
  expect({ message, rounds }).toEqual({ message: "See {{artifact:list:teas}}.", rounds: 2 });
  expect(draft.lists).toMatchObject([{ id: "teas", items: ["green", "black"] }]);
});

test("a provider's error is reported with its status and message", async () => {
  mock.addFixture({
    match: { userMessage: "two teas" },
    response: { error: { message: "No such parameter", type: "invalid_request_error" }, status: 400 },
  });
  const error = await thrownBy(model().generate(request, { signal: never }));
  expect(error).toMatchObject({ code: "model_rejected", status: 400 });
  expect(error.message).toContain("No such parameter");
});

test("a request whose stream is always cut fails after five tries", async () => {
  mock.addFixture({
    match: { userMessage: "two teas" },
    response: { content: "Green tea. ".repeat(50) },
    truncateAfterChunks: 2,
  });
  expect(await thrownBy(model().generate(request, { signal: never }))).toMatchObject({
    code: "model_unavailable",
  });
  expect(mock.getRequests()).toHaveLength(5);
});
