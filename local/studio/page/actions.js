/**
 * Actions of the user and events of the server. Views call them, and they change the store.
 * @import { WorkspaceDetail, WorkspaceSummary, NewWorkspace } from "../page-api.ts"
 * @import { Api } from "./api.js"
 * @import { Store } from "./state.js"
 */
import { ApiError, sentenceOf } from "./api.js";
import { jobStates } from "./states.js";
import { nameOf, summaryOf, withList, withoutWorkspace, withSummary } from "./state.js";

/**
 * @typedef {{ api: Api, store: Store, announce: (sentence: string) => void, go: (workspaceId: string | null) => void }} ActionPorts
 * `go` opens a workspace, or the start
 * @param {ActionPorts} ports
 */
export function createActions({ api, store, announce, go }) {
  const showDetail = newestWins(store);
  const loads = loading({ api, store, showDetail });
  return {
    ...loads,
    ...following({ store, announce, loadDetail: () => loads.loadDetail() }),
    ...searching({ api, store, announce }),
    /** @param {NewWorkspace} draft @throws ApiError */
    async create(draft) {
      const detail = await api.create(draft);
      const summaries = withSummary(store.get().summaries ?? [], summaryOf(detail));
      store.set({ summaries, detail, detailError: null });
      go(detail.workspaceId);
    },
    /** @param {string} id @param {string} text @throws ApiError */
    send: (id, text) => showDetail(id, () => api.send(id, text)),
    /** @param {string} id @throws ApiError */
    async retry(id) {
      await showDetail(id, () => api.retry(id));
      announce("The job is queued again.");
    },
    /** @param {string} id @param {string} title @throws ApiError */
    rename: (id, title) => showDetail(id, () => api.rename(id, title)),
    /** @param {string} id @throws ApiError */
    async remove(id) {
      await api.remove(id);
      store.set({ summaries: withoutWorkspace(store.get().summaries, id) });
      announce("The workspace is deleted.");
    },
    showStart: () => go(null),
    /** @param {string} id @param {Parameters<Api["tick"]>[1]} tick @throws ApiError */
    tick: (id, tick) => showDetail(id, () => api.tick(id, tick)),
  };
}

/**
 * What the server says on its own.
 * @param {Pick<ActionPorts, "store" | "announce"> & { loadDetail: () => Promise<void> }} ports
 */
function following({ store, announce, loadDetail }) {
  return {
    /** @param {WorkspaceSummary} summary */
    onWorkspace(summary) {
      const { summaries, route } = store.get();
      const before = summaries?.find((one) => one.workspaceId === summary.workspaceId);
      if (summaries) store.set({ summaries: withSummary(summaries, summary) });
      if (before && before.state !== summary.state) {
        announce(`${nameOf(summary)} ${jobStates[summary.state].sentence}.`);
      }
      if (route.view === "thread" && route.id === summary.workspaceId) void loadDetail();
    },
    /** @param {string} id */
    onDeleted(id) {
      const { summaries, route } = store.get();
      store.set({ summaries: withoutWorkspace(summaries, id) });
      if (route.view !== "thread" || route.id !== id) return;
      store.set({ detail: null, detailError: { sentence: "This workspace was deleted.", isMissing: true } });
    },
  };
}

/** @param {Pick<ActionPorts, "api" | "store" | "announce">} ports */
function searching({ api, store, announce }) {
  let asked = "";
  return {
    /** @param {string} query @throws ApiError */
    async search(query) {
      const isNew = asked !== query;
      asked = query;
      if (query === "") return store.set({ search: null });
      const found = await api.search(query);
      if (asked !== query) return;
      store.set({ search: { query, ids: new Set(found.map(({ workspaceId }) => workspaceId)) } });
      if (isNew) announce(found.length === 1 ? "1 workspace found." : `${found.length} workspaces found.`);
    },
  };
}

/**
 * @param {{ api: Api, store: Store, showDetail: ReturnType<typeof newestWins> }} ports
 */
function loading({ api, store, showDetail }) {
  return {
    async loadList() {
      try {
        const listed = await api.list();
        store.set({ summaries: withList(store.get().summaries ?? [], listed), listError: null });
      } catch (error) {
        store.set({ listError: sentenceOf(error) });
      }
    },
    async loadInfo() {
      try {
        store.set({ info: await api.info() });
      } catch {
        // The workspace list shows that the server is unreachable. This is loaded again when the stream is
        // back.
      }
    },
    async loadDetail() {
      const { route } = store.get();
      if (route.view !== "thread") return;
      try {
        await showDetail(route.id, () => api.detail(route.id));
      } catch (error) {
        const now = store.get().route;
        if (now.view !== "thread" || now.id !== route.id) return;
        const isMissing = error instanceof ApiError && error.status === 404;
        store.set({ detailError: { sentence: sentenceOf(error), isMissing } });
      }
    },
  };
}

/** @typedef {ReturnType<typeof createActions>} Actions */

/**
 * Requests about one workspace can overtake each other. Keeps the answer to the request that started last.
 * @param {Store} store
 */
function newestWins(store) {
  let begun = 0;
  let shown = 0;
  /**
   * @param {string} id
   * @param {() => Promise<WorkspaceDetail>} ask
   */
  return async (id, ask) => {
    begun += 1;
    const turn = begun;
    const detail = await ask();
    const { route, summaries } = store.get();
    if (summaries) store.set({ summaries: withSummary(summaries, summaryOf(detail)) });
    if (turn < shown || route.view !== "thread" || route.id !== id) return;
    shown = turn;
    store.set({ detail, detailError: null });
  };
}
