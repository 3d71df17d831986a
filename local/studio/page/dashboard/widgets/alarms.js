/** @import { AlarmsContent } from "../../../../dashboard/view.ts" */
import { h, put } from "../../dom.js";
import { alarmTile } from "../alarms.js";

/** @param {AlarmsContent} content */
export function alarmsBody(content) {
  const element = h("ul", { class: "alarm-list" });
  /** @param {AlarmsContent} next */
  const update = ({ alarms }) => {
    const focused = document.activeElement?.getAttribute("data-alarm");
    const had = element.contains(document.activeElement);
    put(element, ...alarms.map((alarm) => h("li", {}, alarmTile(alarm))));
    if (!had) return;
    const again = alarms.findIndex(({ name }) => name === focused);
    element.children[again]?.querySelector("button")?.focus();
  };
  update(content);
  return { element, update, destroy: () => element.remove() };
}
