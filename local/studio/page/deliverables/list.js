/** @import { Deliverables } from "../../page-api.ts" */
import { h } from "../dom.js";
import { inBold, markdownList } from "../exports/markdown-parts.js";
import { fileNameOf } from "../exports/names.js";
import { card } from "./card.js";

/** @param {Deliverables["lists"][number]} list */
function draw({ id, title = id, ordered, items }) {
  const body = h(ordered ? "ol" : "ul", { class: "items" }, ...items.map((item) => h("li", {}, item)));
  return { element: card({ kind: "list", title }, body) };
}

export const listKind = {
  kind: "list",
  /** @param {Deliverables} deliverables */
  items: ({ lists }) =>
    lists.map((list) => {
      const { id, title = id, ordered, items } = list;
      const content = markdownList(items, (index) => (ordered ? `${index + 1}.` : "-"));
      return {
        kind: "list",
        id,
        title,
        draw: () => draw(list),
        markdown: () => `${inBold(title)}\n\n${content}`,
        file: () => ({ name: `${fileNameOf(title, "list")}.md`, content: `# ${title}\n\n${content}\n` }),
      };
    }),
};
