/** @import { RunRow } from "../../../runs/view.ts" */
import { h, put } from "../dom.js";
import { relativeTime } from "../format.js";
import { cost, hrefOfRun, runTime, stateOf, titleOf, tokenCount } from "../run-words.js";
import { timeAgo } from "../views/pill.js";
import { statePill } from "./pill.js";

const columns = ["State", "Workspace", "Attempts", "Rounds", "Tokens", "Cost", "Time", "Leased"];

/** The runs as a table. Rows that stay keep the focus. */
export function createTable() {
  const body = h("tbody");
  const heads = columns.map((name, at) => h("th", { scope: "col", class: at > 1 && "figure" }, name));
  const element = h(
    "table",
    { class: "runs-table" },
    h("caption", { class: "visually-hidden" }, "Runs, newest first"),
    h("thead", {}, h("tr", {}, ...heads)),
    body,
  );
  /** @type {Map<string, { key: string, row: HTMLElement }>} rows that have not changed keep the focus */
  const drawn = new Map();
  return {
    element,
    /** @param {readonly RunRow[]} runs */
    show(runs) {
      element.hidden = runs.length === 0;
      const rows = runs.map((run) => {
        const key = JSON.stringify(run);
        const known = drawn.get(run.runId);
        if (known?.key === key) return known.row;
        const row = known?.row ?? h("tr", { class: "run-row" });
        fillRow(row, run);
        drawn.set(run.runId, { key, row });
        return row;
      });
      arrange(body, rows);
    },
    /** @param {number} nowMs */
    tick(nowMs) {
      for (const time of body.querySelectorAll("[data-since]")) {
        time.textContent = runTime(nowMs - Number(time.getAttribute("data-since")));
      }
      for (const time of body.querySelectorAll("time[data-at]")) {
        time.textContent = relativeTime(Number(time.getAttribute("data-at")), nowMs);
      }
    },
  };
}

/**
 * @param {HTMLElement} body
 * @param {readonly HTMLElement[]} rows in this order
 */
function arrange(body, rows) {
  rows.forEach((row, at) => {
    if (body.children[at] !== row) body.insertBefore(row, body.children[at] ?? null);
  });
  while (body.children.length > rows.length) body.lastElementChild?.remove();
}

/**
 * @param {HTMLElement} row
 * @param {RunRow} run
 */
function fillRow(row, run) {
  const { runId, attempts, rounds, inputTokens, outputTokens, leasedAtMs, endedAtMs, progress } = run;
  const link = row.querySelector("a") ?? h("a", { class: "run-link", href: hrefOfRun(runId) });
  const hadFocus = document.activeElement === link;
  link.textContent = titleOf(run);
  const about = progress ?? run.explanation ?? run.reason;
  const time =
    endedAtMs === null
      ? h("span", { "data-since": leasedAtMs }, runTime(Date.now() - leasedAtMs))
      : runTime(endedAtMs - leasedAtMs);
  const tokens = inputTokens + outputTokens;
  put(
    row,
    h("td", { class: "run-state" }, statePill(stateOf(run))),
    h(
      "th",
      { scope: "row", class: "run-name" },
      link,
      about === null ? null : h("span", { class: "run-about" }, about),
    ),
    figure(String(attempts)),
    figure(String(rounds)),
    figure(tokens === 0 ? "" : tokenCount(tokens), " tokens"),
    figure(cost(run)),
    figure(time),
    figure(timeAgo(leasedAtMs)),
  );
  if (hadFocus) link.focus();
}

/**
 * @param {Node | string | null} value
 * @param {string} [unit] shown where the columns have no heads
 */
const figure = (value, unit) =>
  h("td", { class: "figure" }, value, value && unit && h("span", { class: "figure-unit" }, unit));
