/**
 * @import { DashboardView } from "../../../dashboard/view.ts"
 * @import { RunnerView } from "../../../runs/view.ts"
 */

/**
 * @param {{ send: typeof fetch }} ports
 */
export function createDashboardApi({ send }) {
  /**
   * @param {string} path
   * @returns {Promise<any>} the answer's JSON
   */
  async function get(path) {
    const response = await send(path).catch((cause) => {
      throw new Error("The local stack cannot be reached. Is it still running? Trying again…", { cause });
    });
    const answer = await response.json().catch(() => null);
    if (response.ok && answer !== null) return answer;
    throw new Error(answer?.error ?? `The local stack answered ${response.status}.`);
  }

  return {
    /** @param {{ name: string | null, minutes: string }} wanted @returns {Promise<DashboardView>} */
    dashboard: ({ name, minutes }) => {
      const query = new URLSearchParams({ minutes, ...(name === null ? {} : { name }) });
      return get(`/api/dashboard?${query}`);
    },
    /** @returns {Promise<RunnerView | null>} null: it is not known */
    runner: () => get("/api/runner").catch(() => null),
    /** @returns {Promise<{ markdown: string }>} */
    runbook: () => get("/api/runbook"),
  };
}

/** @typedef {ReturnType<typeof createDashboardApi>} DashboardApi */
