import { describe, expect, it, test } from "vitest";
import { turnFrom } from "../../../lib/model/response-answer.ts";
import { completed, ended, message, stream } from "../../support/model-replies.ts";
import { fixture } from "./support.ts";

const words = { type: "message", content: [{ type: "output_text", text: "Hi", annotations: [] }] };
const call = { type: "function_call", call_id: "call_1", name: "create_list", arguments: "{}" };

const turnOf = (changed: object) =>
  turnFrom(
    { outcome: "completed", response: { id: "resp_1", output: [words], ...changed }, items: [] },
    { redact: String },
  );

const usage = (input: unknown, output: unknown, cached?: unknown, reasoning?: unknown) => ({
  usage: {
    input_tokens: input,
    output_tokens: output,
    input_tokens_details: { cached_tokens: cached },
    output_tokens_details: { reasoning_tokens: reasoning },
  },
});

describe("turnFrom: usage", () => {
  it.each([-1, 0.5, 1e300, 2 ** 53, 10_000_001, Number.POSITIVE_INFINITY])(
    "ignores a count of %s tokens and keeps the other counts",
    (absurd) => {
      expect(turnOf(usage(absurd, 7)).usage).toMatchObject({ inputTokens: 0, outputTokens: 7 });
      expect(turnOf(usage(9, absurd)).usage).toMatchObject({ inputTokens: 9, outputTokens: 0 });
      expect(turnOf(usage(9, 7, absurd, absurd)).usage).toMatchObject({
        inputTokens: 9,
        cachedInputTokens: 0,
        outputTokens: 7,
        reasoningTokens: 0,
      });
    },
  );

  it("accepts a count of ten million tokens", () => {
    expect(turnOf(usage(10_000_000, 1)).usage).toMatchObject({ inputTokens: 10_000_000, outputTokens: 1 });
  });
});

describe("turnFrom: ids", () => {
  it.each([
    ["513 bytes long", "r".repeat(513)],
    ["half of a surrogate pair, which no URL can hold", "resp_\uD83D"],
    ["a relative path segment", ".."],
  ])("rejects a response id that is %s", (_, id) => {
    expect(() => turnOf({ id })).toThrow(expect.objectContaining({ code: "model_contract" }));
  });

  it("rejects a call id of more than 512 bytes", () => {
    expect(() => turnOf({ output: [{ ...call, call_id: "c".repeat(513) }] })).toThrow(
      expect.objectContaining({ code: "model_contract" }),
    );
  });
});

test("a response id of 513 bytes in a stream is not recorded", async () => {
  const id = "r".repeat(513);
  const { ask } = await fixture([
    stream({ type: "response.created", response: { id } }, completed(message("Hi"))),
  ]);
  const recorded: string[] = [];
  await ask({}, { onStarted: async (responseId) => void recorded.push(responseId) });
  expect(recorded).not.toContain(id);
});

test("an answer of 30,000 malformed items is rejected with one short message", async () => {
  const { failure } = await fixture([
    stream(ended("completed", { output: Array.from({ length: 30_000 }, () => ({})) })),
  ]);
  const says = expect.stringContaining("output: Too big: expected array to have <=1000 items") as unknown;
  expect(await failure()).toMatchObject({ code: "model_contract", message: says });
});
