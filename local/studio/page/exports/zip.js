/**
 * @import { AssistantMessage } from "../../page-api.ts"
 * @import { Item } from "../deliverables/registry.js"
 */
import { itemsOf } from "../deliverables/registry.js";
import { strToU8, zipSync } from "../vendor/fflate.js";
import { answerMarkdown } from "./answer-markdown.js";
import { uniquePaths } from "./names.js";

/**
 * Everything of an answer in one archive: answer.md, which links to the rest, and each deliverable as a file.
 * @param {Pick<AssistantMessage, "text" | "deliverables">} message
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function zipOf(message) {
  const pathOf = uniquePaths();
  const answerPath = pathOf("answer.md");
  /** @type {Record<string, Uint8Array>} */
  const entries = {};
  /** @type {Map<string, string>} */
  const paths = new Map();
  for (const item of itemsOf(message.deliverables)) {
    const file = item.file();
    if (!file) continue;
    const path = pathOf(file.name);
    paths.set(keyOf(item), path);
    entries[path] = typeof file.content === "string" ? strToU8(file.content) : file.content;
  }
  const answer = answerMarkdown(message, (item) => linkOf(item, paths.get(keyOf(item))));
  return new Uint8Array(zipSync({ [answerPath]: strToU8(answer), ...entries }));
}

/** @param {Item} item */
const keyOf = ({ kind, id }) => `${kind} ${id}`;

/**
 * @param {Item} item
 * @param {string | undefined} path
 */
function linkOf(item, path) {
  if (path === undefined) return item.markdown();
  const title = item.title.replaceAll(/[[\]]/g, "\\$&");
  if (item.kind === "chart" || item.kind === "svg") return `![${title}](${path})`;
  return item.kind === "file" ? `[${title}](${path})` : item.markdown();
}
