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
 * @typedef {object} Item a deliverable that can be drawn
 * @property {string} kind as in placeholders
 * @property {string} id
 * @property {(context: DrawContext) => Drawn} draw
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
