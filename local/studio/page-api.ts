/**
 * The API between the page and the local Studio: JSON over HTTP next to the runner's API, plus one stream of
 * server-sent events. Times are epoch milliseconds.
 *
 * GET    /                                    the page; its assets under /page/…
 * GET    /api/info                            StudioInfo
 * GET    /api/workspaces                      WorkspaceSummary[], newest first
 * GET    /api/workspaces?q=…                  those whose title or messages contain every word of `q`
 * POST   /api/workspaces                      NewWorkspace → 201 WorkspaceDetail
 * GET    /api/workspaces/:id                  WorkspaceDetail
 * PATCH  /api/workspaces/:id                  { title } → WorkspaceDetail; an empty title removes it
 * DELETE /api/workspaces/:id                  { ok: true }; 409 while a runner works on it
 * POST   /api/workspaces/:id/messages         { text } → 201 WorkspaceDetail
 * POST   /api/workspaces/:id/retry            201 WorkspaceDetail: a failed job's messages in a new job; 409 for any other
 * PATCH  /api/workspaces/:id/checklists/:checklistId/items/:itemId   { checked } → WorkspaceDetail
 * GET    /api/workspaces/:id/files?name=…     the file's text, as a download
 * GET    /api/events                          text/event-stream: `event: run`, data RunChange (local/runs/view.ts), and
 *                                             `event: workspace`, data WorkspaceSummary;
 *                                             `event: deleted`, data { workspaceId }
 *
 * Errors: non-2xx with { error: string }, a sentence for the person at the page.
 */
export type JobTarget = "user" | "global";

/**
 * `queued → leased → completed | failed`. An expired lease returns the job to `queued`. `idle`: there is no
 * job yet.
 */
export type JobState = "idle" | "queued" | "leased" | "completed" | "failed";

export interface StudioInfo {
  /** "canned": the answers are scripted, which the page shows. */
  readonly model: { readonly kind: "canned" | "live"; readonly name: string };
  readonly leaseMs: number;
  readonly dailyLimits: Readonly<Record<JobTarget, number>>;
  /** Whether the runner's own pages exist: `/runs` and `/dashboard`. */
  readonly runnerPages: boolean;
}

export interface WorkspaceSummary {
  readonly workspaceId: string;
  readonly title: string | null;
  readonly target: JobTarget;
  readonly state: JobState;
  /** How often the present job was leased. */
  readonly leases: number;
  /** Why the last job failed. */
  readonly failure: string | null;
  readonly updatedAtMs: number;
  /** The start of the newest user message. */
  readonly preview: string;
}

export interface WorkspaceDetail extends WorkspaceSummary {
  readonly messages: readonly ThreadMessage[];
}

export type ThreadMessage = UserMessage | AssistantMessage | FailureMessage;

export interface UserMessage {
  readonly role: "user";
  readonly id: string;
  readonly text: string;
  readonly createdAtMs: number;
}

/**
 * The result of one completed job. `text` contains its `{{artifact:KIND:ID}}` placeholders, which the page
 * replaces by deliverables.
 */
export interface AssistantMessage {
  readonly role: "assistant";
  readonly id: string;
  readonly text: string;
  readonly createdAtMs: number;
  /** From queued to completed. */
  readonly tookMs: number;
  readonly deliverables: Deliverables;
}

export interface FailureMessage {
  readonly role: "failure";
  readonly id: string;
  readonly reason: string;
  readonly createdAtMs: number;
}

/**
 * In the format of the Studio API, Complete job, as the runner posted them (with the page's checklist
 * ticks).
 */
export interface Deliverables {
  readonly files: readonly { readonly name: string; readonly content: string }[];
  readonly charts: readonly Chart[];
  readonly datasets: readonly {
    readonly id: string;
    readonly title?: string;
    readonly columns: readonly string[];
    readonly rows: readonly (readonly string[])[];
  }[];
  readonly svgs: readonly { readonly id: string; readonly title?: string; readonly content: string }[];
  readonly lists: readonly {
    readonly id: string;
    readonly title?: string;
    readonly ordered?: true;
    readonly items: readonly string[];
  }[];
  readonly checklists: readonly {
    readonly id: string;
    readonly title?: string;
    readonly items: readonly { readonly id: string; readonly label: string; readonly checked: boolean }[];
  }[];
}

export type Chart =
  | {
      readonly kind: "pie";
      readonly id: string;
      readonly title?: string;
      readonly segments: readonly { readonly label: string; readonly value: number }[];
    }
  | {
      readonly kind: "bar" | "line" | "area" | "stacked_bar";
      readonly id: string;
      readonly title?: string;
      readonly labels: readonly string[];
      readonly series: readonly { readonly name: string; readonly values: readonly number[] }[];
      readonly orientation?: "vertical" | "horizontal";
    }
  | {
      readonly kind: "scatter";
      readonly id: string;
      readonly title?: string;
      readonly series: readonly {
        readonly name: string;
        readonly points: readonly { readonly x: number; readonly y: number; readonly label?: string }[];
      }[];
    };

export interface NewWorkspace {
  readonly text: string;
  readonly title?: string;
  readonly target?: JobTarget;
}
