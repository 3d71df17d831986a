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

describe("a response's usage", () => {
  test("has the tokens of each kind and the billed web searches", () => {
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

  test("counts the searches in the output, but not opened pages, when the provider reports no count", () => {
    const output = [
      { type: "web_search_call", action: { type: "search", queries: ["tea"] } },
      { type: "web_search_call", action: { type: "open_page" } },
      { type: "web_search_call" },
      { type: "message" },
    ];
    expect(read({ usage: counts, output }).webSearches).toBe(2);
    expect(read({ usage: counts, output: "nonsense" }).webSearches).toBe(0);
  });

  test("caps cached, cache-write and reasoning tokens at the totals", () => {
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

  test("is priced by the requested and the answering model, in the tier that answered", () => {
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

  test("is zero when the provider reports none", () => {
    expect(read({})).toEqual(noUsage);
  });
});

describe("sums and differences of usage", () => {
  const one = { ...read({ usage: counts }), costUsd: 0.25 };

  test("are calculated for each kind and for the cost", () => {
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

  test("have an unknown cost when one part's cost is unknown", () => {
    expect(addUsage(one, { ...one, costUsd: undefined }).costUsd).toBeUndefined();
  });
});
