/**
 * Actions of the user and events of the server. Views call them, and they change the store.
 * @import { WorkspaceDetail, WorkspaceSummary, NewWorkspace } from "../page-api.ts"
 * @import { Api } from "./api.js"
 * @import { Store } from "./state.js"
 */
import { sentenceOf } from "./api.js";
import { jobStates } from "./states.js";
import { nameOf, summaryOf, withList, withSummary } from "./state.js";

/**
 * @typedef {{ api: Api, store: Store, announce: (sentence: string) => void, go: (workspaceId: string) => void }} ActionPorts
 * @param {ActionPorts} ports
 */
export function createActions({ api, store, announce, go }) {
  const showDetail = newestWins(store);
  const loads = loading({ api, store, showDetail });
  return {
    ...loads,
    /** @param {WorkspaceSummary} summary */
    onWorkspace(summary) {
      const { summaries, route } = store.get();
      const before = summaries?.find((one) => one.workspaceId === summary.workspaceId);
      if (summaries) store.set({ summaries: withSummary(summaries, summary) });
      if (before && before.state !== summary.state) {
        announce(`${nameOf(summary)} ${jobStates[summary.state].sentence}.`);
      }
      if (route.view === "thread" && route.id === summary.workspaceId) void loads.loadDetail();
    },
    /** @param {NewWorkspace} draft @throws ApiError */
    async create(draft) {
      const detail = await api.create(draft);
      const summaries = withSummary(store.get().summaries ?? [], summaryOf(detail));
      store.set({ summaries, detail, detailError: null });
      go(detail.workspaceId);
    },
    /** @param {string} id @param {string} text @throws ApiError */
    send: (id, text) => showDetail(id, () => api.send(id, text)),
    /** @param {string} id @param {Parameters<Api["tick"]>[1]} tick @throws ApiError */
    tick: (id, tick) => showDetail(id, () => api.tick(id, tick)),
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
        if (now.view === "thread" && now.id === route.id) store.set({ detailError: sentenceOf(error) });
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
