import { Stack } from "aws-cdk-lib";
import { CfnQueryDefinition } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import type { LogEvent, LogFields } from "../../lib/core/log.ts";
import type { FunctionRole, Watched } from "./metric.ts";

/**
 * The fields of lib/core/log.ts, and those that CloudWatch Logs and the logger add to every line (`message`
 * is the event).
 */
type Column = keyof LogFields | "@timestamp" | "message" | "service" | "level" | "function_request_id";

export interface QueryRow {
  readonly title: string;
  readonly of: readonly FunctionRole[];
  /** A Logs Insights query, one line per item. */
  readonly lines: readonly string[];
}

/** Anyone who runs the query replaces this with a workspace id. */
export const workspacePlaceholder = "WORKSPACE-ID";

const columns = (...names: readonly Column[]): string => `fields ${names.join(", ")}`;
const happened = (...events: readonly LogEvent[]): string =>
  `filter ${events.map((event) => `message = "${event}"`).join(" or ")}`;
/** Columns with heads for people, who read them in CloudWatch; an alias takes no space. */
const named = (heads: Readonly<Record<string, keyof LogFields>>): string =>
  `fields ${Object.entries(heads)
    .map(([head, field]) => `${field} as ${head}`)
    .join(", ")}`;

const everyone = ["dispatcher", "processor", "recovery"] as const;
/** A run's last line, written by whatever finishes the run. */
const ends = happened("run_ended");

/** The saved queries of a pool over the JSON log lines of its functions. */
export const queryRows = {
  story: {
    title: "Timeline of one job",
    of: everyone,
    lines: [
      columns(
        "@timestamp",
        "service",
        "message",
        "attempt",
        "state",
        "reason",
        "explanation",
        "round",
        "calls",
        "what",
        "leaseLeftMs",
        "runId",
        // Equals `record.requestId` in Lambda's report.
        "function_request_id",
      ),
      `filter workspaceId = "${workspacePlaceholder}"`,
      "sort @timestamp asc",
      "limit 1000",
    ],
  },
  failures: {
    title: "Failures by reason",
    of: everyone,
    lines: [
      named({ State: "state", Why: "reason" }),
      ends,
      'filter State = "failed" or State = "lost"',
      "stats count(*) as Runs by State, Why",
      "sort Runs desc",
    ],
  },
  slowest: {
    title: "Slowest runs",
    of: everyone,
    lines: [
      `${columns("@timestamp")}, elapsedMs / 1000 as Seconds`,
      named({ State: "state", Why: "reason", Workspace: "workspaceId", Run: "runId" }),
      named({ Rounds: "rounds", Attempts: "attempt" }),
      ends,
      "sort Seconds desc",
      "limit 20",
    ],
  },
  tokens: {
    title: "Tokens by workspace",
    of: everyone,
    lines: [
      named({ Workspace: "workspaceId" }),
      ends,
      "stats count(*) as Runs, sum(inputTokens) as InputTokens, sum(outputTokens) as OutputTokens by Workspace",
      "sort OutputTokens desc",
      "limit 20",
    ],
  },
  decisions: {
    title: "Dispatcher decisions",
    of: ["dispatcher"],
    lines: [
      columns("@timestamp"),
      named({ Why: "reason", Polls: "polls", Leased: "leased", InFlight: "inFlight", Reaped: "reaped" }),
      "fields elapsedMs / 1000 as Seconds",
      happened("cycle_ended"),
      "sort @timestamp desc",
      "limit 100",
    ],
  },
} as const satisfies Readonly<Record<string, QueryRow>>;

/**
 * Memory and duration as Lambda reports them after each invocation (its system log, JSON format, level INFO).
 */
export const memoryQuery: QueryRow = {
  title: "Memory and longest invocation",
  of: everyone,
  lines: [
    'filter type = "platform.report"',
    "stats max(record.metrics.maxMemoryUsedMB) as UsedMB, max(record.metrics.memorySizeMB) as OfMB, max(record.metrics.durationMs) as LongestMs, count(*) as Invocations by @log",
  ],
};

export const queryText = ({ lines }: QueryRow): string => lines.join("\n| ");

export const logGroupsOf = ({ of }: QueryRow, { functions }: Watched): string[] =>
  of.map((role) => functions[role].logGroup.logGroupName);

/** Saves the queries in CloudWatch, in a folder named after the stack and the pool. */
export class SavedQueries extends Construct {
  readonly definitions: readonly CfnQueryDefinition[];

  constructor(scope: Construct, id: string, watched: Watched) {
    super(scope, id);
    const folder = `${Stack.of(this).stackName}/${watched.pool.name}`;
    this.definitions = Object.entries(queryRows).map(
      ([key, row]) =>
        new CfnQueryDefinition(this, key, {
          name: `${folder}/${row.title}`,
          queryString: queryText(row),
          logGroupNames: logGroupsOf(row, watched),
        }),
    );
  }
}
