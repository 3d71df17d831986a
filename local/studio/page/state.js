/**
 * The page's state in one object, and pure functions that change it.
 * @import { StudioInfo, WorkspaceSummary, WorkspaceDetail } from "../page-api.ts"
 * @import { RunChange } from "../../runs/view.ts"
 * @typedef {{ readonly view: "list" | "new" } | { readonly view: "thread", readonly id: string }} Route
 * @typedef {"connecting" | "open" | "lost" | "again"} Connection `again`: shortly after a lost connection is open again
 * @typedef {{ readonly query: string, readonly ids: ReadonlySet<string> }} Search the workspaces that match
 * @typedef {object} State
 * @property {StudioInfo | null} info
 * @property {readonly WorkspaceSummary[] | null} summaries newest first; null until loaded
 * @property {string | null} listError
 * @property {Route} route
 * @property {WorkspaceDetail | null} detail of the workspace that is open
 * @property {{ sentence: string, isMissing: boolean } | null} detailError
 * @property {Search | null} search null: the list shows every workspace
 * @property {RunChange | null} runChange the newest of any workspace
 * @property {Connection} connection
 */

/** @type {State} */
export const initialState = {
  info: null,
  summaries: null,
  listError: null,
  route: { view: "list" },
  detail: null,
  detailError: null,
  search: null,
  runChange: null,
  connection: "connecting",
};

/**
 * @param {State} initial
 */
export function createStore(initial) {
  let state = initial;
  /** @type {Set<(next: State, before: State) => void>} */
  const listeners = new Set();
  return {
    get: () => state,
    /** @param {Partial<State>} change */
    set(change) {
      const before = state;
      state = { ...state, ...change };
      for (const listener of listeners) listener(state, before);
    },
    /** @param {(next: State, before: State) => void} listener */
    subscribe(listener) {
      listeners.add(listener);
    },
  };
}

/** @typedef {ReturnType<typeof createStore>} Store */

/**
 * The list with `next` in it, newest first. Ignores `next` if the list already has a newer state.
 * @param {readonly WorkspaceSummary[]} summaries
 * @param {WorkspaceSummary} next
 * @returns {readonly WorkspaceSummary[]}
 */
export function withSummary(summaries, next) {
  const known = summaries.find((one) => one.workspaceId === next.workspaceId);
  if (known && known.updatedAtMs > next.updatedAtMs) return summaries;
  const others = summaries.filter((one) => one !== known);
  return [...others, next].toSorted((a, b) => b.updatedAtMs - a.updatedAtMs);
}

/**
 * @param {readonly WorkspaceSummary[] | null} summaries
 * @param {string} workspaceId
 */
export const withoutWorkspace = (summaries, workspaceId) =>
  summaries?.filter((one) => one.workspaceId !== workspaceId) ?? null;

/**
 * The server's whole list, except where an event has already brought a newer state.
 * @param {readonly WorkspaceSummary[]} summaries
 * @param {readonly WorkspaceSummary[]} listed
 * @returns {readonly WorkspaceSummary[]}
 */
export function withList(summaries, listed) {
  const newest = listed.map((one) => {
    const known = summaries.find(({ workspaceId }) => workspaceId === one.workspaceId);
    return known && known.updatedAtMs > one.updatedAtMs ? known : one;
  });
  return newest.toSorted((a, b) => b.updatedAtMs - a.updatedAtMs);
}

/**
 * @param {WorkspaceDetail} detail
 * @returns {WorkspaceSummary}
 */
export function summaryOf({ messages: _messages, ...summary }) {
  return summary;
}

/**
 * @param {Pick<WorkspaceSummary, "title" | "preview">} summary
 * @returns {string}
 */
export function nameOf({ title, preview }) {
  return title || preview || "Untitled workspace";
}
