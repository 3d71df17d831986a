import type { Bill, CostOf } from "./billed.ts";

/** US dollars per million tokens. */
export interface Price {
  readonly inputPerMillionUsd: number;
  /** Price of input tokens that were read from the provider's cache. */
  readonly cachedInputPerMillionUsd: number;
  /** Price of input tokens that were written to its cache. Absent: a quarter more than the input price. */
  readonly cacheWritePerMillionUsd?: number | undefined;
  /** Reasoning tokens are output tokens. */
  readonly outputPerMillionUsd: number;
}

/** Prices by model name. */
export type Prices = Readonly<Record<string, Price>>;

/** Everything that a response's cost depends on. */
export interface PriceList {
  readonly models: Prices;
  /** Factors on a model's prices, for tiers with other prices. */
  readonly tiers: Readonly<Record<PricedTier, number>>;
  /** Price of one search by the hosted tool; its results are billed as input. */
  readonly webSearchUsd: number;
}

export const pricedTiers = ["flex", "priority"] as const;
type PricedTier = (typeof pricedTiers)[number];

/** https://developers.openai.com/api/docs/guides/prompt-caching: of writes that are kept for 30 minutes. */
const cacheWriteFactor = 1.25;

/** The names under which a model's price is looked up: `gpt-6-luna-2026-09-01`, a dated snapshot, costs what `gpt-6-luna` does. */
export const priceNames = (model: string): readonly string[] => [
  model,
  model.replace(/-\d{4}-\d{2}-\d{2}$/, ""),
];

/** Of the model itself, or of the one that it is a dated snapshot of. */
export function priceOf(prices: Prices, model: string): Price | undefined {
  for (const name of priceNames(model)) {
    if (Object.hasOwn(prices, name)) return prices[name];
  }
  return undefined;
}

/**
 * Estimates what responses cost. `fallback` names the model for answers of a server that calls it otherwise than the
 * settings do. `undefined`: the model's price is unknown.
 */
export function costsBy({ models: prices, tiers, webSearchUsd }: PriceList, fallback: string): CostOf {
  return ({ usage, models, tier }: Bill) => {
    const found = [...models, fallback].flatMap((name) => priceOf(prices, name) ?? [])[0];
    if (found === undefined) return undefined;
    const { inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, webSearches } = usage;
    const { inputPerMillionUsd, cacheWritePerMillionUsd = inputPerMillionUsd * cacheWriteFactor } = found;
    const perMillion =
      (inputTokens - cachedInputTokens - cacheWriteTokens) * inputPerMillionUsd +
      cachedInputTokens * found.cachedInputPerMillionUsd +
      cacheWriteTokens * cacheWritePerMillionUsd +
      outputTokens * found.outputPerMillionUsd;
    const priced = pricedTiers.find((name) => name === tier);
    const factor = priced === undefined ? 1 : tiers[priced];
    return (perMillion * factor) / 1e6 + webSearches * webSearchUsd;
  };
}
