/** @import { Deliverables } from "../../page-api.ts" */
import { h } from "../dom.js";
import { card } from "./card.js";

/** @param {Deliverables["lists"][number]} list */
function draw({ id, title = id, ordered, items }) {
  const body = h(ordered ? "ol" : "ul", { class: "items" }, ...items.map((item) => h("li", {}, item)));
  return { element: card({ kind: "list", title }, body) };
}

export const listKind = {
  kind: "list",
  /** @param {Deliverables} deliverables */
  items: ({ lists }) => lists.map((list) => ({ kind: "list", id: list.id, draw: () => draw(list) })),
};
