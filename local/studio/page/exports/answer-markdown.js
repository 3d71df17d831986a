/**
 * An answer as Markdown, for the clipboard and for answer.md in a zip.
 * @import { AssistantMessage } from "../../page-api.ts"
 * @import { Item } from "../deliverables/registry.js"
 */
import { itemFor, itemsOf } from "../deliverables/registry.js";
import { placeholderPattern } from "../placeholders.js";

/** Fenced blocks and code spans, in which a placeholder is only text. */
const code = /(```[\s\S]*?(?:```|$)|~~~[\s\S]*?(?:~~~|$)|`[^`\n]*`)/;

/** Models also write `[chart]({{artifact:chart:a}})`. */
const linked = new RegExp(`\\[([^\\]\\n]*)\\]\\(\\s*(${placeholderPattern.source})\\s*\\)`, "gi");

/**
 * The text with each deliverable at its placeholder, and the others after it, as on the page.
 * @param {Pick<AssistantMessage, "text" | "deliverables">} message
 * @param {(item: Item) => string} write a deliverable as Markdown
 */
export function answerMarkdown({ text, deliverables }, write) {
  const items = itemsOf(deliverables);
  /** @type {Set<Item>} */
  const written = new Set();
  /** @param {Item} item */
  const block = (item) => {
    written.add(item);
    return `\n\n${write(item)}\n\n`;
  };
  /** @param {string} part outside code */
  const fill = (part) =>
    part
      .replaceAll(linked, "$1 $2")
      .replaceAll(placeholderPattern, (source, /** @type {string} */ kind, /** @type {string} */ id) => {
        const item = itemFor(items, { kind: kind.toLowerCase(), id: id.trim() });
        if (!item) return source;
        return written.has(item) ? item.title : block(item);
      });
  const filled = text.split(code).map((part, index) => (index % 2 === 0 ? fill(part) : part));
  const rest = items.filter((item) => !written.has(item)).map(block);
  return `${[...filled, ...rest]
    .join("")
    .replaceAll(/[ \t]+\n/g, "\n")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trim()}\n`;
}
