/**
 * AWS list prices in US dollars: us-east-1, arm64, on demand. Sources: the services' pages, such as
 * https://aws.amazon.com/lambda/pricing/, read through copies of them. DynamoDB prices are those since November 2024.
 */
export const awsPricesAsOf = "2026-10-04";

export interface AwsPrice {
  readonly usd: number;
  readonly unit: string;
  /** The free amount per month, for the whole account. */
  readonly free: number;
}

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
