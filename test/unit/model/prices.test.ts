import { describe, expect, it } from "vitest";
import { costsBy, defaultPrices, defaultPricesAsOf, priceOf } from "../../../lib/model/prices.ts";

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
  it("is that of fresh input, cached input and output; reasoning is part of the output", () => {
    expect(cost()).toBeCloseTo(3.4, 12); // 0.6 x 2 + 0.4 x 0.5 + 0.2 x 10
  });

  it("is half in the tier flex and double in the tier priority, whatever the kind of token", () => {
    expect(cost({}, "flex")).toBeCloseTo(1.7, 12);
    expect(cost({}, "priority")).toBeCloseTo(6.8, 12);
    expect(cost({}, "default")).toBeCloseTo(3.4, 12);
    expect(cost({}, "a tier of next year")).toBeCloseTo(3.4, 12);
  });

  it("counts input that was written to the cache at a quarter more, or at the price that is given for it", () => {
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

  it("is that of the first name whose price is known: as asked, as answered, as in the settings", () => {
    expect(cost({}, undefined, ["other", "m"])).toBeCloseTo(3.4, 12);
    expect(costsBy(list, "m")({ usage, models: ["/models/unheard-of.gguf"], tier: undefined })).toBeCloseTo(
      3.4,
      12,
    );
  });

  it("of a model that nobody knows the price of is not known, and not nothing", () => {
    expect(cost({}, undefined, ["other"])).toBeUndefined();
    expect(cost({}, undefined, ["toString"])).toBeUndefined();
  });
});

describe("the price of a model", () => {
  it("of a dated snapshot is that of its model, unless it has a price of its own", () => {
    expect(priceOf(models, "m-2026-09-01")).toEqual(models.m);
    const own = { ...models.m, outputPerMillionUsd: 20 };
    expect(priceOf({ ...models, "m-2026-09-01": own }, "m-2026-09-01")).toEqual(own);
    expect(priceOf(models, "m-mini")).toBeUndefined();
  });

  it("is known for the default model, as of a day", () => {
    expect(priceOf(defaultPrices, "gpt-6-luna")).toEqual({
      inputPerMillionUsd: 0.1,
      cachedInputPerMillionUsd: 0.01,
      outputPerMillionUsd: 0.5,
    });
    expect(defaultPricesAsOf).toBe("2026-10-04");
  });
});
