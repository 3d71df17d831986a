import { freshId, h, icon } from "./dom.js";

/**
 * Shows enlarged content in a modal dialog. Escape, the close button and a click outside close it; the browser then restores
 * the focus.
 * @param {{ title: string, body: Node, actions?: readonly Node[], wide?: boolean }} content
 */
export function openViewer({ title, body, actions = [], wide = false }) {
  const titleId = freshId();
  const close = h(
    "button",
    { type: "button", class: "button button-quiet", "aria-label": "Close" },
    icon("close"),
  );
  const dialog = h(
    "dialog",
    { class: wide ? "viewer viewer-wide" : "viewer", "aria-labelledby": titleId },
    h(
      "header",
      { class: "viewer-head" },
      h("h2", { id: titleId }, title),
      h("div", { class: "viewer-actions" }, ...actions, close),
    ),
    h("div", { class: "viewer-body", tabindex: 0, role: "region", "aria-labelledby": titleId }, body),
  );
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
