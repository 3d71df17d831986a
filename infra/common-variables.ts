import type { KeySecret } from "./key-secret.ts";
import type { LedgerTable } from "./ledger-table.ts";
import type { PoolSettings, Settings } from "./settings.ts";

export interface PoolParts {
  readonly settings: Settings;
  readonly pool: PoolSettings;
  readonly ledger: LedgerTable;
  readonly runnerKeys: KeySecret;
}

/** The variables that every function that works on runs has (lib/core/config.ts, `common`). */
export function commonVariables({ settings, pool, ledger, runnerKeys }: PoolParts) {
  return {
    RUNNER_POOL: pool.name,
    RUNNER_API_BASE: settings.studio.baseUrl,
    RUNNER_LEDGER_TABLE: ledger.tableName,
    RUNNER_KEY_SECRET: runnerKeys.arn,
    RUNNER_RUN_LIMIT_MS: pool.runLimitMinutes * 60_000,
  };
}
