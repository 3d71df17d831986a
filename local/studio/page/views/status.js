/** @import { Connection, Store } from "../state.js" */
import { h, put } from "../dom.js";

/** @type {Record<Connection, string>} */
const words = { connecting: "Connecting", open: "Live", again: "Live", lost: "Offline" };

const runnerLinks = () =>
  [
    ["/runs", "Runs"],
    ["/dashboard", "Dashboard"],
  ].map(([href, name]) => h("a", { class: "status-link", href }, name));

/**
 * The foot of the sidebar: connection state, model, and links to the runner's pages.
 * @param {{ root: HTMLElement, store: Store }} ports
 */
export function mountStatus({ root, store }) {
  const render = () => {
    const { info, connection } = store.get();
    const model =
      info && h("span", { class: "status-model", title: "The model that answers" }, info.model.name);
    const links = info?.runnerPages ? runnerLinks() : [];
    put(root, h("span", { class: `live live-${connection}` }, words[connection]), model, ...links);
  };
  store.subscribe((next, before) => {
    if (next.info !== before.info || next.connection !== before.connection) render();
  });
  render();
}
