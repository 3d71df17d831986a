/**
 * @import { PhaseView, RunDetail } from "../../../runs/view.ts"
 * @typedef {{ readonly startMs: number, readonly endMs: number }} Axis
 */
import { h, put } from "../dom.js";
import { count, runTime } from "../run-words.js";

/** @type {Readonly<Record<PhaseView["kind"], string>>} */
const names = {
  queue: "In the queue",
  start: "Starting",
  context: "Reading messages",
  round: "Round",
  delivery: "Delivering",
  handover: "Handing on",
  work: "Working",
};

/** A bar for each phase of the run over one axis of time, by attempt. */
export function createWaterfall() {
  const element = h("div", { class: "waterfall" });
  return {
    element,
    /** @param {RunDetail} run @param {number} nowMs */
    show(run, nowMs) {
      const phases = run.phases.map((phase) =>
        phase.isOpen ? { ...phase, endMs: Math.max(nowMs, phase.endMs) } : phase,
      );
      const axis = axisOf(run, phases);
      const before = phases.filter(({ attempt }) => attempt === null);
      const attempts = [...new Set(phases.flatMap(({ attempt }) => attempt ?? []))];
      put(
        element,
        h("h3", {}, "Timeline"),
        scaleOf(axis, run.steps[0]?.atMs ?? run.leasedAtMs),
        ...before.map((phase) => rowOf(phase, axis, run.state)),
        ...attempts.map((attempt) =>
          h(
            "section",
            { class: "wf-attempt", "aria-label": `Attempt ${attempt}` },
            attempts.length > 1 && h("h4", {}, `Attempt ${attempt}`),
            ...phases
              .filter((phase) => phase.attempt === attempt)
              .map((phase) => rowOf(phase, axis, run.state)),
          ),
        ),
        heartbeatsOf(run, axis),
      );
    },
  };
}

/**
 * The run's time. A wait in the queue that is much longer than the run is cut off.
 * @param {RunDetail} run
 * @param {readonly PhaseView[]} phases
 * @returns {Axis}
 */
function axisOf({ leasedAtMs }, phases) {
  const endMs = Math.max(leasedAtMs + 1, ...phases.map((phase) => phase.endMs));
  const queuedAtMs = phases.find(({ kind }) => kind === "queue")?.startMs ?? leasedAtMs;
  return { startMs: Math.max(queuedAtMs, leasedAtMs - (endMs - leasedAtMs) / 3), endMs };
}

/** @param {number} atMs @param {Axis} axis */
const percentAt = (atMs, { startMs, endMs }) =>
  Math.min(100, Math.max(0, ((atMs - startMs) / (endMs - startMs)) * 100));

/**
 * @param {Axis} axis
 * @param {number} firstMs the time of the first step, from which the steps count too
 */
function scaleOf(axis, firstMs) {
  const lengthMs = axis.endMs - axis.startMs;
  const marks = [0, 0.25, 0.5, 0.75, 1].map((share) =>
    h(
      "span",
      { class: "wf-mark", style: `left:${share * 100}%` },
      `+${runTime(axis.startMs + lengthMs * share - firstMs)}`,
    ),
  );
  return h(
    "div",
    { class: "wf-row wf-scale", "aria-hidden": "true" },
    h("span"),
    h("div", { class: "wf-track" }, ...marks),
    h("span"),
  );
}

/**
 * @param {PhaseView} phase
 * @param {Axis} axis
 * @param {RunDetail["state"]} state of the run
 */
function rowOf({ kind, round, startMs, endMs, isOpen, calls }, axis, state) {
  const reports = kind === "delivery" && state === "failed";
  const known = reports ? "Reporting the failure" : names[kind];
  const name = round === null ? known : `${known} ${round}`;
  const took = runTime(endMs - startMs);
  const left = percentAt(startMs, axis);
  const width = Math.max(0.4, percentAt(endMs, axis) - left);
  const bar = h("span", {
    class: `wf-bar wf-${kind}${isOpen ? " wf-open" : ""}${startMs < axis.startMs ? " wf-cut" : ""}`,
    style: `left:${left}%;width:${width}%`,
  });
  const marks = calls.map(({ atMs, makes }) =>
    h("span", { class: "wf-tool", style: `left:${percentAt(atMs, axis)}%`, title: makes }),
  );
  const about = calls.length > 0 && h("span", { class: "wf-tools" }, resultsOf(calls));
  return h(
    "div",
    { class: "wf-row" },
    h("span", { class: "wf-name" }, name, about),
    h("div", { class: "wf-track", "aria-hidden": "true" }, bar, ...marks),
    h("span", { class: "wf-time" }, took, isOpen && h("span", { class: "visually-hidden" }, " so far")),
  );
}

/**
 * @param {PhaseView["calls"]} calls
 * @returns {string} "a table × 2, a file"
 */
function resultsOf(calls) {
  return [...new Set(calls.map(({ makes }) => makes))]
    .map((makes) => {
      const times = calls.filter((call) => call.makes === makes).length;
      return times > 1 ? `${makes} × ${times}` : makes;
    })
    .join(", ");
}

/**
 * @param {RunDetail} run
 * @param {Axis} axis
 */
function heartbeatsOf({ heartbeatsMs }, axis) {
  if (heartbeatsMs.length === 0) return null;
  const ticks = heartbeatsMs.map((atMs) =>
    h("span", { class: "wf-beat", style: `left:${percentAt(atMs, axis)}%` }),
  );
  return h(
    "div",
    { class: "wf-row wf-beats" },
    h("span", { class: "wf-name" }, count(heartbeatsMs.length, "heartbeat")),
    h("div", { class: "wf-track", "aria-hidden": "true" }, ...ticks),
    h("span"),
  );
}
