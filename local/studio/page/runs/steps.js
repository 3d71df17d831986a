/** @import { RunDetail } from "../../../runs/view.ts" */
import { copyButton } from "../copy.js";
import { h, put } from "../dom.js";
import { exactTime } from "../format.js";

/** The run's steps in words, as `explain` prints them. A step with a log line can be opened. */
export function createSteps() {
  const list = h("ol", { class: "steps" });
  const note = h("p", { class: "steps-note" });
  const log = h("details", { class: "steps-log" });
  /** @type {Map<string, HTMLElement>} a step that is open stays open */
  const drawn = new Map();
  let logKey = "";
  return {
    element: h("div", {}, h("h3", {}, "Steps"), note, list, log),
    /** @param {RunDetail} run */
    show({ steps, note: why, log: lines }) {
      note.textContent = why;
      note.hidden = why === null;
      const firstMs = steps[0]?.atMs ?? 0;
      const items = steps.map((step, at) => {
        const key = JSON.stringify([at, firstMs, step]);
        const item = drawn.get(key) ?? drawStep(step, firstMs);
        drawn.set(key, item);
        return item;
      });
      items.forEach((item, at) => {
        if (list.children[at] !== item) list.insertBefore(item, list.children[at] ?? null);
      });
      while (list.children.length > items.length) list.lastElementChild?.remove();
      log.hidden = lines.length === 0;
      const next = `${lines.length}`;
      if (next === logKey) return;
      logKey = next;
      const text = lines.map((line) => JSON.stringify(line)).join("\n");
      put(
        log,
        h("summary", {}, `All ${lines.length} log lines`),
        h(
          "div",
          { class: "step-log" },
          h("pre", { tabindex: 0 }, text),
          copyButton("Copy", () => text),
        ),
      );
    },
  };
}

/**
 * @param {RunDetail["steps"][number]} step
 * @param {number} firstMs
 */
function drawStep({ atMs, source, attempt, what, tone, log }, firstMs) {
  const after = `+${((atMs - firstMs) / 1_000).toFixed(1)}s`;
  const words = [
    h("time", { class: "step-time", datetime: new Date(atMs).toISOString(), title: exactTime(atMs) }, after),
    h("span", { class: "step-source" }, attempt === null ? source : `${source} ${attempt}`),
    h("span", { class: "step-what" }, what),
  ];
  const props = { class: `step step-${tone}` };
  if (log === null) return h("li", props, h("div", { class: "step-line" }, ...words));
  const text = JSON.stringify(log, null, 2);
  const body = h(
    "div",
    { class: "step-log" },
    h("pre", { tabindex: 0 }, text),
    copyButton("Copy", () => text),
  );
  return h("li", props, h("details", {}, h("summary", { class: "step-line" }, ...words), body));
}
