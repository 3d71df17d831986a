/** @import { TableContent } from "../../../../dashboard/view.ts" */
import { grid } from "../../deliverables/grid.js";
import { put } from "../../dom.js";

/**
 * @param {TableContent} content
 * @param {{ title: string }} setting
 */
export function tableBody(content, { title }) {
  const element = grid({ label: title || "Table", ...content });
  return {
    element,
    /** Keeps the scrolling element, and with it the scroll position. @param {TableContent} next */
    update: (next) => put(element, ...grid({ label: title || "Table", ...next }).childNodes),
    destroy: () => element.remove(),
  };
}
