/**
 * @import { AssistantMessage } from "../../page-api.ts"
 * @import { DrawContext, Drawn, Item } from "../deliverables/registry.js"
 * @import { Placeholder } from "../placeholders.js"
 */
import { itemFor, itemsOf } from "../deliverables/registry.js";
import { h } from "../dom.js";
import { headingNames, renderMarkdown } from "../markdown.js";
import { fillPlaceholders, markPlaceholders } from "../placeholders.js";

/**
 * An answer: its text with the deliverables at their placeholders, and the others after it.
 * @param {AssistantMessage} message
 * @param {DrawContext} context
 */
export function drawAnswer({ text, deliverables }, context) {
  const items = itemsOf(deliverables);
  /** @type {Map<Item, Drawn>} */
  const drawn = new Map();
  /** @param {Item} item */
  const draw = (item) => {
    const one = item.draw(context);
    drawn.set(item, one);
    return one.element;
  };
  /** @param {Placeholder} placeholder */
  const fill = (placeholder) => {
    const item = itemFor(items, placeholder);
    if (!item) return note(`The answer names a ${placeholder.kind} “${placeholder.id}”, which is missing.`);
    if (drawn.has(item)) return note(`The ${item.kind} “${item.id}” is shown above.`);
    return draw(item);
  };

  const marks = markPlaceholders(text);
  const fragment = renderMarkdown(marks.text);
  fillPlaceholders(fragment, marks, fill);
  const body = h("div", { class: "prose" });
  body.append(fragment, ...items.filter((item) => !drawn.has(item)).map(draw));
  closeGaps(body);
  return {
    element: body,
    /** @param {AssistantMessage} next the same answer, with other ticks */
    update(next) {
      for (const one of drawn.values()) one.update?.(next.deliverables);
    },
    destroy() {
      for (const one of drawn.values()) one.destroy?.();
    },
  };
}

/**
 * The title of a deliverable between two headings must not leave out a level before the second.
 * @param {HTMLElement} body
 */
function closeGaps(body) {
  let before = 2;
  for (const heading of body.querySelectorAll(headingNames.join())) {
    const depth = Number(heading.localName.slice(1));
    const level = Math.min(depth, before + 1);
    if (level < depth) heading.replaceWith(h(headingNames[level - 1] ?? "h6", {}, ...heading.childNodes));
    before = level;
  }
}

/** @param {string} text */
const note = (text) => h("p", { class: "note" }, text);
