/**
 * The data for the pages about runs, and for the lines about them on Studio's page. The words are those of the
 * commands `jobs`, `explain` and `status`. Times are epoch milliseconds.
 *
 * GET  /runs, /runs/:id                     the page; its assets under /page/runs/…
 * GET  /api/runs?state=…&q=…&before=…       RunsView: a page of the list, newest first
 * GET  /api/runs/:id                        RunDetail
 * POST /api/runs/:id/cancel                 {} → { sentence }
 * GET  /api/runs/events                     text/event-stream: `event: run`, data RunChange
 * GET  /api/workspaces/:id/runs             RunRow[]: the workspace's newest runs, newest first
 * GET  /api/runner?workspace=…              RunnerView
 *
 * Errors: non-2xx with { error: string }, a sentence for the person at the page.
 */
export interface RunsView {
  readonly runs: readonly RunRow[];
  /** Ask for the rest with this as `before`; null: there is none. */
  readonly next: string | null;
}

export interface RunRow {
  readonly runId: string;
  readonly workspaceId: string;
  /** The workspace's, or the start of its newest message; null: neither is known. */
  readonly title: string | null;
  readonly state: "leased" | "running" | "completed" | "failed" | "lost";
  /** Who cancelled the run; null: nobody. */
  readonly cancelledBy: string | null;
  /** An error code; null: the run has not ended, or not badly. */
  readonly reason: string | null;
  readonly explanation: string | null;
  readonly attempts: number;
  readonly rounds: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number | null;
  /** The cost is that of the offline model, whose prices are invented. */
  readonly isInvented: boolean;
  readonly leasedAtMs: number;
  readonly endedAtMs: number | null;
  /** What the run does now: "Round 2: drawing a table". Null: it has ended, or is not known. */
  readonly progress: string | null;
}

export interface RunDetail extends RunRow {
  /** "1.8 s, 1 attempt, 3 rounds, …", as `explain` shows it. */
  readonly facts: string;
  /** "Reason: …", as `explain` shows it; null: none. */
  readonly why: string | null;
  /** Studio did not confirm the outcome. */
  readonly isUnconfirmed: boolean;
  /** Why there are no log lines; null: there are. */
  readonly note: string | null;
  readonly phases: readonly PhaseView[];
  readonly heartbeatsMs: readonly number[];
  readonly steps: readonly StepView[];
  /** Every log line of the run, oldest first, as it was written. */
  readonly log: readonly unknown[];
  /** The command that shows the same: to copy. */
  readonly command: string;
}

/** A bar of the timeline. */
export interface PhaseView {
  /** `work`: the whole run, if there are no log lines to divide it. */
  readonly kind: "queue" | "start" | "context" | "round" | "delivery" | "handover" | "work";
  readonly attempt: number | null;
  readonly round: number | null;
  readonly startMs: number;
  readonly endMs: number;
  /** It goes on. */
  readonly isOpen: boolean;
  /** The calls of tools, with what each makes: "a table". */
  readonly calls: readonly { readonly atMs: number; readonly makes: string }[];
}

export interface RunChange {
  readonly runId: string;
  readonly workspaceId: string;
  readonly progress: string | null;
}

export interface RunnerView {
  /** The address of Studio's page. */
  readonly studioUrl: string;
  readonly now: NowView;
  /** The remedy's command, to copy. */
  readonly command: string | null;
}

/** What the runner does, or why a job waits: cli/why-waiting.ts. */
export interface NowView {
  /** "none": no job waits for long. */
  readonly cause: string;
  readonly sentence: string;
  readonly remedy?: { readonly text: string; readonly command?: string };
}

/** One thing that happened: cli/timeline.ts. */
export interface StepView {
  readonly atMs: number;
  readonly source: string;
  readonly attempt: number | null;
  readonly event: string | null;
  readonly what: string;
  readonly tone: "plain" | "good" | "bad";
  /** The log line behind it; null: the run store's row is. */
  readonly log: unknown;
}
