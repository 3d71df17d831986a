/**
 * The client for page-api.ts.
 * @import { StudioInfo, WorkspaceSummary, WorkspaceDetail, NewWorkspace } from "../page-api.ts"
 */

/** A request that failed. `message` is a sentence for the user. */
export class ApiError extends Error {
  /** @override */
  name = "ApiError";
  /**
   * @param {string} sentence
   * @param {ErrorOptions & { status?: number }} [more] `status` of the answer, if there was one
   */
  constructor(sentence, { status, ...options } = {}) {
    super(sentence, options);
    this.status = status;
  }
}

/** @param {string} id */
const workspace = (id) => `/api/workspaces/${encodeURIComponent(id)}`;

/**
 * @param {{ send: typeof fetch }} ports
 */
export function createApi({ send }) {
  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @returns {Promise<any>} the answer's JSON
   */
  async function call(method, path, body) {
    const init =
      body === undefined
        ? {}
        : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    /** @type {Response} */
    let response;
    try {
      response = await send(path, { method, ...init });
    } catch (cause) {
      throw new ApiError("The Studio server cannot be reached. Is it still running?", { cause });
    }
    const answer = await response.json().catch(() => null);
    if (response.ok && answer !== null) return answer;
    const reason =
      typeof answer?.error === "string" ? answer.error : `The server answered ${response.status}.`;
    throw new ApiError(reason, { status: response.status });
  }

  return {
    /** @returns {Promise<StudioInfo>} */
    info: () => call("GET", "/api/info"),
    /** @returns {Promise<readonly WorkspaceSummary[]>} */
    list: () => call("GET", "/api/workspaces"),
    /** @param {string} query @returns {Promise<readonly WorkspaceSummary[]>} */
    search: (query) => call("GET", `/api/workspaces?q=${encodeURIComponent(query)}`),
    /** @param {string} id @returns {Promise<WorkspaceDetail>} */
    detail: (id) => call("GET", workspace(id)),
    /** @param {NewWorkspace} draft @returns {Promise<WorkspaceDetail>} */
    create: (draft) => call("POST", "/api/workspaces", draft),
    /** @param {string} id @param {string} text @returns {Promise<WorkspaceDetail>} */
    send: (id, text) => call("POST", `${workspace(id)}/messages`, { text }),
    /** @param {string} id @returns {Promise<WorkspaceDetail>} */
    retry: (id) => call("POST", `${workspace(id)}/retry`, {}),
    /** @param {string} id @param {string} title @returns {Promise<WorkspaceDetail>} */
    rename: (id, title) => call("PATCH", workspace(id), { title }),
    /** @param {string} id @returns {Promise<unknown>} */
    remove: (id) => call("DELETE", workspace(id)),
    /**
     * @param {string} id
     * @param {{ checklistId: string, itemId: string, checked: boolean }} tick
     * @returns {Promise<WorkspaceDetail>}
     */
    tick: (id, { checklistId, itemId, checked }) =>
      call(
        "PATCH",
        `${workspace(id)}/checklists/${encodeURIComponent(checklistId)}/items/${encodeURIComponent(itemId)}`,
        { checked },
      ),
  };
}

/** @typedef {ReturnType<typeof createApi>} Api */

/**
 * @param {unknown} error
 * @returns {string} what to show
 */
export function sentenceOf(error) {
  return error instanceof Error ? error.message : "Something went wrong.";
}
