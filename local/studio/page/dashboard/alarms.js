/** @import { AlarmState, AlarmView } from "../../../dashboard/view.ts" */
import { h } from "../dom.js";
import { exactTime } from "../format.js";
import { openViewer } from "../viewer.js";

/** The label and the colour of each state. @type {Readonly<Record<AlarmState, { label: string, tone: string }>>} */
const states = {
  OK: { label: "OK", tone: "good" },
  ALARM: { label: "ALARM", tone: "bad" },
  INSUFFICIENT_DATA: { label: "Insufficient data", tone: "quiet" },
};

/** @param {AlarmView} alarm */
export function alarmTile(alarm) {
  const { label, tone } = states[alarm.state];
  return h(
    "button",
    {
      type: "button",
      class: `alarm alarm-${tone}`,
      "data-alarm": alarm.name,
      onclick: () => openAlarm(alarm),
    },
    h("span", { class: "alarm-title" }, ...breakable(alarm.title)),
    h("span", { class: "alarm-state" }, label),
  );
}

/**
 * Allows line breaks in a long name before each word in it.
 * @param {string} name "RunTimeNearLimit"
 */
const breakable = (name) => name.split(/(?=[A-Z][a-z])/).flatMap((part) => [h("wbr"), part]);

/**
 * A short summary of the stack's alarms for the page's header.
 * @param {readonly AlarmView[]} alarms
 */
export function alarmSummary(alarms) {
  if (alarms.length === 0) return null;
  const ringing = alarms.filter(({ state }) => state === "ALARM").map(({ title }) => title);
  const { tone, words } = overall(alarms, ringing.length);
  return h("span", { class: `pill pill-${tone}`, title: ringing.join(", ") }, words);
}

/**
 * @param {readonly AlarmView[]} alarms
 * @param {number} ringing
 */
function overall(alarms, ringing) {
  if (ringing > 0) return { tone: "bad", words: `${ringing} in ALARM` };
  if (alarms.some(({ state }) => state === "OK")) return { tone: "good", words: "No alarm" };
  return { tone: "quiet", words: "Alarms have no data yet" };
}

/** @param {AlarmView} alarm */
function openAlarm(alarm) {
  const { title, state, reason, sinceMs, description } = alarm;
  const { label, tone } = states[state];
  const since = sinceMs === undefined ? "" : ` since ${exactTime(sinceMs)}`;
  const lines = description.split("\n").filter((line) => line.trim() !== "");
  openViewer({
    title,
    body: h(
      "div",
      { class: "alarm-text" },
      h("p", {}, h("span", { class: `pill pill-${tone}` }, label), h("span", { class: "quiet" }, since)),
      reason ? h("p", { class: "quiet" }, reason) : null,
      ...lines.map((line) => h("p", {}, ...lineParts(line))),
    ),
  });
}

const runbookFile = "docs/runbook.md";

/**
 * A line of an alarm's text, with commands in code style and a link to the runbook.
 * @param {string} line
 * @returns {readonly (Node | string)[]}
 */
function lineParts(line) {
  const [, name, rest = ""] = /^(Run|Runbook|Look at|Fires):?\s+(.*)$/.exec(line) ?? [];
  if (name === undefined) return [line];
  const label = h("strong", {}, name);
  if (name === "Run") return [label, " ", h("code", {}, rest)];
  if (name !== "Runbook" || !rest.startsWith(runbookFile)) return [label, " ", rest];
  const href = `/dashboard/runbook${rest.slice(runbookFile.length)}`;
  return [label, " ", h("a", { href, target: "_blank" }, rest)];
}
