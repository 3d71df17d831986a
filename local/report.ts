import type { CloudEvent } from "./cloud/events.ts";
import { parseLogLine, type LogLine } from "../cli/parse-log-line.ts";
import { listDeliverables } from "../cli/sentences.ts";
import { renderTable } from "../cli/table.ts";
import type { Colours } from "../cli/terminal.ts";

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
  { title: "workspace" },
  { title: "outcome" },
  { title: "seconds", align: "right" },
  { title: "tokens", align: "right" },
  { title: "deliverables" },
] as const;

export const formatTable = (rows: readonly RunRow[], colours: Colours): string =>
  renderTable(
    columns,
    rows.map((row) => [row.workspace, row.outcome, row.seconds, row.tokens, row.deliverables]),
    { columns: Number.POSITIVE_INFINITY, colours },
  );
