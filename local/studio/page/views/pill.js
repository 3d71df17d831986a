/** @import { WorkspaceSummary } from "../../page-api.ts" */
import { h } from "../dom.js";
import { countdown, exactTime, relativeTime } from "../format.js";
import { jobStates } from "../states.js";

/**
 * The job's state, with the time left on the lease while a runner has it.
 * @param {Pick<WorkspaceSummary, "state" | "leaseExpiresAtMs">} summary
 */
export function pill({ state, leaseExpiresAtMs }) {
  const { label, tone } = jobStates[state];
  return h(
    "span",
    { class: `pill pill-${tone}`, "data-state": state },
    label,
    state === "leased" ? leaseClock(leaseExpiresAtMs) : null,
  );
}

/** @param {number | null} endsAtMs */
function leaseClock(endsAtMs) {
  if (endsAtMs === null) return null;
  const props = {
    class: "lease-clock",
    "data-ends-at": endsAtMs,
    title: "Time left on the lease, which the runner renews",
  };
  return h("span", props, countdown(endsAtMs - Date.now()));
}

/** @param {string} target */
export const badge = (target) => h("span", { class: "badge", title: `Leased by ${target} runners` }, target);

/** @param {number} atMs */
export function timeAgo(atMs) {
  const props = { "data-at": atMs, datetime: new Date(atMs).toISOString(), title: exactTime(atMs) };
  return h("time", props, relativeTime(atMs, Date.now()));
}
