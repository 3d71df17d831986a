import { describe, expect, it } from "vitest";
import { modelPrices, tableAsOf } from "../../../infra/dated-table.ts";
import { costsBy, priceOf } from "../../../lib/model/prices.ts";

const usage = {
  inputTokens: 1_000_000,
  cachedInputTokens: 400_000,
  cacheWriteTokens: 0,
  outputTokens: 200_000,
  reasoningTokens: 150_000,
  webSearches: 0,
};
const models = { m: { inputPerMillionUsd: 2, cachedInputPerMillionUsd: 0.5, outputPerMillionUsd: 10 } };
const list = { models, tiers: { flex: 0.5, priority: 2 }, webSearchUsd: 0.01 };
const cost = (more: object = {}, tier?: string, names: readonly string[] = ["m"]) =>
  costsBy(list, "fallback")({ usage: { ...usage, ...more }, models: names, tier });

describe("the cost of a response", () => {
  it("is the sum of fresh input, cached input and output, which includes reasoning", () => {
    expect(cost()).toBeCloseTo(3.4, 12); // 0.6 x 2 + 0.4 x 0.5 + 0.2 x 10
  });

  it("is half in the flex tier, double in the priority tier and unchanged in any other tier", () => {
    expect(cost({}, "flex")).toBeCloseTo(1.7, 12);
    expect(cost({}, "priority")).toBeCloseTo(6.8, 12);
    expect(cost({}, "default")).toBeCloseTo(3.4, 12);
    expect(cost({}, "a tier of next year")).toBeCloseTo(3.4, 12);
  });

  it("charges a quarter more for cache writes, unless they have a price of their own", () => {
    // 0.4 x 2 + 0.2 x 2.5 + 0.4 x 0.5 + 0.2 x 10
    expect(cost({ cacheWriteTokens: 200_000 })).toBeCloseTo(3.5, 12);
    expect(cost({ cacheWriteTokens: 200_000 }, "flex")).toBeCloseTo(1.75, 12);
    const own = { ...list, models: { m: { ...models.m, cacheWritePerMillionUsd: 5 } } };
    const bill = { usage: { ...usage, cacheWriteTokens: 200_000 }, models: ["m"], tier: undefined };
    expect(costsBy(own, "m")(bill)).toBeCloseTo(4, 12);
  });

  it("adds each search, at the same price in every tier", () => {
    expect(cost({ webSearches: 3 })).toBeCloseTo(3.43, 12);
    expect(cost({ webSearches: 3 }, "flex")).toBeCloseTo(1.73, 12);
  });

  it("uses the first model name with a known price, or else the model of the settings", () => {
    expect(cost({}, undefined, ["other", "m"])).toBeCloseTo(3.4, 12);
    expect(costsBy(list, "m")({ usage, models: ["/models/unheard-of.gguf"], tier: undefined })).toBeCloseTo(
      3.4,
      12,
    );
  });

  it("is undefined, not zero, for a model without a known price", () => {
    expect(cost({}, undefined, ["other"])).toBeUndefined();
    expect(cost({}, undefined, ["toString"])).toBeUndefined();
  });
});

describe("the price of a model", () => {
  it("applies to its dated snapshots, unless they have prices of their own", () => {
    expect(priceOf(models, "m-2026-09-01")).toEqual(models.m);
    const own = { ...models.m, outputPerMillionUsd: 20 };
    expect(priceOf({ ...models, "m-2026-09-01": own }, "m-2026-09-01")).toEqual(own);
    expect(priceOf(models, "m-mini")).toBeUndefined();
  });

  it("is known for the default model, with the date of the price list", () => {
    expect(priceOf(modelPrices, "gpt-6-luna")).toEqual({
      inputPerMillionUsd: 0.1,
      cachedInputPerMillionUsd: 0.01,
      outputPerMillionUsd: 0.5,
    });
    expect(tableAsOf).toBe("2026-10-04");
  });
});
