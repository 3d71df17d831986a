/**
 * Every kind of deliverable. To add one, add a file and a line here.
 * @import { Deliverables } from "../../page-api.ts"
 * @import { Placeholder } from "../placeholders.js"
 *
 * @typedef {object} DrawContext
 * @property {(tick: { checklistId: string, itemId: string, checked: boolean }) => Promise<void>} tick
 *
 * @typedef {object} Drawn
 * @property {HTMLElement} element
 * @property {(deliverables: Deliverables) => void} [update] applies changes from the server
 * @property {() => void} [destroy] releases what the element does not own
 *
 * @typedef {object} Item one deliverable
 * @property {string} kind as in placeholders
 * @property {string} id
 * @property {string} title
 * @property {(context: DrawContext) => Drawn} draw
 * @property {() => string} markdown for the clipboard
 * @property {() => SavedFile | null} file for the zip; null if there is nothing to save
 *
 * @typedef {object} SavedFile
 * @property {string} name
 * @property {string | Uint8Array<ArrayBuffer>} content
 *
 * @typedef {object} Kind
 * @property {string} kind
 * @property {(deliverables: Deliverables) => readonly Item[]} items
 */
import { chartKind } from "./chart.js";
import { checklistKind } from "./checklist.js";
import { fileKind } from "./file.js";
import { listKind } from "./list.js";
import { svgKind } from "./svg.js";
import { tableKind } from "./table.js";

/** @type {readonly Kind[]} in the order in which deliverables without a placeholder are shown */
const kinds = [chartKind, tableKind, listKind, checklistKind, svgKind, fileKind];

/**
 * @param {Deliverables} deliverables
 * @returns {readonly Item[]}
 */
export function itemsOf(deliverables) {
  return kinds.flatMap((kind) => kind.items(deliverables));
}

/**
 * @param {readonly Item[]} items
 * @param {Pick<Placeholder, "kind" | "id">} wanted
 * @returns {Item | undefined} matched without regard to case
 */
export function itemFor(items, { kind, id }) {
  return items.find((item) => item.kind === kind && item.id.toLowerCase() === id.toLowerCase());
}
