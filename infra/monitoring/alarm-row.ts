import type { PoolSettings, Settings } from "../settings.ts";
import type { FunctionRole, PoolMetricName, Reading } from "./metric.ts";

export type Source =
  | { readonly from: "runner"; readonly metric: PoolMetricName; readonly statistic: Reading["statistic"] }
  | { readonly from: "lambda"; readonly metric: "Errors" | "Throttles"; readonly of: FunctionRole }
  | { readonly from: "deadLetters"; readonly metric: "ApproximateNumberOfMessagesVisible" };

export interface AlarmInput {
  readonly settings: Settings;
  readonly pool: PoolSettings;
}

export interface Limit {
  readonly threshold: number;
  /** The threshold and where it comes from, to go on "Fires ". */
  readonly when: string;
}

export interface AlarmRow {
  readonly id: string;
  /** Needs a person now, also at night: speaks through the composite alarm `Page`. */
  readonly pages: boolean;
  /** Kept at level `lean`. */
  readonly lean: boolean;
  /** Absent: in every pool. */
  readonly where?: (pool: PoolSettings) => boolean;
  readonly sources: Readonly<Record<string, Source>>;
  /** Of the sources' names; absent: the one source itself. */
  readonly expression?: (input: AlarmInput) => string;
  readonly periodSeconds: number;
  /** Of the last `of` periods so many must break the threshold. */
  readonly periods: { readonly breaking: number; readonly of: number };
  readonly comparison: "below" | "atLeast";
  readonly missing: "breaching" | "notBreaching" | "ignore";
  readonly limit: (input: AlarmInput) => Limit;
  readonly means: string;
  readonly lookAt: string;
  /** Of the operator's command line, without the pool. */
  readonly command: string;
}

/** CloudWatch takes no more. */
export const maxDescriptionCharacters = 1024;

export function describeAlarm(row: AlarmRow, input: AlarmInput): string {
  const { name } = input.pool;
  return [
    row.means,
    `Fires ${row.limit(input).when}`,
    `Look at: ${row.lookAt}`,
    `Run: npm run runner -- ${row.command} --pool ${name}`,
    `Runbook: ${runbookOf(row.id)}`,
  ].join("\n");
}

export const runbookOf = (id: string): string => `docs/runbook.md#${id.toLowerCase()}`;
