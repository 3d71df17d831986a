/**
 * Handles `{{artifact:KIND:ID}}` in an answer: marks it before the Markdown is parsed, and fills it in the resulting tree.
 * @typedef {{ readonly kind: string, readonly id: string, readonly source: string }} Placeholder lower case; `source` as written
 */

export const placeholderPattern = /\{\{\s*artifact\s*:\s*([a-z_]+)\s*:([^{}]+)\}\}/gi;

/**
 * Replaces each placeholder by a plain word that means nothing in Markdown.
 * @param {string} text
 * @returns {{ text: string, placeholders: readonly Placeholder[], slot: RegExp }} `slot` finds the words, group 1 is the index
 */
export function markPlaceholders(text) {
  let word = "xfslot";
  while (text.toLowerCase().includes(word)) word += "q";
  /** @type {Placeholder[]} */
  const placeholders = [];
  const marked = text.replaceAll(placeholderPattern, (source, kind, id) => {
    placeholders.push({ kind: kind.toLowerCase(), id: id.trim().toLowerCase(), source });
    return `${word}${placeholders.length - 1}x`;
  });
  return { text: marked, placeholders, slot: new RegExp(`${word}(\\d+)x`, "i") };
}

/**
 * @param {DocumentFragment} fragment
 * @param {{ placeholders: readonly Placeholder[], slot: RegExp }} marks
 * @param {(placeholder: Placeholder) => HTMLElement} draw called in the order of the text
 */
export function fillPlaceholders(fragment, { placeholders, slot }, draw) {
  for (const link of fragment.querySelectorAll("a[href]")) freeFromLink(link, slot);
  for (let node = nextSlot(fragment, slot); node; node = nextSlot(fragment, slot)) {
    const match = slot.exec(node.data);
    const placeholder = placeholders[Number(match?.[1])];
    if (!match || !placeholder) return;
    if (node.parentElement?.closest("code, pre")) {
      node.data = node.data.replace(match[0], placeholder.source);
      continue;
    }
    const rest = node.splitText(match.index);
    rest.data = rest.data.slice(match[0].length);
    insertBlock(rest, draw(placeholder));
  }
}

/**
 * Models also write `[chart]({{artifact:chart:a}})`. Keeps the text, and puts the deliverable after it.
 * @param {Element} link
 * @param {RegExp} slot
 */
function freeFromLink(link, slot) {
  const match = slot.exec(link.getAttribute("href") ?? "");
  if (!match) return;
  const words = slot.test(link.textContent) ? "" : `${link.textContent} `;
  link.replaceWith(`${words}${match[0]}`);
}

/**
 * @param {DocumentFragment} fragment
 * @param {RegExp} slot
 * @returns {Text | null}
 */
function nextSlot(fragment, slot) {
  const walker = document.createTreeWalker(fragment, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node instanceof Text && slot.test(node.data)) return node;
  }
  return null;
}

const inline =
  "p, h1, h2, h3, h4, h5, h6, a, em, strong, b, i, u, s, del, ins, sub, sup, kbd, mark, small, abbr, q, span, summary, dt";

/**
 * @param {Element | null} element
 * @returns {Element | null} the highest of the inline elements around a text
 */
function outermostInline(element) {
  if (!element?.matches(inline)) return null;
  return outermostInline(element.parentElement) ?? element;
}

/**
 * Inserts a block before `rest`, and splits the paragraph, heading or emphasis around it in two.
 * @param {Text} rest
 * @param {HTMLElement} block
 */
function insertBlock(rest, block) {
  const outer = outermostInline(rest.parentElement);
  if (!outer) {
    rest.before(block);
    return;
  }
  const range = document.createRange();
  range.setStartBefore(rest);
  range.setEndAfter(outer);
  const after = range.extractContents();
  outer.after(block, after);
  for (const half of [outer, block.nextElementSibling]) {
    if (half && half.textContent.trim() === "") half.remove();
  }
}
