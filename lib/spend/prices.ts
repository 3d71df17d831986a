import type { Usage } from "../inference/model.ts";

/** US dollars per million tokens. */
export interface Price {
  readonly inputPerMillionUsd: number;
  /** Of the input tokens that the provider had in its cache. */
  readonly cachedInputPerMillionUsd: number;
  /** Reasoning tokens are output tokens. */
  readonly outputPerMillionUsd: number;
}

/** By the model's name. */
export type Prices = Readonly<Record<string, Price>>;

/** When the defaults were read. */
export const defaultPricesAsOf = "2026-10-04";

const price = (
  inputPerMillionUsd: number,
  cachedInputPerMillionUsd: number,
  outputPerMillionUsd: number,
): Price => ({ inputPerMillionUsd, cachedInputPerMillionUsd, outputPerMillionUsd });

/**
 * Standard tier, inputs of up to 272 K tokens. Source: https://developers.openai.com/api/docs/pricing, by way of
 * repositories that copied it from 2026-10-01 to 2026-10-04 (platform-facts.md, section 6). Settings may say otherwise.
 */
export const defaultPrices: Prices = {
  "gpt-6-astra": price(10, 1, 50),
  "gpt-6-sol": price(2, 0.2, 10),
  "gpt-6-luna": price(0.1, 0.01, 0.5),
  "gpt-6.1-sol": price(2, 0.1, 10),
  "gpt-6.1-terra": price(1, 0.05, 5),
  "gpt-5.6-terra": price(2, 0.2, 12),
  "gpt-5.6-luna": price(0.2, 0.02, 1.2),
  "gpt-5.4-mini": price(0.75, 0.075, 4.5),
  "gpt-5.4-nano": price(0.2, 0.02, 1.25),
  "gpt-5-mini": price(0.25, 0.025, 2),
};

/** Under which a model's price may stand: `gpt-6-luna-2026-09-01`, a dated snapshot, costs what `gpt-6-luna` does. */
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

/** Estimated cost in US dollars, to a billionth; `undefined`: nobody told us this model's price. */
export function costOf(prices: Prices, model: string, usage: Usage): number | undefined {
  const found = priceOf(prices, model);
  if (found === undefined) return undefined;
  const { inputTokens, cachedInputTokens, outputTokens } = usage;
  const perMillion =
    (inputTokens - cachedInputTokens) * found.inputPerMillionUsd +
    cachedInputTokens * found.cachedInputPerMillionUsd +
    outputTokens * found.outputPerMillionUsd;
  return Math.round(perMillion * 1_000) / 1e9;
}
