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
 * The thin bars above the page: scripted answers, connection lost and restored.
 * @param {{ root: HTMLElement, store: Store }} ports
 */
export function mountNotices({ root, store }) {
  const canned = h(
    "p",
    { class: "notice notice-canned", hidden: true },
    h("strong", {}, "Scripted answers."),
    " No model was asked. Set ",
    h("code", {}, "OPENAI_API_KEY"),
    " and start again for a real one.",
  );
  const connection = h("p", { class: "notice", role: "status" });
  put(root, connection, canned);

  const render = () => {
    const { info, connection: now } = store.get();
    canned.hidden = info?.model.kind !== "canned";
    connection.className = `notice notice-${now}`;
    const sentence = connectionSentences[now];
    if (connection.textContent !== (sentence ?? "")) connection.textContent = sentence;
  };
  store.subscribe(render);
  render();
}
