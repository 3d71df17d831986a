import { describe, expect, test } from "vitest";
import { billedSchema, usageOf, type Bill } from "../../../lib/model/billed.ts";
import { addUsage, noUsage, usageBeyond } from "../../../lib/model/model.ts";

const counts = {
  input_tokens: 100,
  output_tokens: 50,
  input_tokens_details: { cached_tokens: 30, cache_write_tokens: 20 },
  output_tokens_details: { reasoning_tokens: 10 },
};
const read = (response: object, billing = {}) => usageOf(billedSchema.parse(response), billing);

describe("what a response has used", () => {
  test("is counted by kind of token, with the searches that are billed", () => {
    const response = { usage: counts, tool_usage: { web_search: { num_requests: 2 } } };
    expect(read(response)).toEqual({
      inputTokens: 100,
      cachedInputTokens: 30,
      cacheWriteTokens: 20,
      outputTokens: 50,
      reasoningTokens: 10,
      webSearches: 2,
    });
  });

  test("has the searches in the output if the provider does not count them; opening a page is none", () => {
    const output = [
      { type: "web_search_call", action: { type: "search", queries: ["tea"] } },
      { type: "web_search_call", action: { type: "open_page" } },
      { type: "web_search_call" },
      { type: "message" },
    ];
    expect(read({ usage: counts, output }).webSearches).toBe(2);
    expect(read({ usage: counts, output: "nonsense" }).webSearches).toBe(0);
  });

  test("never has more parts than the whole", () => {
    const input_tokens_details = { cached_tokens: 90, cache_write_tokens: 90 };
    const output_tokens_details = { reasoning_tokens: 51 };
    expect(read({ usage: { ...counts, input_tokens_details, output_tokens_details } })).toMatchObject({
      inputTokens: 100,
      cachedInputTokens: 90,
      cacheWriteTokens: 10,
      outputTokens: 50,
      reasoningTokens: 50,
    });
  });

  test("costs what the model that was asked for, or that answered, costs in the tier that answered", () => {
    const bills: Bill[] = [];
    const costOf = (bill: Bill): number => bills.push(bill);
    const response = { model: "m-2026-09-01", service_tier: "flex", usage: counts };
    expect(read(response, { costOf, model: "m" }).costUsd).toBe(1);
    expect(read(response, { costOf }).costUsd).toBe(2);
    expect(bills).toMatchObject([
      { models: ["m", "m-2026-09-01"], tier: "flex", usage: { inputTokens: 100 } },
      { models: ["m-2026-09-01"], tier: "flex" },
    ]);
  });

  test("is nothing if the provider reports nothing", () => {
    expect(read({})).toEqual(noUsage);
  });
});

describe("sums of what was used", () => {
  const one = { ...read({ usage: counts }), costUsd: 0.25 };

  test("add up each kind and the cost", () => {
    const both = addUsage(one, { ...one, webSearches: 1, costUsd: 0.5 });
    expect(both).toEqual({
      inputTokens: 200,
      cachedInputTokens: 60,
      cacheWriteTokens: 40,
      outputTokens: 100,
      reasoningTokens: 20,
      webSearches: 1,
      costUsd: 0.75,
    });
    expect(usageBeyond(both, one)).toEqual({ ...one, webSearches: 1, costUsd: 0.5 });
    expect(usageBeyond(one, both)).toEqual(noUsage);
  });

  test("have no known cost where one part has none", () => {
    expect(addUsage(one, { ...one, costUsd: undefined }).costUsd).toBeUndefined();
  });
});
