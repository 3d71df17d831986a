import type { PriceList, Prices, Price } from "../lib/model/prices.ts";

/**
 * The one table of facts that grow old: default models, prices, and announced shutdowns. Defaults, `cost`, `doctor`, the
 * benchmark and the documents read it here. Each fact was checked on this day or later; `doctor` warns when the table is old.
 */
export const tableAsOf = "2026-10-04";

/** The model that is used if the settings name none, by where it is asked for. */
export const defaultModels = {
  openai: "gpt-6-luna",
  mantle: "openai.gpt-6-luna",
  runtime: "us.openai.gpt-6-luna",
} as const;

const price = (
  inputPerMillionUsd: number,
  cachedInputPerMillionUsd: number,
  outputPerMillionUsd: number,
): Price => ({ inputPerMillionUsd, cachedInputPerMillionUsd, outputPerMillionUsd });

/**
 * Standard tier, inputs of up to 272 K tokens. Source: https://developers.openai.com/api/docs/pricing, by way of
 * repositories that copied it from 2026-10-01 to 2026-10-04.
 */
export const modelPrices: Prices = {
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

/** https://developers.openai.com/api/docs/guides/flex-processing (the Batch API's prices), .../guides/fast-mode */
export const tierFactors: PriceList["tiers"] = { flex: 0.5, priority: 2 };

/** US dollars per search. https://developers.openai.com/api/docs/pricing, "Web search": 10 USD per 1,000 calls. */
export const webSearchUsd = 0.01;

/**
 * The models of OpenAI that write text and are announced to shut down, for when the provider is not asked or does not say.
 * Source: https://developers.openai.com/api/docs/deprecations, through pages that copied it until 2026-11-20.
 */
export const shutdowns: Readonly<Record<string, readonly [date: string, instead?: string]>> = {
  "gpt-5-chat-latest": ["2026-07-23", "gpt-5.3-chat-latest"],
  "gpt-5-codex": ["2026-07-23", "gpt-5.4"],
  "gpt-5.1-chat-latest": ["2026-07-23", "gpt-5.3-chat-latest"],
  "gpt-5.1-codex": ["2026-07-23", "gpt-5"],
  "gpt-5.1-codex-max": ["2026-07-23", "gpt-5.4"],
  "gpt-5.1-codex-mini": ["2026-07-23", "gpt-5.4-mini"],
  "gpt-5.2-codex": ["2026-07-23", "gpt-5.4"],
  "gpt-5.2-chat-latest": ["2026-08-10", "gpt-5.5"],
  "gpt-5.3-chat-latest": ["2026-08-10", "gpt-5.5"],
  "gpt-3.5-turbo": ["2026-10-23", "gpt-4.1-mini"],
  "gpt-4": ["2026-10-23"],
  "gpt-5": ["2026-12-11"],
  "gpt-5-mini": ["2026-12-11", "gpt-5.6-terra"],
  "gpt-5-nano": ["2026-12-11", "gpt-5.6-luna"],
  "gpt-5-pro": ["2026-12-11"],
  o3: ["2026-12-11"],
  "o3-pro": ["2026-12-11"],
};

export interface AwsPrice {
  readonly usd: number;
  readonly unit: string;
  /** The free amount per month, for the whole account. */
  readonly free: number;
}

/**
 * AWS list prices in US dollars: us-east-1, arm64, on demand. Sources: the services' pages, such as
 * https://aws.amazon.com/lambda/pricing/, read through copies of them. DynamoDB prices are those since November 2024.
 */
export const awsPrices = {
  compute: { usd: 0.000_013_333_4, unit: "GB-s", free: 400_000 },
  request: { usd: 0.000_000_2, unit: "requests", free: 1_000_000 },
  schedule: { usd: 0.000_001, unit: "starts", free: 14_000_000 },
  runStoreWrite: { usd: 0.000_000_625, unit: "writes", free: 0 },
  runStoreRead: { usd: 0.000_000_125, unit: "reads", free: 0 },
  secret: { usd: 0.4, unit: "secrets", free: 0 },
  secretRead: { usd: 0.000_005, unit: "reads", free: 0 },
  metric: { usd: 0.3, unit: "metrics", free: 10 },
  alarm: { usd: 0.1, unit: "alarm metrics", free: 10 },
  compositeAlarm: { usd: 0.5, unit: "composite alarms", free: 0 },
  dashboard: { usd: 3, unit: "dashboards", free: 3 },
  logs: { usd: 0.5, unit: "GB of log lines", free: 5 },
} as const satisfies Readonly<Record<string, AwsPrice>>;

export type AwsPriceName = keyof typeof awsPrices;
