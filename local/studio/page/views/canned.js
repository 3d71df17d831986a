/** @import { StudioInfo } from "../../page-api.ts" */
import { copyButton } from "../copy.js";
import { h } from "../dom.js";

const line = "OPENAI_API_KEY=sk-… npm start";

/**
 * Says that the offline model answers, and how to ask a real one.
 * @param {StudioInfo | null} info
 */
export function cannedLabel(info) {
  if (info?.model.kind !== "canned") return null;
  return h(
    "div",
    { class: "canned", role: "note", "aria-label": "About the answers" },
    h(
      "p",
      {},
      h("strong", {}, "Offline model: "),
      "answers here come from a script, and their figures are invented. For real ones, stop and start again with your key:",
    ),
    h(
      "div",
      { class: "canned-line" },
      h("code", {}, line),
      copyButton("Copy", () => line, { "aria-label": "Copy the command" }),
    ),
  );
}
