import { parseLogLine } from "../../cli/parse-log-line.ts";
import { doingAfter, progressText, type Doing } from "../../cli/progress-words.ts";
import type { CloudEvent } from "../cloud/events.ts";
import type { RunChange } from "./view.ts";

export type RunListener = (change: RunChange) => void;

/** What happens in runs, from the functions' log lines. */
export interface RunFeed {
  observe(event: CloudEvent): void;
  /** Returns a function that ends the subscription. */
  subscribe(listener: RunListener): () => void;
  /** What a run does now: "Round 2: drawing a table". Null: it has ended, or nothing is known. */
  progressOf(runId: string): string | null;
}

/** A run whose end is not logged is forgotten when this many newer ones have started. */
const mostRuns = 500;

export function createRunFeed(): RunFeed {
  const doing = new Map<string, Doing>();
  const listeners = new Set<RunListener>();
  const progressOf = (runId: string): string | null => {
    const known = doing.get(runId);
    return known === undefined ? null : progressText(known);
  };
  return {
    observe(event) {
      if (event.kind !== "log") return;
      const line = parseLogLine(event.line);
      if (line?.runId === undefined || line.workspaceId === undefined) return;
      const { runId, workspaceId } = line;
      if (line.message === "run_ended") doing.delete(runId);
      else doing.set(runId, doingAfter(line, doing.get(runId)));
      const [oldest] = doing.keys();
      if (doing.size > mostRuns && oldest !== undefined) doing.delete(oldest);
      for (const listener of listeners) listener({ runId, workspaceId, progress: progressOf(runId) });
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    progressOf,
  };
}
