/**
 * @import { WidgetContent } from "../../../../dashboard/view.ts"
 * @import { Drawing, Maker, Setting } from "./types.d.ts"
 */
import { alarmsBody } from "./alarms.js";
import { barsBody } from "./bars.js";
import { chartBody } from "./chart.js";
import { gaugesBody } from "./gauges.js";
import { emptyBody, problemBody } from "./message.js";
import { numbersBody } from "./numbers.js";
import { tableBody } from "./table.js";
import { textBody } from "./text.js";

/** One row per kind of content. @type {Readonly<Record<WidgetContent["kind"], Maker>>} */
const kinds = {
  text: { make: textBody },
  chart: { make: chartBody },
  bars: { make: barsBody },
  numbers: { make: numbersBody },
  gauges: { make: gaugesBody },
  alarms: { make: alarmsBody },
  table: { make: tableBody },
  empty: { make: emptyBody },
  problem: { make: problemBody },
};

/**
 * @param {WidgetContent} content
 * @param {Setting} setting
 * @returns {Drawing}
 */
export const drawWidget = (content, setting) => kinds[content.kind].make(content, setting);
