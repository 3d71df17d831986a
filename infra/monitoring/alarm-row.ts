import { commandLine } from "../command-line.ts";
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
  /** The threshold and its origin; completes a sentence that begins with "Fires ". */
  readonly when: string;
}

interface Periods {
  readonly breaking: number;
  readonly of: number;
}

export interface AlarmRow {
  readonly id: string;
  /** Whether the alarm needs a person at once, even at night. Sends through the composite alarm `Page`. */
  readonly pages: boolean;
  /** Whether level `lean` includes the alarm. */
  readonly lean: boolean;
  /** Which pools have the alarm. Absent: all. */
  readonly where?: (pool: PoolSettings) => boolean;
  readonly sources: Readonly<Record<string, Source>>;
  /** An expression over the names in `sources`. Absent: the only source itself. */
  readonly expression?: (input: AlarmInput) => string;
  readonly periodSeconds: number;
  /** Fires if at least `breaking` of the last `of` periods break the threshold. */
  readonly periods: Periods | ((input: AlarmInput) => Periods);
  readonly comparison: "below" | "atLeast";
  readonly missing: "breaching" | "notBreaching" | "ignore";
  readonly limit: (input: AlarmInput) => Limit;
  readonly means: string;
  readonly lookAt: string;
  /** A command of the operator's command line, without the pool. */
  readonly command: string;
}

/** CloudWatch's limit. */
export const maxDescriptionCharacters = 1024;

export function describeAlarm(row: AlarmRow, input: AlarmInput): string {
  const { name } = input.pool;
  return [
    row.means,
    `Fires ${row.limit(input).when}`,
    `Look at: ${row.lookAt}`,
    `Run: ${commandLine(row.command, { pool: name })}`,
    `Runbook: ${runbookOf(row.id)}`,
  ].join("\n");
}

export const runbookOf = (id: string): string => `docs/runbook.md#${id.toLowerCase()}`;
