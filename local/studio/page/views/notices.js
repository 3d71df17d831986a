/** @import { Connection, Store } from "../state.js" */
import { h, put } from "../dom.js";

/** @type {Record<Connection, string | null>} */
const connectionSentences = {
  connecting: null,
  open: null,
  lost: "Connection to the Studio server lost. What you see may be old; trying again…",
  again: "Connected again.",
};

/**
 * The thin bar above the page: connection lost and restored.
 * @param {{ root: HTMLElement, store: Store }} ports
 */
export function mountNotices({ root, store }) {
  const connection = h("p", { class: "notice", role: "status" });
  put(root, connection);

  const render = () => {
    const { connection: now } = store.get();
    connection.className = `notice notice-${now}`;
    const sentence = connectionSentences[now];
    if (connection.textContent !== (sentence ?? "")) connection.textContent = sentence;
  };
  store.subscribe(render);
  render();
}
