import type { KeySecret } from "./key-secret.ts";
import type { RunStoreTable } from "./run-store-table.ts";
import type { PoolSettings, Settings } from "./settings.ts";

export interface PoolParts {
  readonly settings: Settings;
  readonly pool: PoolSettings;
  readonly runStore: RunStoreTable;
  readonly runnerKeys: KeySecret;
}

/** The environment variables of every function that works on runs (lib/core/config.ts, `common`). */
export function commonVariables({ settings, pool, runStore, runnerKeys }: PoolParts) {
  return {
    RUNNER_POOL: pool.name,
    RUNNER_API_BASE: settings.studio.baseUrl,
    RUNNER_RUN_STORE_TABLE: runStore.tableName,
    RUNNER_KEY_SECRET: runnerKeys.arn,
    RUNNER_RUN_LIMIT_MS: pool.runLimitMinutes * 60_000,
  };
}
