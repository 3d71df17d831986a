import { createTable, type Table, type TableOptions } from "../adapters/dynamodb.ts";
import type { Metrics } from "../core/metrics.ts";

/** The run store's table. Records calls that DynamoDB throttles, including those that succeed on retry. */
export function createRunStoreTable(
  {
    tableName,
    pool,
    metrics,
  }: { readonly tableName: string; readonly pool: string; readonly metrics: Metrics },
  options: Omit<TableOptions, "onThrottled"> = {},
): Table {
  const onThrottled = (): void => metrics.emit("RunStoreThrottles", { pool }, 1);
  return createTable(tableName, { ...options, onThrottled });
}
