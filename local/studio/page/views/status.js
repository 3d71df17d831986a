/** @import { Connection, Store } from "../state.js" */
import { h, put } from "../dom.js";

/** @type {Record<Connection, string>} */
const words = { connecting: "Connecting", open: "Live", again: "Live", lost: "Offline" };

/**
 * The foot of the sidebar: connection state, model, and a link to the dashboard.
 * @param {{ root: HTMLElement, store: Store }} ports
 */
export function mountStatus({ root, store }) {
  const render = () => {
    const { info, connection } = store.get();
    const model =
      info && h("span", { class: "status-model", title: "The model that answers" }, info.model.name);
    const dashboard = info?.dashboard && h("a", { class: "status-link", href: "/dashboard" }, "Dashboard");
    put(root, h("span", { class: `live live-${connection}` }, words[connection]), model, dashboard);
  };
  store.subscribe((next, before) => {
    if (next.info !== before.info || next.connection !== before.connection) render();
  });
  render();
}
