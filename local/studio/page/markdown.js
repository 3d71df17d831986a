import { Marked } from "./vendor/marked.js";
import DOMPurify from "./vendor/purify.js";
import { h } from "./dom.js";

const marked = new Marked({
  gfm: true,
  renderer: {
    // Replaces images by links, so that nothing is fetched from another server because of a model's output.
    image({ href, text }) {
      const link = h("a", { href }, text || href);
      return link.outerHTML;
    },
    checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
  },
});

const allowed = {
  ALLOWED_TAGS: (
    "h1 h2 h3 h4 h5 h6 p br hr a em strong b i u s del ins sub sup code pre kbd mark small abbr q " +
    "blockquote ul ol li dl dt dd table thead tbody tfoot tr th td caption details summary span div"
  ).split(" "),
  ALLOWED_ATTR: ["href", "title", "align", "start", "open", "colspan", "rowspan"],
  ALLOW_ARIA_ATTR: false,
  ALLOW_DATA_ATTR: false,
};

/**
 * @param {string} text Markdown from a model: not trusted
 * @param {{ below?: number }} [options] the level of the page's heading above the text
 * @returns {DocumentFragment} sanitized
 */
export function renderMarkdown(text, { below = 2 } = {}) {
  const fragment = DOMPurify.sanitize(toHtml(text), { ...allowed, RETURN_DOM_FRAGMENT: true });
  nestHeadings(fragment, below);
  for (const link of fragment.querySelectorAll("a")) tameLink(link);
  for (const table of fragment.querySelectorAll("table")) inScroller(table, "Table");
  for (const block of fragment.querySelectorAll("pre")) block.tabIndex = 0;
  return fragment;
}

/**
 * The parser recurses for each nested quotation or list and has no limit of its own.
 * @param {string} text
 * @returns {string}
 */
function toHtml(text) {
  try {
    return marked.parse(text, { async: false });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return h("pre", {}, text).outerHTML;
  }
}

export const headingNames = /** @type {const} */ (["h1", "h2", "h3", "h4", "h5", "h6"]);

/**
 * Puts the headings below the page's, without leaving out a level, whatever levels the text begins with or leaves out.
 * @param {DocumentFragment} fragment
 * @param {number} below
 */
function nestHeadings(fragment, below) {
  /** @type {number[]} */
  const above = [];
  for (const heading of fragment.querySelectorAll(headingNames.join())) {
    const depth = Number(heading.localName.slice(1));
    while ((above.at(-1) ?? 0) >= depth) above.pop();
    above.push(depth);
    const name = headingNames[below + above.length - 1] ?? "h6";
    heading.replaceWith(h(name, {}, ...heading.childNodes));
  }
}

/** @param {HTMLAnchorElement} link */
function tameLink(link) {
  const href = link.getAttribute("href");
  if (href === null) return;
  if (href.startsWith("#")) return link.removeAttribute("href"); // fragments are the page's routes
  link.target = "_blank";
  link.rel = "noopener noreferrer";
}

/**
 * @param {Element} element
 * @param {string} label
 */
function inScroller(element, label) {
  const scroller = h("div", { class: "scroll-x", role: "group", "aria-label": label, tabindex: 0 });
  element.replaceWith(scroller);
  scroller.append(element);
}
