/**
 * What happens right now, after a workspace's last message.
 * @import { WorkspaceDetail } from "../../page-api.ts"
 * @import { RunnerView } from "../../../runs/view.ts"
 * @typedef {object} Now
 * @property {string | null} runId of the run that works on it
 * @property {string | null} progress of that run: "Round 2: drawing a table"
 * @property {RunnerView | null} runner
 */
import { cancelControl } from "../cancel.js";
import { h, put } from "../dom.js";
import { remedyOf } from "../runs/runner.js";
import { hrefOfRun } from "../run-words.js";

/**
 * The element stays while its words change, so that its buttons keep the focus. Screen readers are not told of each change;
 * the page announces only the job's states.
 * @param {{ cancel: (runId: string) => Promise<string> }} ports
 */
export function createProgress({ cancel }) {
  /** @type {Now} */
  let now = { runId: null, progress: null, runner: null };
  const head = h("strong");
  const words = h("div", { class: "pending-words" });
  const timeline = h("a", { class: "button button-small" }, "Timeline");
  const tools = h("div", { class: "pending-tools" }, timeline);
  const element = h(
    "li",
    {},
    h("span", { class: "pulse", "aria-hidden": "true" }),
    h("div", { class: "pending-body" }, head, words, tools),
  );
  let shown = "";
  return {
    element,
    /**
     * @param {WorkspaceDetail} detail
     * @param {Now} next
     */
    show({ state, leases }, next) {
      const { runId } = next;
      // What was asked and said about an earlier run does not concern this one.
      if (runId !== null && runId !== now.runId)
        put(
          tools,
          timeline,
          cancelControl(() => cancel(runId)),
        );
      now = next;
      const isWorking = state === "leased";
      element.hidden = !isWorking && state !== "queued";
      element.className = `message message-pending pending-${isWorking ? "working" : "queued"}`;
      tools.hidden = !isWorking || now.runId === null;
      if (now.runId !== null) timeline.setAttribute("href", hrefOfRun(now.runId));
      const key = JSON.stringify([state, leases, now.progress, now.runner]);
      if (key === shown) return;
      shown = key;
      if (isWorking) {
        head.textContent = now.progress ?? "Working";
        put(words, ...paragraphs("A runner is working on it.", leasesWords(leases)));
      } else {
        head.textContent = "Queued";
        put(words, ...whyQueued(now.runner), ...paragraphs(expiredWords(leases)));
      }
    },
  };
}

/** @param {...(string | null)} texts */
const paragraphs = (...texts) => texts.filter((text) => text !== null).map((text) => h("p", {}, text));

/** @param {number} leases */
const leasesWords = (leases) =>
  leases > 1 ? `This is lease number ${leases}: an earlier one expired.` : null;

/** @param {number} leases */
const expiredWords = (leases) =>
  leases > 0 ? "An earlier lease expired, so it is in the queue again." : null;

/** @param {RunnerView | null} runner null: not known */
function whyQueued(runner) {
  if (runner === null || runner.now.cause === "none")
    return paragraphs(
      "Waiting for a runner to lease this job. A cycle that leases jobs starts every minute.",
    );
  return [...paragraphs(runner.now.sentence), ...remedyOf(runner)];
}
