/**
 * @import { WorkspaceDetail } from "../../page-api.ts"
 * @import { RunChange, RunRow, RunnerView } from "../../../runs/view.ts"
 * @import { RunsApi } from "../runs/api.js"
 */
import { createProgress } from "./progress.js";
import { createRunLines } from "./run-line.js";

/** Changes come in bursts, and one request answers them all. */
const burstMs = 150;
/** How often the page asks why a job still waits. */
const queuedMs = 5_000;

/**
 * The runs of one workspace: a line below each answer, and what the present run does.
 * @param {string} workspaceId
 * @param {RunsApi} api
 */
export function createWorkspaceRuns(workspaceId, api) {
  const lines = createRunLines();
  const known = createKnown(workspaceId, api, () => show());
  /** @type {WorkspaceDetail | null} */
  let detail = null;
  /** @type {RunChange | null} the newest */
  let change = null;
  const progress = createProgress({
    async cancel(runId) {
      const { sentence } = await api.cancel(runId);
      known.loadIn(0);
      return sentence;
    },
  });
  const show = () => {
    const { runs, runner } = known.get();
    lines.show(runs);
    if (detail) progress.show(detail, { ...presentRun(runs, change), runner });
  };
  return {
    pending: progress.element,
    /** @param {number} createdAtMs the message's */
    lineFor: (createdAtMs) => lines.lineFor(createdAtMs),
    onInfo: known.onInfo,
    /** @param {WorkspaceDetail} next */
    onDetail(next) {
      detail = next;
      show();
      known.setQueued(next.state === "queued");
      known.loadIn(0);
    },
    /** @param {RunChange | null} next */
    onChange(next) {
      if (next === null || next === change || next.workspaceId !== workspaceId) return;
      change = next;
      show();
      const isKnown = known.get().runs.some(({ runId }) => runId === next.runId);
      if (!isKnown || next.progress === null) known.loadIn(burstMs);
    },
    close: known.close,
  };
}

/**
 * What the server knows about the workspace's runs, and about the runner while its job is queued.
 * @param {string} workspaceId
 * @param {RunsApi} api
 * @param {() => void} onLoaded
 */
function createKnown(workspaceId, api, onLoaded) {
  /** @type {{ runs: readonly RunRow[], runner: RunnerView | null }} */
  let known = { runs: [], runner: null };
  let hasRunner = false;
  let isQueued = false;
  let isClosed = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const load = async () => {
    // Without an answer the page shows what it knows; the notice says if the server is gone.
    const [runs, runner] = await Promise.all([
      api.ofWorkspace(workspaceId).catch(() => known.runs),
      isQueued ? api.runner(workspaceId).catch(() => null) : null,
    ]);
    if (isClosed) return;
    known = { runs, runner };
    onLoaded();
    if (isQueued) loadIn(queuedMs);
  };
  /** @param {number} delayMs */
  const loadIn = (delayMs) => {
    clearTimeout(timer);
    if (hasRunner) timer = setTimeout(() => void load(), delayMs);
  };
  return {
    get: () => known,
    loadIn,
    /** @param {boolean} has whether the runner's own pages exist */
    onInfo: (has) => {
      const isNew = has && !hasRunner;
      hasRunner = has;
      if (isNew) loadIn(0);
    },
    /** @param {boolean} queued */
    setQueued: (queued) => {
      isQueued = queued;
    },
    close: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

/**
 * @param {readonly RunRow[]} runs newest first
 * @param {RunChange | null} change
 */
function presentRun([newest], change) {
  if (!newest || newest.endedAtMs !== null) return { runId: null, progress: null };
  const { runId } = newest;
  return { runId, progress: change?.runId === runId ? change.progress : newest.progress };
}
