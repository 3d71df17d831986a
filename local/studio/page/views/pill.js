/** @import { WorkspaceSummary } from "../../page-api.ts" */
import { h } from "../dom.js";
import { exactTime, relativeTime } from "../format.js";
import { jobStates } from "../states.js";

/** @param {Pick<WorkspaceSummary, "state">} summary */
export function pill({ state }) {
  const { label, tone } = jobStates[state];
  return h("span", { class: `pill pill-${tone}`, "data-state": state }, label);
}

/** @param {string} target */
export const badge = (target) => h("span", { class: "badge", title: `Leased by ${target} runners` }, target);

/** @param {number} atMs */
export function timeAgo(atMs) {
  const props = { "data-at": atMs, datetime: new Date(atMs).toISOString(), title: exactTime(atMs) };
  return h("time", props, relativeTime(atMs, Date.now()));
}
