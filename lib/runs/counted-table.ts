import { createTable, type Table, type TableOptions } from "../adapters/dynamodb.ts";
import type { Metrics } from "../core/metrics.ts";

export interface CountedTable {
  readonly tableName: string;
  /** Whose run store it is here. */
  readonly pool: string;
  readonly metrics: Metrics;
}

/** The run store's table; calls that DynamoDB throttles are counted, also those that a repetition heals. */
export function createCountedTable(
  { tableName, pool, metrics }: CountedTable,
  options: Omit<TableOptions, "onThrottled"> = {},
): Table {
  const onThrottled = (): void => metrics.emit("RunStoreThrottles", { pool }, 1);
  return createTable(tableName, { ...options, onThrottled });
}
