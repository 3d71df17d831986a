/** @import { RunnerView } from "../../../runs/view.ts" */
import { copyButton } from "../copy.js";
import { h, put } from "../dom.js";

/** What the runner does now; with why jobs wait and what to do, if they do. */
export function runnerBanner() {
  const element = h("section", { class: "runner-now", "aria-label": "The runner" });
  let shown = "";
  return {
    element,
    /** @param {RunnerView} runner */
    show({ now, command }) {
      const next = JSON.stringify([now, command]);
      if (next === shown) return;
      shown = next;
      element.className = `runner-now runner-${now.cause === "none" ? "good" : "waits"}`;
      put(element, h("p", {}, now.sentence), ...remedyOf({ now, command }));
    },
  };
}

/** @param {Pick<RunnerView, "now" | "command">} runner */
export function remedyOf({ now, command }) {
  if (!now.remedy) return [];
  const text = h("span", {}, now.remedy.text);
  if (command === null) return [h("p", { class: "remedy" }, text)];
  const code = h("code", {}, command);
  const copy = copyButton("Copy", () => command, { "aria-label": `Copy ${command}` });
  return [h("p", { class: "remedy" }, text, code, copy)];
}
