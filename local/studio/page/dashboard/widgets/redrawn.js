import { put } from "../../dom.js";

/**
 * A body that is put together anew for each new content: cheap, and without a state to keep.
 * @template Content
 * @param {HTMLElement} element
 * @param {Content} content
 * @param {(content: Content) => readonly Node[]} draw
 */
export function redrawn(element, content, draw) {
  /** @param {Content} next */
  const update = (next) => put(element, ...draw(next));
  update(content);
  return { element, update, destroy: () => element.remove() };
}
