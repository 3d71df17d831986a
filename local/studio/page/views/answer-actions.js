/** @import { AssistantMessage } from "../../page-api.ts" */
import { copyButton } from "../copy.js";
import { itemsOf } from "../deliverables/registry.js";
import { h } from "../dom.js";
import { download } from "../download.js";
import { answerMarkdown } from "../exports/answer-markdown.js";
import { fileNameOf } from "../exports/names.js";
import { zipOf } from "../exports/zip.js";

/**
 * @param {{ message: () => AssistantMessage, name: () => string }} ports the answer with its present ticks, and the
 *   workspace's name
 */
export function answerActions({ message, name }) {
  const copy = copyButton("Copy as Markdown", () => answerMarkdown(message(), (item) => item.markdown()));
  const save = () =>
    download({
      name: `${fileNameOf(name(), "answer")}.zip`,
      content: zipOf(message()),
      type: "application/zip",
    });
  const all =
    itemsOf(message().deliverables).length > 0 &&
    h("button", { type: "button", class: "button button-small", onclick: save }, "Download all as ZIP");
  return h("div", { class: "answer-actions" }, copy, all);
}
