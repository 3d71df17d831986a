import type { CloudEvent } from "./cloud/events.ts";
import { parseLogLine, type LogLine } from "../lib/core/log-line.ts";
import { listDeliverables } from "../cli/sentences.ts";
import { printable } from "../lib/core/printable.ts";

export interface RunRow {
  readonly workspace: string;
  readonly outcome: string;
  readonly completed: boolean;
  readonly seconds: string;
  readonly deliverables: string;
  readonly tokens: string;
}

/** Collects the outcomes of runs from the functions' log lines, so that it works with any Studio. */
export class RunReport {
  readonly #rows: RunRow[] = [];

  observe(event: CloudEvent): void {
    if (event.kind !== "log") return;
    const line = parseLogLine(event.line);
    if (line?.message === "run_ended") this.#rows.push(rowOf(line));
  }

  get rows(): readonly RunRow[] {
    return this.#rows;
  }
}

function rowOf(line: LogLine): RunRow {
  const completed = line.state === "completed";
  return {
    workspace: line.workspaceId ?? "",
    outcome: completed ? "completed" : `${line.state}: ${line.reason}`,
    completed,
    seconds: ((line.elapsedMs ?? 0) / 1_000).toFixed(1),
    deliverables: completed ? listDeliverables(line.deliverables) : "",
    tokens: String((line.inputTokens ?? 0) + (line.outputTokens ?? 0)),
  };
}

const columns = [
  { title: "workspace", of: (row: RunRow) => row.workspace, right: false },
  { title: "outcome", of: (row: RunRow) => row.outcome, right: false },
  { title: "seconds", of: (row: RunRow) => row.seconds, right: true },
  { title: "tokens", of: (row: RunRow) => row.tokens, right: true },
  { title: "deliverables", of: (row: RunRow) => row.deliverables, right: false },
] as const;

/** A plain table with columns as wide as needed and no trailing spaces. */
export function formatTable(rows: readonly RunRow[]): string {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ of }) => printable(of(row)))),
  ];
  const widths = columns.map((_, at) => Math.max(...cells.map((row) => (row[at] ?? "").length)));
  return cells
    .map((row) =>
      row
        .map((cell, at) =>
          columns[at]?.right ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
