import { describe, expect, it } from "vitest";
import { parseSettings, priceListFor } from "../../../infra/settings.ts";
import { modelPrices } from "../../../infra/dated-table.ts";
import { pool, problems } from "./settings-cases.ts";

const price = { inputPerMillionUsd: 3, cachedInputPerMillionUsd: 0.3, outputPerMillionUsd: 15 };

describe("prices", () => {
  it("in the settings override and extend the default list", () => {
    const { prices, pricesAsOf } = parseSettings({
      spend: { prices: { "gpt-6-luna": price, "my-model": price }, pricesAsOf: "2026-11-20" },
    }).spend;
    expect(prices).toEqual({ ...modelPrices, "gpt-6-luna": price, "my-model": price });
    expect(pricesAsOf).toBe("2026-11-20");
  });

  it("reach the functions only for the models in use", () => {
    const inference = { model: "my-model", summaryModel: "gpt-5-mini" };
    const known = parseSettings({ inference, spend: { prices: { "my-model": price } } });
    const rest = { tiers: { flex: 0.5, priority: 2 }, webSearchUsd: 0.01 };
    const models = { "my-model": price, "gpt-5-mini": modelPrices["gpt-5-mini"] };
    expect(priceListFor(known)).toEqual({ models, ...rest });
    const unknown = parseSettings({ inference: { model: "unheard-of" } });
    expect(priceListFor(unknown)).toEqual({ models: {}, ...rest });
  });

  it("can include service tiers, web searches and cache writes", () => {
    const prices = { "gpt-6-luna": { ...price, cacheWritePerMillionUsd: 4 } };
    const given = parseSettings({ spend: { prices, tiers: { flex: 0.6 }, webSearchUsd: 0.02 } });
    const tiers = { flex: 0.6, priority: 2 };
    expect(priceListFor(given)).toEqual({ models: prices, tiers, webSearchUsd: 0.02 });
  });
});

describe("a daily cap", () => {
  it("is absent by default", () => {
    expect(parseSettings({}).pools[0]).not.toHaveProperty("dailyCapUsd");
  });

  it("requires a price for every model in use", () => {
    const inference = { model: "my-model", summaryModel: "gpt-6-luna" };
    const capped = { ...pool({ dailyCapUsd: 5 }), inference };
    expect(problems(capped)).toEqual([
      'pools[0].dailyCapUsd: is 5, but the price of the model "my-model" is unknown. Give its prices in spend.prices, or leave the cap out.',
    ]);
    expect(problems({ ...capped, spend: { prices: { "my-model": price } } })).toEqual([]);
    expect(problems({ ...pool({}), inference })).toEqual([]);
  });
});
