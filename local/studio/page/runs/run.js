/**
 * @import { RunChange, RunDetail } from "../../../runs/view.ts"
 * @import { RunsApi } from "./api.js"
 */
import { cancelControl } from "../cancel.js";
import { copyButton } from "../copy.js";
import { h, put } from "../dom.js";
import { exactTime } from "../format.js";
import { runNumbers, stateOf, titleOf } from "../run-words.js";
import { statePill } from "./pill.js";
import { createSteps } from "./steps.js";
import { createWaterfall } from "./waterfall.js";

/**
 * One run: what it is, its timeline, and its steps in words with the log lines behind them.
 * @param {{ api: RunsApi, announce: (sentence: string) => void, runId: string }} ports
 */
export function createRunView({ api, announce, runId }) {
  /** @type {(() => void) | undefined} */
  let changed;
  const cancel = async () => {
    const { sentence } = await api.cancel(runId);
    changed?.();
    return sentence;
  };
  const parts = frame(cancelControl(cancel));
  const waterfall = createWaterfall();
  const steps = createSteps();
  put(parts.timeline, waterfall.element);
  put(parts.steps, steps.element);
  /** @type {RunDetail | null} */
  let shown = null;
  let studioUrl = "/";

  const show = () => {
    if (shown === null) return;
    parts.body.hidden = false;
    fillHead(parts, shown, studioUrl);
    waterfall.show(shown, Date.now());
    steps.show(shown);
  };
  return {
    element: parts.element,
    async load() {
      const next = await api.run(runId);
      const before = shown;
      shown = next;
      show();
      if (before !== null && stateOf(before).label !== stateOf(next).label)
        announce(`The run is ${stateOf(next).label.toLowerCase()}.`);
    },
    /** @param {RunChange} change */
    concerns: (change) => change.runId === runId,
    /** @param {() => void} run called after the run was cancelled */
    onWanted(run) {
      changed = run;
    },
    /** @param {string} url */
    setStudio(url) {
      if (url === studioUrl) return;
      studioUrl = url;
      show();
    },
    /** @param {number} nowMs */
    tick(nowMs) {
      if (shown !== null && shown.endedAtMs === null) waterfall.show(shown, nowMs);
    },
  };
}

/** @param {HTMLElement} cancel */
function frame(cancel) {
  const title = h("h2", { class: "run-title" }, "Run");
  const tags = h("div", { class: "run-tags" });
  const facts = h("p", { class: "run-facts" });
  const progress = h("p", { class: "run-progress" });
  const why = h("div", { class: "run-why", hidden: true });
  const links = h("div", { class: "run-links" });
  const timeline = h("section", { class: "run-timeline", "aria-label": "Time line" });
  const steps = h("section", { class: "run-steps", "aria-label": "Steps" });
  // Shown when something is known about the run.
  const body = h("div", { class: "run-body", hidden: true }, timeline, steps);
  cancel.hidden = true;
  const element = h(
    "article",
    { class: "run" },
    h("a", { class: "run-back", href: "/runs" }, "← All runs"),
    h(
      "header",
      { class: "run-head" },
      h("div", { class: "run-name-line" }, title, tags),
      facts,
      progress,
      why,
      links,
    ),
    cancel,
    body,
  );
  return { element, title, tags, facts, progress, why, links, body, timeline, steps, cancel };
}

/**
 * @param {ReturnType<typeof frame>} parts
 * @param {RunDetail} run
 * @param {string} studioUrl
 */
function fillHead({ title, tags, facts, progress, why, links, cancel }, run, studioUrl) {
  document.title = `${titleOf(run)} · run · studio-runner`;
  setText(title, titleOf(run));
  put(tags, statePill(stateOf(run)));
  setText(facts, [...runNumbers(run), `leased ${exactTime(run.leasedAtMs)}`].join(" · "));
  setText(progress, run.progress ?? "");
  progress.hidden = run.progress === null;
  const unsure = run.isUnconfirmed && "Studio did not confirm this, so its own state may differ.";
  why.hidden = run.why === null && run.cancelledBy === null;
  const by = run.cancelledBy !== null && `Cancelled by ${run.cancelledBy}.`;
  put(
    why,
    ...[by, run.why, unsure]
      .filter((line) => line !== false && line !== null)
      .map((line) => h("p", {}, line)),
  );
  cancel.hidden = run.endedAtMs !== null;
  if (links.dataset["for"] === studioUrl) return;
  links.dataset["for"] = studioUrl;
  put(links, ...linksOf(run, studioUrl));
}

/**
 * @param {RunDetail} run
 * @param {string} studioUrl "/": the local Studio, whose page has an address for each workspace
 */
function linksOf({ workspaceId, runId, command, facts }, studioUrl) {
  const href = studioUrl === "/" ? `/#/w/${encodeURIComponent(workspaceId)}` : studioUrl;
  return [
    h("a", { class: "button button-small", href }, "Open the workspace"),
    copyButton("Copy the run's id", () => runId),
    h("span", { class: "run-command" }, "In a terminal: ", h("code", { title: facts }, command)),
    copyButton("Copy", () => command, { "aria-label": `Copy ${command}` }),
  ];
}

/** @param {HTMLElement} element @param {string} text */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
