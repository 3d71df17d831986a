/**
 * The page's entry point: reads the browser's globals and connects the parts.
 * @import { WorkspaceSummary } from "../page-api.ts"
 * @import { RunChange } from "../../runs/view.ts"
 */
import { createActions } from "./actions.js";
import { createApi } from "./api.js";
import { createDrafts } from "./drafts.js";
import { hrefOf, routeOf } from "./router.js";
import { createRunsApi } from "./runs/api.js";
import { createStore, initialState } from "./state.js";
import { followStream } from "./stream.js";
import { startTicker } from "./ticker.js";
import { mountMain } from "./views/main.js";
import { mountNotices } from "./views/notices.js";
import { mountSearch } from "./views/search.js";
import { mountStatus } from "./views/status.js";
import { mountWorkspaceList } from "./views/workspace-list.js";

/** How long "Connected again" is shown. */
const againMs = 4_000;

/** @param {string} id */
function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no #${id}`);
  return found;
}

function start() {
  const store = createStore({ ...initialState, route: routeOf(location.hash) ?? { view: "list" } });
  const announcer = element("announcer");
  const actions = createActions({
    api: createApi({ send: (input, init) => fetch(input, init) }),
    store,
    announce: (sentence) => {
      announcer.textContent = sentence;
    },
    go: (workspaceId) => {
      location.hash = workspaceId === null ? "#/" : hrefOf(workspaceId);
    },
  });
  const drafts = createDrafts(sessionStorage);

  mountNotices({ root: element("notices"), store });
  mountStatus({ root: element("status"), store });
  mountWorkspaceList({ root: element("workspaces"), store, retry: () => void actions.loadList() });
  mountSearch({ root: element("search"), list: element("workspaces"), store, actions });
  const runsApi = createRunsApi({ send: (input, init) => fetch(input, init) });
  mountMain({ root: element("main"), body: document.body, store, actions, drafts, runsApi });
  startTicker({ root: document, now: Date.now, every: setInterval });
  followAddress({ store, actions });
  followPrinting(document.documentElement);
  followEvents({ store, actions });
  element("skip").addEventListener("click", (event) => {
    event.preventDefault(); // the fragment is the route
    element("main").focus();
  });
  if (document.body.dataset["view"] !== "thread") focusComposer();
  loadAll(actions);
}

/** A touch screen's keyboard would cover half of the page, so there the user opens it. */
function focusComposer() {
  if (matchMedia("(pointer: coarse)").matches) return;
  const field = document.querySelector("#main textarea");
  if (field instanceof HTMLElement) field.focus({ preventScroll: true });
}

/** @param {ReturnType<typeof createActions>} actions */
function loadAll(actions) {
  void actions.loadList();
  void actions.loadInfo();
  void actions.loadDetail();
}

/**
 * @param {{ store: ReturnType<typeof createStore>, actions: ReturnType<typeof createActions> }} ports
 */
function followAddress({ store, actions }) {
  addEventListener("hashchange", () => {
    const route = routeOf(location.hash);
    if (!route) return;
    const { detail } = store.get();
    const keeps = route.view === "thread" && detail?.workspaceId === route.id;
    store.set({ route, detail: keeps ? detail : null, detailError: null });
    focusAfterMove(route.view);
    if (route.view === "new") focusComposer();
    void actions.loadDetail();
  });
}

/**
 * Moves the focus to the new pane if the pane that had it is hidden, as on a phone.
 * @param {"list" | "new" | "thread"} view
 */
function focusAfterMove(view) {
  const active = document.activeElement;
  if (active instanceof HTMLElement && active !== document.body && active.checkVisibility()) return;
  const goal = view === "list" ? document.querySelector("#workspaces a") : document.querySelector("#main h2");
  if (goal instanceof HTMLElement) goal.focus();
}

/**
 * Paper is white: the page has its light colours while it is printed. Charts redraw themselves after this.
 * @param {HTMLElement} root
 */
function followPrinting(root) {
  addEventListener("beforeprint", () => root.setAttribute("data-printing", ""));
  addEventListener("afterprint", () => root.removeAttribute("data-printing"));
}

/**
 * @param {{ store: ReturnType<typeof createStore>, actions: ReturnType<typeof createActions> }} ports
 */
function followEvents({ store, actions }) {
  followStream({
    open: () => new EventSource("/api/events"),
    schedule: (run, delayMs) => void setTimeout(run, delayMs),
    document,
    on: {
      /** @param {WorkspaceSummary} summary */
      workspace: (summary) => actions.onWorkspace(summary),
      /** @param {{ workspaceId: string }} change */
      deleted: ({ workspaceId }) => actions.onDeleted(workspaceId),
      /** @param {RunChange} runChange */
      run: (runChange) => store.set({ runChange }),
    },
    onLost: () => store.set({ connection: "lost" }),
    onOpen() {
      const wasLost = store.get().connection === "lost";
      store.set({ connection: wasLost ? "again" : "open" });
      loadAll(actions); // events before the stream was open were missed
      if (wasLost)
        setTimeout(() => {
          if (store.get().connection === "again") store.set({ connection: "open" });
        }, againMs);
    },
  });
}

start();
