import { cannedModelName, markInvented } from "../cli/canned-model.ts";
import { count, formatUsd } from "../cli/format.ts";
import { parseLogLine, type LogLine } from "../cli/parse-log-line.ts";
import { listDeliverables } from "../cli/sentences.ts";
import { renderTable } from "../cli/table.ts";
import type { Screen } from "../cli/terminal.ts";
import type { CloudEvent } from "./cloud/events.ts";

export interface RunRow {
  readonly workspaceId: string;
  readonly outcome: string;
  readonly completed: boolean;
  readonly elapsedMs: number;
  readonly deliverables: string;
  readonly tokens: number;
  readonly model: string | undefined;
  readonly costUsd: number | undefined;
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
    workspaceId: line.workspaceId ?? "",
    outcome: completed ? "completed" : `${line.state}: ${line.reason}`,
    completed,
    elapsedMs: line.elapsedMs ?? 0,
    deliverables: completed ? listDeliverables(line.deliverables) : "",
    tokens: (line.inputTokens ?? 0) + (line.outputTokens ?? 0),
    model: line.model,
    costUsd: line.costUsd,
  };
}

/** A table of the runs, with the names of their workspaces. */
export function formatTable(
  rows: readonly RunRow[],
  nameOf: (workspaceId: string) => string,
  screen: Screen,
): string {
  const isCanned = rows.some(({ model }) => model === cannedModelName);
  const columns = [
    { title: "workspace", shrinks: true },
    { title: "outcome" },
    { title: "seconds", align: "right" },
    { title: "tokens", align: "right", optional: 1 },
    { title: markInvented("cost", isCanned ? cannedModelName : undefined), align: "right" },
    { title: "deliverables", optional: 2 },
  ] as const;
  const cells = rows.map((row) => [
    nameOf(row.workspaceId),
    row.outcome,
    (row.elapsedMs / 1_000).toFixed(1),
    String(row.tokens),
    row.costUsd === undefined ? "" : formatUsd(row.costUsd),
    row.deliverables,
  ]);
  return renderTable(columns, cells, screen);
}

/** "3 jobs: 2 completed, 1 failed." */
export function summaryOf(rows: readonly RunRow[]): string {
  const completed = rows.filter((row) => row.completed).length;
  const others = rows.length - completed;
  return `${count(rows.length, "job")}: ${completed} completed${others === 0 ? "" : `, ${others} not`}.`;
}
