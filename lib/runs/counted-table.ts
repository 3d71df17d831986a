import { createTable, type Table, type TableOptions } from "../adapters/dynamodb.ts";
import type { Metrics } from "../core/metrics.ts";

export interface CountedTable {
  readonly tableName: string;
  /** The pool whose run store this is. */
  readonly pool: string;
  readonly metrics: Metrics;
}

/** The run store's table. Counts calls that DynamoDB throttles, including those that succeed on retry. */
export function createCountedTable(
  { tableName, pool, metrics }: CountedTable,
  options: Omit<TableOptions, "onThrottled"> = {},
): Table {
  const onThrottled = (): void => metrics.emit("RunStoreThrottles", { pool }, 1);
  return createTable(tableName, { ...options, onThrottled });
}
