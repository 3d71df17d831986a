import { Refusal } from "./http.ts";
import type { Deliverables, JobState, ThreadMessage, WorkspaceDetail, WorkspaceSummary } from "./page-api.ts";
import type { JobRow, MessageRow, Store, WorkspaceRow } from "./store.ts";

const previewCharacters = 140;

export interface Tick {
  readonly workspaceId: string;
  readonly checklistId: string;
  readonly itemId: string;
  readonly checked: boolean;
}

/** The page's view of the rows (page-api.ts). Read-only, except for titles and checklist ticks. */
export type Workspaces = ReturnType<typeof createWorkspaces>;

export function createWorkspaces(store: Store) {
  const summaryOf = (row: WorkspaceRow): WorkspaceSummary => {
    const text = store.newestUserMessage(row.workspaceId)?.text ?? row.legacyIdea ?? "";
    return {
      workspaceId: row.workspaceId,
      title: row.title,
      target: row.target,
      ...jobView(store.presentJob(row.workspaceId)),
      updatedAtMs: row.updatedAtMs,
      preview: text.replace(/\s+/g, " ").trim().slice(0, previewCharacters),
    };
  };
  return {
    /** Most recently changed first. */
    list: (): readonly WorkspaceSummary[] => store.workspaces().map(summaryOf),
    /** Those whose title or messages contain every word of the query, in any case and with or without accents. */
    search: (query: string): readonly WorkspaceSummary[] => found(store, query).map(summaryOf),
    /** As on the page; empty: no message has been written yet. */
    name(workspaceId: string): string | undefined {
      const row = store.workspace(workspaceId);
      if (row === undefined) return undefined;
      const { title, preview } = summaryOf(row);
      return title || preview;
    },
    /** `undefined`: it does not exist. */
    summary(workspaceId: string): WorkspaceSummary | undefined {
      const row = store.workspace(workspaceId);
      return row && summaryOf(row);
    },
    /** @throws Refusal 404 */
    detail(workspaceId: string): WorkspaceDetail {
      const row = required(store, workspaceId);
      return { ...summaryOf(row), messages: store.messages(workspaceId).map(threadMessage) };
    },
    /** An empty title removes it. @throws Refusal 404 */
    rename(workspaceId: string, title: string): void {
      store.rename(required(store, workspaceId).workspaceId, title || null);
    },
    /** The newest file with that name. @throws Refusal 404 */
    file(workspaceId: string, name: string): string {
      const files = results(store, workspaceId).flatMap((result) => result.deliverables.files);
      const file = files.find((each) => each.name === name);
      if (file === undefined) throw new Refusal(404, "There is no such file in this workspace.");
      return file.content;
    },
    /** Ticks the item in the newest checklist with that id. @throws Refusal 404 */
    tick(wanted: Tick): void {
      for (const { messageId, deliverables } of results(store, wanted.workspaceId)) {
        const ticked = withTick(deliverables, wanted);
        if (ticked !== undefined) return store.replaceDeliverables(messageId, ticked);
      }
      throw new Refusal(404, "There is no such checklist item in this workspace.");
    },
  };
}

/** @throws Refusal 404 */
function required(store: Store, workspaceId: string): WorkspaceRow {
  const row = store.workspace(workspaceId);
  if (row === undefined) throw new Refusal(404, "There is no such workspace.");
  return row;
}

/** The deliverables of each completed job, newest first. */
const results = (store: Store, workspaceId: string) =>
  store
    .messages(required(store, workspaceId).workspaceId)
    .filter((row) => row.role === "assistant")
    .toReversed()
    .map((row) => ({ messageId: row.id, deliverables: deliverablesOf(row) }));

function found(store: Store, query: string): readonly WorkspaceRow[] {
  const words = folded(query).split(/\s+/);
  const texts = store.texts();
  return store.workspaces().filter(({ workspaceId, title, legacyIdea }) => {
    const text = folded(`${title ?? ""}\n${legacyIdea ?? ""}\n${texts.get(workspaceId) ?? ""}`);
    return words.every((word) => text.includes(word));
  });
}

/** Without case and accents. */
const folded = (text: string): string => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

function jobView(job: JobRow | undefined): {
  readonly state: JobState;
  readonly leases: number;
  readonly failure: string | null;
} {
  if (job === undefined) return { state: "idle", leases: 0, failure: null };
  return { state: job.state, leases: job.leases, failure: job.failure };
}

const threadMessage = (row: MessageRow): ThreadMessage => threadMessages[row.role](row);

const threadMessages: Readonly<Record<MessageRow["role"], (row: MessageRow) => ThreadMessage>> = {
  user: ({ id, text, createdAtMs }) => ({ role: "user", id, text, createdAtMs }),
  failure: ({ id, text, createdAtMs }) => ({ role: "failure", id, reason: text, createdAtMs }),
  assistant: (row) => ({
    role: "assistant",
    id: row.id,
    text: row.text,
    createdAtMs: row.createdAtMs,
    tookMs: row.tookMs ?? 0,
    deliverables: deliverablesOf(row),
  }),
};

const noDeliverables: Deliverables = {
  files: [],
  charts: [],
  datasets: [],
  svgs: [],
  lists: [],
  checklists: [],
};

/** Stored deliverables need no validation, because they were checked before. */
function deliverablesOf(row: MessageRow): Deliverables {
  return row.deliverables === null ? noDeliverables : JSON.parse(row.deliverables);
}

function withTick(deliverables: Deliverables, wanted: Tick): Deliverables | undefined {
  const checklist = deliverables.checklists.find((each) => each.id === wanted.checklistId);
  if (!checklist?.items.some((item) => item.id === wanted.itemId)) return undefined;
  const items = checklist.items.map((item) =>
    item.id === wanted.itemId ? { ...item, checked: wanted.checked } : item,
  );
  const checklists = deliverables.checklists.map((each) => (each === checklist ? { ...each, items } : each));
  return { ...deliverables, checklists };
}
