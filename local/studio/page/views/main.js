/**
 * @import { Actions } from "../actions.js"
 * @import { Drafts } from "../drafts.js"
 * @import { RunsApi } from "../runs/api.js"
 * @import { Route, State, Store } from "../state.js"
 * @typedef {{ element: HTMLElement, ready: () => void, update: () => void, destroy: () => void }} View
 */
import { put } from "../dom.js";
import { nameOf } from "../state.js";
import { newWorkspaceView } from "./new-workspace.js";
import { threadView } from "./thread.js";

/**
 * The right side: a workspace, or the form for a new one.
 * @param {{ root: HTMLElement, body: HTMLElement, store: Store, actions: Actions, drafts: Drafts, runsApi: RunsApi }} ports
 */
export function mountMain({ root, body, ...ports }) {
  const { store } = ports;
  /** @type {{ key: string, view: View } | null} */
  let shown = null;

  const render = () => {
    const state = store.get();
    const key = keyOf(state.route);
    body.dataset["view"] = paneOf(state);
    document.title = titleOf(state);
    if (shown?.key === key) return shown.view.update();
    shown?.view.destroy();
    const view = state.route.view === "thread" ? threadView(state.route.id, ports) : newWorkspaceView(ports);
    put(root, view.element);
    shown = { key, view };
    view.update();
    view.ready();
  };
  store.subscribe(render);
  render();
}

/** @param {Route} route */
const keyOf = (route) => (route.view === "thread" ? `thread ${route.id}` : "new");

/**
 * Which of the two sides a phone shows.
 * @param {State} state
 */
function paneOf({ route, summaries }) {
  if (route.view === "list") return summaries?.length === 0 ? "new" : "list";
  return route.view;
}

/** @param {State} state */
function titleOf({ route, summaries }) {
  const open =
    route.view === "thread" ? summaries?.find(({ workspaceId }) => workspaceId === route.id) : undefined;
  return open ? `${nameOf(open)} · Xenonflare Studio` : "Xenonflare Studio";
}
