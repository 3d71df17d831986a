/** @import { DashboardView } from "../../../dashboard/view.ts" */
import { h, put } from "../dom.js";
import { alarmSummary } from "./alarms.js";
import { clockTime } from "./figures.js";

const ranges = [
  { minutes: "15", label: "15 min", name: "The last 15 minutes" },
  { minutes: "60", label: "1 h", name: "The last hour" },
  { minutes: "180", label: "3 h", name: "The last 3 hours" },
  { minutes: "1440", label: "1 d", name: "The last day" },
];

/**
 * The right side of the page's header: alarms, choice of dashboard and time range, and the time of the last update.
 * @param {object} ports
 * @param {HTMLElement} ports.root
 * @param {{ name: string | null, minutes: string }} ports.wanted
 * @param {(change: { name: string } | { minutes: string }) => void} ports.onChange
 */
export function mountTools({ root, wanted, onChange }) {
  const alarms = h("div", { class: "top-alarms" });
  const picker = h("select", { class: "pick", "aria-label": "Dashboard", hidden: true });
  picker.addEventListener("change", () => onChange({ name: picker.value }));
  const range = rangePicker(wanted.minutes, (minutes) => onChange({ minutes }));
  const live = h(
    "span",
    { class: "live live-connecting fresh", title: "Updated every 5 seconds" },
    "Loading",
  );
  put(root, alarms, picker, range, live);

  let known = "";
  return {
    /** @param {DashboardView} view */
    show(view) {
      const names = JSON.stringify([view.dashboards, view.name]);
      if (names !== known) fillPicker(picker, view);
      known = names;
      put(alarms, alarmSummary(view.alarms));
      live.className = "live live-open fresh";
      live.textContent = `Live, ${clockTime(view.endMs)}`;
    },
    lost() {
      live.className = "live live-lost fresh";
      live.textContent = "Offline";
    },
  };
}

/**
 * @param {string} chosen
 * @param {(minutes: string) => void} choose
 */
function rangePicker(chosen, choose) {
  const segments = ranges.map(({ minutes, label, name }) => {
    const input = h("input", {
      type: "radio",
      name: "range",
      value: minutes,
      "aria-label": name,
      checked: minutes === chosen,
    });
    input.addEventListener("change", () => choose(minutes));
    return h("label", { class: "segment" }, input, h("span", {}, label));
  });
  return h("div", { class: "segments", role: "radiogroup", "aria-label": "Time range" }, ...segments);
}

/**
 * @param {HTMLSelectElement} picker
 * @param {DashboardView} view
 */
function fillPicker(picker, { dashboards, name: shown }) {
  const options = dashboards.map(({ name, title }) =>
    h("option", { value: name, selected: name === shown }, title),
  );
  put(picker, ...options);
  picker.hidden = dashboards.length < 2;
}
