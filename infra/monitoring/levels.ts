import type { Settings } from "../settings.ts";

type Level = Settings["monitoring"]["level"];

/** What a value of the setting `monitoring.level` creates. */
export interface LevelContents {
  readonly topic: boolean;
  readonly savedQueries: boolean;
  /** `paging`: the alarms that `lean` includes. */
  readonly alarms: "all" | "paging" | "none";
  /** Whether there is a composite alarm `Page`, through which the paging alarms send. */
  readonly page: boolean;
  readonly dashboard: boolean;
}

/**
 * Cost per pool and month at list prices of us-east-1. An alarm costs 0.10 USD per metric, a composite alarm
 * 0.50 USD, and a dashboard 3 USD after the account's first three; saved queries and the topic are free.
 * - `full`: 14 alarm metrics 1.40 USD (1.60 with a daily cap), Page 0.50 USD, dashboard 0 or 3 USD: 1.90 to
 *   5.10 USD
 * - `lean`: 3 alarms 0.30 USD (0.40 with a daily cap)
 * - `off`: nothing
 * The runner's own metrics are emitted, and billed, at every level.
 */
export const levels: Readonly<Record<Level, LevelContents>> = {
  full: { topic: true, savedQueries: true, alarms: "all", page: true, dashboard: true },
  lean: { topic: true, savedQueries: true, alarms: "paging", page: false, dashboard: false },
  off: { topic: false, savedQueries: false, alarms: "none", page: false, dashboard: false },
};
