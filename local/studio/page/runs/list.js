/**
 * @import { RunChange, RunRow } from "../../../runs/view.ts"
 * @import { RunsApi } from "./api.js"
 * @typedef {{ state: string, q: string }} Wanted
 */
import { h } from "../dom.js";
import { createTable } from "./table.js";

const filters = [
  { state: "", label: "All" },
  { state: "open", label: "Running" },
  { state: "completed", label: "Completed" },
  { state: "failed", label: "Failed" },
  { state: "lost", label: "Lost" },
];

const typingMs = 200;

/**
 * The list of runs, with a filter and a search that are in the page's address.
 * @param {{ api: RunsApi }} ports
 */
export function createListView({ api }) {
  const address = new URL(location.href);
  const wanted = { state: address.searchParams.get("state") ?? "", q: address.searchParams.get("q") ?? "" };
  const pages = createPages(api, wanted);
  const table = createTable();
  const note = h("p", { class: "runs-note quiet" }, "Loading…");
  const more = h("button", { type: "button", class: "button", hidden: true }, "Show more");
  /** @type {(() => void) | undefined} */
  let changed;

  const show = () => {
    const { runs, next } = pages.shown();
    table.show(runs);
    note.textContent = runs.length > 0 ? "" : emptyNote(wanted);
    note.hidden = runs.length > 0;
    more.hidden = next === null;
  };
  const showMore = async () => {
    more.disabled = true;
    // If this fails, so does the next load, and the page says why.
    await pages.loadMore().then(show, () => changed?.());
    more.disabled = false;
  };
  more.addEventListener("click", () => void showMore());
  const choose = () => {
    pages.clear();
    keepInAddress(address, wanted);
    changed?.();
  };
  return {
    element: h(
      "section",
      { class: "runs", "aria-label": "Runs" },
      h("h2", { class: "visually-hidden" }, "Runs"),
      toolsOf(wanted, choose),
      table.element,
      note,
      h("div", { class: "runs-more" }, more),
    ),
    async load() {
      await pages.load();
      show();
    },
    /** @param {RunChange} _change */
    concerns: (_change) => true,
    /** @param {() => void} run called when the user wants other runs */
    onWanted(run) {
      changed = run;
    },
    /** @param {string} _url */
    setStudio: (_url) => undefined,
    /** @param {number} nowMs */
    tick: (nowMs) => table.tick(nowMs),
  };
}

/**
 * @param {URL} address
 * @param {Wanted} wanted
 */
function keepInAddress(address, { state, q }) {
  for (const [name, value] of Object.entries({ state, q })) {
    if (value === "") address.searchParams.delete(name);
    else address.searchParams.set(name, value);
  }
  history.replaceState(null, "", address);
}

/**
 * The runs that were asked for. An answer to an earlier question is discarded.
 * @param {RunsApi} api
 * @param {Wanted} wanted
 */
function createPages(api, wanted) {
  /** @type {{ runs: readonly RunRow[], next: string | null }} */
  let shown = { runs: [], next: null };
  let turn = 0;
  return {
    shown: () => shown,
    clear() {
      turn += 1;
      shown = { runs: [], next: null };
    },
    async load() {
      const asked = turn;
      const first = await api.runs(wanted);
      if (asked === turn) shown = withFirst(shown, first);
    },
    async loadMore() {
      const asked = turn;
      const older = await api.runs({ ...wanted, ...(shown.next === null ? {} : { before: shown.next }) });
      if (asked === turn) shown = { runs: [...shown.runs, ...older.runs], next: older.next };
    },
  };
}

/**
 * The newest runs, and the older ones that "Show more" has brought.
 * @param {{ runs: readonly RunRow[], next: string | null }} shown
 * @param {{ runs: readonly RunRow[], next: string | null }} first
 */
function withFirst(shown, first) {
  const { next } = first;
  if (next === null) return first;
  const older = shown.runs.filter(({ runId }) => runId < next);
  return older.length === 0 ? first : { runs: [...first.runs, ...older], next: shown.next };
}

/** @param {{ state: string, q: string }} wanted */
const emptyNote = ({ state, q }) =>
  state === "" && q === ""
    ? "No runs since npm start. A run begins when the runner leases a job."
    : "No run fits.";

/**
 * @param {{ state: string, q: string }} wanted changed in place
 * @param {() => void} choose
 */
function toolsOf(wanted, choose) {
  const segments = filters.map(({ state, label }) => {
    const input = h("input", { type: "radio", name: "state", value: state, checked: wanted.state === state });
    input.addEventListener("change", () => {
      wanted.state = state;
      choose();
    });
    return h("label", { class: "segment" }, input, h("span", {}, label));
  });
  const search = h("input", {
    type: "search",
    class: "text-field runs-search",
    "aria-label": "Search runs by title, id or reason",
    placeholder: "Search title, id or reason",
    maxlength: 200,
    value: wanted.q,
  });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let typing;
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      wanted.q = search.value.trim();
      choose();
    }, typingMs);
  });
  return h(
    "div",
    { class: "runs-tools" },
    h("div", { class: "segments", role: "radiogroup", "aria-label": "State" }, ...segments),
    search,
  );
}
