/** @import { Deliverables } from "../../page-api.ts" */
import DOMPurify from "../vendor/purify.js";
import { h } from "../dom.js";
import { download } from "../download.js";
import { inBold } from "../exports/markdown-parts.js";
import { fileNameOf } from "../exports/names.js";
import { openViewer } from "../viewer.js";
import { card, cardButton } from "./card.js";

/**
 * Sanitizes the SVG again, whatever the server did. It is then shown as an image, which runs and fetches nothing.
 * @param {string} content
 * @returns {string | null} well-formed SVG; null when nothing drawable is left
 */
function sanitized(content) {
  const clean = DOMPurify.sanitize(content, {
    USE_PROFILES: { svg: true, svgFilters: true },
    RETURN_DOM_FRAGMENT: true,
  });
  const svg = clean.querySelector("svg");
  return svg ? new XMLSerializer().serializeToString(svg) : null;
}

/** @param {string} title */
const nameOf = (title) => `${fileNameOf(title, "drawing")}.svg`;

/** @param {Deliverables["svgs"][number]} svg */
function draw({ id, title = id, content }) {
  const clean = sanitized(content);
  if (clean === null) {
    return {
      element: card(
        { kind: "svg", title },
        h("p", { class: "note" }, "This drawing contains nothing that can be shown."),
      ),
    };
  }
  const picture = () =>
    h("img", { src: `data:image/svg+xml;charset=utf-8,${encodeURIComponent(clean)}`, alt: title });
  const save = () =>
    cardButton("Download", () => download({ name: nameOf(title), content: clean, type: "image/svg+xml" }), {
      "aria-label": `Download ${title}`,
    });
  const enlarge = () =>
    openViewer({
      title,
      body: h("div", { class: "plate plate-large" }, picture()),
      actions: [save()],
      wide: true,
    });
  const plate = h(
    "button",
    { type: "button", class: "plate", "aria-label": `Enlarge ${title}`, onclick: enlarge },
    picture(),
  );
  return { element: card({ kind: "svg", title, actions: [cardButton("Enlarge", enlarge), save()] }, plate) };
}

export const svgKind = {
  kind: "svg",
  /** @param {Deliverables} deliverables */
  items: ({ svgs }) =>
    svgs.map((svg) => {
      const { id, title = id, content } = svg;
      const file = () => {
        const clean = sanitized(content);
        return clean === null ? null : { name: nameOf(title), content: clean };
      };
      return {
        kind: "svg",
        id,
        title,
        draw: () => draw(svg),
        markdown: () => `Drawing: ${inBold(title)}`,
        file,
      };
    }),
};
