/** @import { Deliverables } from "../../page-api.ts" */
import { h } from "../dom.js";
import { download } from "../download.js";
import { fileSize } from "../format.js";
import { renderMarkdown } from "../markdown.js";
import { openViewer } from "../viewer.js";
import { card, cardButton } from "./card.js";

/** @param {Deliverables["files"][number]} file */
function draw(file) {
  const { name, content } = file;
  const isMarkdown = name.toLowerCase().endsWith(".md");
  const type = isMarkdown ? "text/markdown" : "text/plain";
  const save = () =>
    cardButton("Download", () => download({ name, content, type }), { "aria-label": `Download ${name}` });
  const view = () => {
    const body = isMarkdown ? h("div", { class: "prose" }) : h("pre", { class: "plain" }, content);
    if (isMarkdown) body.append(renderMarkdown(content));
    openViewer({ title: name, body, actions: [save()] });
  };
  const actions = [cardButton("View", view, { "aria-label": `View ${name}` }), save()];
  return { element: card({ kind: "file", title: name, meta: fileSize(content), actions }) };
}

export const fileKind = {
  kind: "file",
  /** @param {Deliverables} deliverables */
  items: ({ files }) =>
    files.map((file) => ({
      kind: "file",
      id: file.name,
      title: file.name,
      draw: () => draw(file),
      markdown: () => `File: \`${file.name}\``,
      file: () => file,
    })),
};
