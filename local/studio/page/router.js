/**
 * The route in the address's fragment: `#/`, `#/new`, `#/w/ID`.
 * @import { Route } from "./state.js"
 * @param {string} hash
 * @returns {Route | null} null for any other fragment
 */
export function routeOf(hash) {
  if (hash === "" || hash === "#" || hash === "#/") return { view: "list" };
  if (hash === "#/new") return { view: "new" };
  const id = /^#\/w\/([^/]+)$/.exec(hash)?.[1];
  return id === undefined ? null : { view: "thread", id: decoded(id) };
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray % in a hand-written address
  }
}

/** @param {string} workspaceId */
export const hrefOf = (workspaceId) => `#/w/${encodeURIComponent(workspaceId)}`;
