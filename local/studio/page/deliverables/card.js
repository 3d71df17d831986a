import { freshId, h, icon } from "../dom.js";
/** @import { IconName } from "../dom.js" */

/**
 * The frame around a deliverable, with its kind, title and buttons.
 * @param {{ kind: IconName, title: string, meta?: Node | string, actions?: readonly Node[] }} head
 * @param {...(Node | string)} body
 * @returns {HTMLElement}
 */
export function card({ kind, title, meta, actions = [] }, ...body) {
  const titleId = freshId();
  return h(
    "div",
    { class: `card card-${kind}`, role: "group", "aria-labelledby": titleId },
    h(
      "header",
      { class: "card-head" },
      icon(kind),
      h(
        "div",
        { class: "card-words" },
        h("h3", { class: "card-title", id: titleId }, title),
        meta ? h("span", { class: "card-meta" }, meta) : null,
      ),
      actions.length > 0 ? h("div", { class: "card-actions" }, ...actions) : null,
    ),
    ...body,
  );
}

/**
 * @param {string} label
 * @param {() => void} onclick
 * @param {Record<string, string>} [attributes]
 */
export function cardButton(label, onclick, attributes = {}) {
  return h("button", { type: "button", class: "button button-small", onclick, ...attributes }, label);
}
