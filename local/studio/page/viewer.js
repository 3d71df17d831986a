import { freshId, h, icon } from "./dom.js";

/**
 * Shows content in a modal dialog. Escape, the close button, a click outside and the browser's Back close it; the browser
 * then restores the focus.
 * @param {{ title: string, body: Node, actions?: readonly Node[], wide?: boolean, narrow?: boolean }} content
 */
export function openViewer({ title, body, actions = [], wide = false, narrow = false }) {
  const titleId = freshId();
  const close = h(
    "button",
    { type: "button", class: "button button-quiet", "aria-label": "Close" },
    icon("close"),
  );
  const size = wide ? " viewer-wide" : narrow ? " viewer-narrow" : "";
  const dialog = h(
    "dialog",
    { class: `viewer${size}`, "aria-labelledby": titleId },
    h(
      "div",
      { class: "viewer-head" },
      h("h2", { id: titleId }, title),
      h("div", { class: "viewer-actions" }, ...actions, close),
    ),
    h(
      "div",
      { class: "viewer-body", tabindex: narrow ? null : 0, role: "group", "aria-labelledby": titleId },
      body,
    ),
  );
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  const closed = closeWithBack(dialog);
  document.body.append(dialog);
  dialog.showModal();
  return {
    /** Resolves when the dialog is closed and the address may change. */
    close() {
      dialog.close();
      return closed;
    },
  };
}

/**
 * Gives the open dialog an entry in the history, so that Back closes it and not the page. Closing it in another way takes
 * the entry back.
 * @param {HTMLDialogElement} dialog
 * @returns {Promise<void>} resolves when the dialog is closed and the entry is gone
 */
function closeWithBack(dialog) {
  const entry = freshId();
  history.pushState({ dialog: entry }, "");
  const onPop = () => dialog.close();
  addEventListener("popstate", onPop);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      removeEventListener("popstate", onPop);
      if (history.state?.dialog !== entry) return resolve();
      addEventListener("popstate", () => resolve(), { once: true });
      history.back();
    });
  });
}
