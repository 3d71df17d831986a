import { put } from "../../dom.js";

/**
 * A body that is rebuilt for each new content. This is cheap and needs no state.
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
