/**
 * Creates elements without a framework. Text is always inserted as text; nothing here parses HTML.
 * @typedef {Node | string | null | undefined | false} Child
 * @typedef {string | number | boolean | null | undefined | ((event: Event) => unknown)} Prop
 * @typedef {Record<string, Prop>} Props attributes; `on…` functions become listeners; undefined, null and false are left out
 */

const svgNamespace = "http://www.w3.org/2000/svg";

/** Outlines on a 20 × 20 grid. */
const iconPaths = {
  chart: "M3 17h14M5.5 14V9M10 14V4M14.5 14v-7",
  table: "M3 4.5h14v11H3zM3 8.5h14M8 8.5v7",
  list: "M7.5 5H17M7.5 10H17M7.5 15H17M3.5 5h.01M3.5 10h.01M3.5 15h.01",
  checklist: "M3 5.5 4.5 7 7 4M3 13.5 4.5 15 7 12M10.5 5.5H17M10.5 13.5H17",
  svg: "M3 3.5h14v13H3zM3 13.5l4-4 3.5 3.5L13 10.5l4 4M12.5 7h.01",
  file: "M5 2.5h6.5L15 6v11.5H5zM11 2.5V6.5h4",
  rename: "M4 16l.8-3.6L13.5 3.7l2.8 2.8-8.7 8.7zM11.8 5.4l2.8 2.8",
  trash: "M4 5.5h12M8 5.5V3.5h4v2M5.5 5.5l.8 11h7.4l.8-11M8.5 8.5v5M11.5 8.5v5",
  search: "M8.75 14.5a5.75 5.75 0 1 0 0-11.5 5.75 5.75 0 0 0 0 11.5zM13 13l4 4",
  back: "M12 4 6 10l6 6",
  close: "M5 5l10 10M15 5 5 15",
  send: "M10 16V4M5 9l5-5 5 5",
  alert: "M10 6v5M10 14h.01M10 2.5 18 17H2z",
};

/** @typedef {keyof typeof iconPaths} IconName */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Props} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) setProp(element, name, value);
  put(element, ...children);
  return element;
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {Prop} value
 */
function setProp(element, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (typeof value === "function") {
    element.addEventListener(name.slice(2), (event) => value(event));
    return;
  }
  element.setAttribute(name, value === true ? "" : String(value));
}

/**
 * Replaces everything in `parent`.
 * @param {Element} parent
 * @param {...Child} children
 */
export function put(parent, ...children) {
  parent.replaceChildren(
    ...children.filter((child) => child !== null && child !== undefined && child !== false),
  );
}

/**
 * @param {IconName} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(svgNamespace, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(svgNamespace, "path");
  path.setAttribute("d", iconPaths[name]);
  svg.append(path);
  return svg;
}

/**
 * A new id for `aria-labelledby` and similar attributes.
 * @returns {string}
 */
export function freshId() {
  return `e-${Math.random().toString(36).slice(2, 10)}`;
}
