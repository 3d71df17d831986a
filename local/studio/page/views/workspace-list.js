/**
 * @import { WorkspaceSummary } from "../../page-api.ts"
 * @import { State, Store } from "../state.js"
 */
import { h, put } from "../dom.js";
import { hrefOf } from "../router.js";
import { nameOf } from "../state.js";
import { badge, pill, timeAgo } from "./pill.js";

/**
 * @param {{ root: HTMLElement, store: Store, retry: () => void }} ports
 */
export function mountWorkspaceList({ root, store, retry }) {
  const list = h("ul", { class: "workspace-list" });
  const note = h("div", { class: "list-note" });
  put(root, note, list);
  root.addEventListener("keydown", (event) => moveFocus(list, event));

  /** @type {Rows} */
  const rows = new Map();
  const render = () => {
    const { listError, route } = store.get();
    const shown = shownIn(store.get());
    put(note, noteFor(store.get(), retry));
    note.hidden = shown.length > 0 && listError === null;
    list.hidden = shown.length === 0;
    const openId = route.view === "thread" ? route.id : null;
    for (const summary of shown) showRow(rows, summary, summary.workspaceId === openId);
    arrange(
      list,
      shown.map(({ workspaceId }) => rows.get(workspaceId)?.element),
    );
  };
  store.subscribe((next, before) => {
    const same =
      next.summaries === before.summaries &&
      next.route === before.route &&
      next.search === before.search &&
      next.listError === before.listError;
    if (!same) render();
  });
  render();
}

/**
 * The workspaces that match the search, or all.
 * @param {State} state
 */
const shownIn = ({ summaries, search }) =>
  summaries?.filter(({ workspaceId }) => !search || search.ids.has(workspaceId)) ?? [];

/**
 * @param {State} state
 * @param {() => void} retry
 */
function noteFor({ summaries, listError, search }, retry) {
  if (listError !== null) {
    const again = h("button", { type: "button", class: "button button-small", onclick: retry }, "Try again");
    return h("div", { class: "problem", role: "alert" }, h("span", {}, listError), again);
  }
  if (summaries === null) return h("p", { class: "quiet" }, "Loading…");
  if (search) return h("p", { class: "quiet" }, `No workspace contains “${search.query}”.`);
  return h("p", { class: "quiet" }, "No workspaces yet. Your first message creates one.");
}

/** @typedef {Map<string, { element: HTMLElement, summary: WorkspaceSummary, isOpen: boolean }>} Rows as they are drawn */

/**
 * @param {Rows} rows reused in every rendering, so that the focus stays
 * @param {WorkspaceSummary} summary
 * @param {boolean} isOpen
 */
function showRow(rows, summary, isOpen) {
  const { workspaceId, title, preview, target, updatedAtMs } = summary;
  const known = rows.get(workspaceId);
  if (known?.summary === summary && known.isOpen === isOpen) return;
  const element =
    known?.element ??
    h("li", {}, h("a", { href: hrefOf(workspaceId), class: "workspace", "data-id": workspaceId }));
  rows.set(workspaceId, { element, summary, isOpen });
  const link = element.firstElementChild;
  if (!link) return;
  put(
    link,
    h("span", { class: "workspace-name" }, nameOf(summary)),
    timeAgo(updatedAtMs),
    title && preview ? h("span", { class: "workspace-preview" }, preview) : null,
    h("span", { class: "workspace-tags" }, pill(summary), badge(target)),
  );
  if (isOpen) link.setAttribute("aria-current", "page");
  else link.removeAttribute("aria-current");
}

/**
 * @param {HTMLElement} list
 * @param {readonly (HTMLElement | undefined)[]} wanted in this order
 */
function arrange(list, wanted) {
  const focused = document.activeElement;
  const present = wanted.filter((row) => row !== undefined);
  present.forEach((row, index) => {
    if (list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null);
  });
  while (list.children.length > present.length) list.lastElementChild?.remove();
  if (focused instanceof HTMLElement && focused !== document.activeElement && list.contains(focused))
    focused.focus();
}

/** @type {Readonly<Record<string, (at: number, last: number) => number>>} */
const moves = {
  ArrowDown: (at, last) => Math.min(last, at + 1),
  ArrowUp: (at) => Math.max(0, at - 1),
  Home: () => 0,
  End: (_, last) => last,
};

/**
 * @param {HTMLElement} list
 * @param {KeyboardEvent} event
 */
function moveFocus(list, event) {
  const links = [...list.querySelectorAll("a")];
  const at = links.findIndex((link) => link === document.activeElement);
  const next = at < 0 ? undefined : moves[event.key]?.(at, links.length - 1);
  if (next === undefined) return;
  event.preventDefault();
  links[next]?.focus();
}
