import { describe, expect, it } from "vitest";
import { costOf, defaultPrices, defaultPricesAsOf, priceOf } from "../../../lib/spend/prices.ts";

const usage = {
  inputTokens: 1_000_000,
  cachedInputTokens: 400_000,
  outputTokens: 200_000,
  reasoningTokens: 150_000,
};
const prices = { m: { inputPerMillionUsd: 2, cachedInputPerMillionUsd: 0.5, outputPerMillionUsd: 10 } };

describe("the cost of tokens", () => {
  it("is that of fresh input, cached input and output; reasoning is part of the output", () => {
    expect(costOf(prices, "m", usage)).toBe(1.2 + 0.2 + 2);
  });

  it("is kept to a billionth of a dollar", () => {
    const few = { inputTokens: 1, cachedInputTokens: 1, outputTokens: 0, reasoningTokens: 0 };
    expect(costOf(defaultPrices, "gpt-6-luna", few)).toBe(0.00000001);
    expect(costOf(prices, "m", { ...few, cachedInputTokens: 0 })).toBe(0.000002);
  });

  it("of a model that nobody knows the price of is not known, and not nothing", () => {
    expect(costOf(prices, "other", usage)).toBeUndefined();
    expect(costOf(prices, "toString", usage)).toBeUndefined();
  });

  it("of a dated snapshot is that of its model, unless it has a price of its own", () => {
    expect(priceOf(prices, "m-2026-09-01")).toEqual(prices.m);
    const own = { ...prices.m, outputPerMillionUsd: 20 };
    expect(priceOf({ ...prices, "m-2026-09-01": own }, "m-2026-09-01")).toEqual(own);
    expect(priceOf(prices, "m-mini")).toBeUndefined();
  });
});

it("the default model has a default price, and the list has its day", () => {
  expect(priceOf(defaultPrices, "gpt-6-luna")).toEqual({
    inputPerMillionUsd: 0.1,
    cachedInputPerMillionUsd: 0.01,
    outputPerMillionUsd: 0.5,
  });
  expect(defaultPricesAsOf).toBe("2026-10-04");
});
