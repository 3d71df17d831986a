/** @import { RunRow } from "../../../runs/view.ts" */
import { h, put } from "../dom.js";
import { hrefOfRun, runNumbers, runOf } from "../run-words.js";

/** The lines below answers and failures: "3 rounds · 13k tokens · $0.004 · 1.8 s · timeline". */
export function createRunLines() {
  /** @type {Map<HTMLElement, { createdAtMs: number, shown: string }>} */
  const lines = new Map();
  /** @type {readonly RunRow[]} */
  let runs = [];

  /** @param {HTMLElement} element */
  const fill = (element) => {
    const line = lines.get(element);
    const run = line && runOf(runs, line.createdAtMs);
    element.hidden = run === undefined;
    if (!line || !run) return;
    const shown = [run.runId, ...runNumbers(run)].join(" · ");
    if (shown === line.shown) return;
    line.shown = shown;
    const numbers = runNumbers(run).map((part) => h("span", {}, `${part} · `));
    put(element, ...numbers, h("a", { href: hrefOfRun(run.runId) }, "timeline"));
  };
  return {
    /** @param {number} createdAtMs the message's */
    lineFor(createdAtMs) {
      const element = h("p", { class: "run-line", hidden: true });
      lines.set(element, { createdAtMs, shown: "" });
      fill(element);
      return element;
    },
    /** @param {readonly RunRow[]} next */
    show(next) {
      runs = next;
      for (const element of lines.keys()) fill(element);
    },
  };
}
