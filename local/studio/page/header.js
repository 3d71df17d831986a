import { h, put } from "./dom.js";

const pages = [
  { href: "/runs", name: "Runs" },
  { href: "/dashboard", name: "Dashboard" },
];

/**
 * The header of the runner's own pages: the navigation, and room for the page's tools.
 * @param {object} ports
 * @param {HTMLElement} ports.root
 * @param {string} ports.name of the page
 * @param {string} [ports.current] the page's address in the navigation
 */
export function mountHeader({ root, name, current }) {
  const studio = h("a", { href: "/" }, "Studio");
  const links = pages.map((page) => {
    const isCurrent = page.href === current;
    return h("a", { href: page.href, "aria-current": isCurrent && "page" }, page.name);
  });
  const tools = h("div", { class: "top-tools" });
  put(
    root,
    h(
      "div",
      { class: "top-name" },
      h("img", { src: "/page/icon.svg", alt: "", width: 26, height: 26 }),
      h("h1", {}, "studio-runner", h("span", { class: "visually-hidden" }, `: ${name}`)),
      h("span", { class: "brand-local" }, "local"),
    ),
    h("nav", { class: "top-nav", "aria-label": "Pages" }, studio, ...links),
    tools,
  );
  return {
    tools,
    /** @param {string} url of the Studio that the runner works for */
    setStudio: (url) => studio.setAttribute("href", url),
  };
}
