/**
 * The client for local/runs/view.ts.
 * @import { RunDetail, RunnerView, RunRow, RunsView } from "../../../runs/view.ts"
 */
import { ApiError } from "../api.js";

/**
 * @param {{ send: typeof fetch }} ports
 */
export function createRunsApi({ send }) {
  /**
   * @param {string} path
   * @param {RequestInit} [init]
   * @returns {Promise<any>} the answer's JSON
   */
  async function call(path, init) {
    const response = await send(path, init).catch((cause) => {
      throw new ApiError("The local stack cannot be reached. Is it still running? Trying again…", { cause });
    });
    const answer = await response.json().catch(() => null);
    if (response.ok && answer !== null) return answer;
    throw new ApiError(answer?.error ?? `The local stack answered ${response.status}.`);
  }

  return {
    /** @param {{ state: string, q: string, before?: string }} wanted @returns {Promise<RunsView>} */
    runs: (wanted) => call(`/api/runs?${new URLSearchParams(wanted)}`),
    /** @param {string} runId @returns {Promise<RunDetail>} */
    run: (runId) => call(`/api/runs/${encodeURIComponent(runId)}`),
    /** @param {string} runId @returns {Promise<{ sentence: string }>} */
    cancel: (runId) =>
      call(`/api/runs/${encodeURIComponent(runId)}/cancel`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
      }),
    /** @param {string} workspaceId @returns {Promise<readonly RunRow[]>} */
    ofWorkspace: (workspaceId) => call(`/api/workspaces/${encodeURIComponent(workspaceId)}/runs`),
    /** @param {string} [workspaceId] whose job waits @returns {Promise<RunnerView>} */
    runner: (workspaceId) =>
      call(`/api/runner${workspaceId === undefined ? "" : `?workspace=${encodeURIComponent(workspaceId)}`}`),
  };
}

/** @typedef {ReturnType<typeof createRunsApi>} RunsApi */
