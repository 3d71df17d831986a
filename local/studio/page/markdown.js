import { Marked } from "./vendor/marked.js";
import DOMPurify from "./vendor/purify.js";
import { h } from "./dom.js";

/** Headings in an answer are below the page's headings. */
const headingShift = 2;

const marked = new Marked({
  gfm: true,
  renderer: {
    heading({ tokens, depth }) {
      const level = Math.min(6, depth + headingShift);
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>\n`;
    },
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
 * @returns {DocumentFragment} sanitized
 */
export function renderMarkdown(text) {
  const fragment = DOMPurify.sanitize(toHtml(text), { ...allowed, RETURN_DOM_FRAGMENT: true });
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
  const scroller = h("div", { class: "scroll-x", role: "region", "aria-label": label, tabindex: 0 });
  element.replaceWith(scroller);
  scroller.append(element);
}
