/**
 * @import { ColumnKind, TableContent } from "../../../../dashboard/view.ts"
 * @import { Frame, Setting } from "./types.d.ts"
 */
import { grid } from "../../deliverables/grid.js";
import { h, put } from "../../dom.js";
import { hrefOf } from "../../router.js";

/**
 * @param {TableContent} content
 * @param {Setting} setting
 */
export function tableBody(content, { title, ...frame }) {
  /** @param {TableContent} next @param {Frame} during */
  const draw = ({ columns, kinds, rows }, { studioUrl }) =>
    grid({
      label: title || "Table",
      columns,
      rows,
      cell: (text, column) => cellOf(kinds[column] ?? "text", text, studioUrl),
    });
  const element = draw(content, frame);
  return {
    element,
    /** Keeps the scrolling element, and with it the scroll position. @param {TableContent} next @param {Frame} during */
    update: (next, during) => put(element, ...draw(next, during).childNodes),
    destroy: () => element.remove(),
  };
}

/**
 * @param {ColumnKind} kind
 * @param {string} text
 * @param {string} studioUrl
 * @returns {Node | string}
 */
function cellOf(kind, text, studioUrl) {
  if (text === "") return text;
  if (kind === "time") return timeOf(text);
  if (kind === "function") return functionOf(text);
  if (kind !== "run" && kind !== "workspace") return text;
  const short = text.slice(0, shortId);
  if (kind === "run") return h("a", { href: `/runs/${encodeURIComponent(text)}`, title: text }, short);
  // Only the local Studio's page has an address for each workspace.
  return studioUrl === "/"
    ? h("a", { href: `/${hrefOf(text)}`, title: text }, short)
    : h("span", { title: text }, short);
}

/** "ws_302e3f89", "01M8PVJ1X33": enough to tell the rows of a table apart. */
const shortId = 11;

/** @param {string} logGroup "000000000000:Local-RunnerPoolLocalProcessorRunnerLogC07AFB32" */
function functionOf(logGroup) {
  const [role] = /Dispatcher|Processor|Recovery|Rotator/.exec(logGroup) ?? [];
  return role?.toLowerCase() ?? logGroup.slice(logGroup.lastIndexOf("/") + 1);
}

const moments = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

/** @param {string} text "2026-11-30 14:05:00.123", UTC */
function timeOf(text) {
  const iso = `${text.replace(" ", "T")}Z`;
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? text : h("time", { datetime: iso }, moments.format(at));
}
