/**
 * Splits `/~NAME/path`. A base address may name its caller in this way. The local servers remove the name and
 * record it in their journals, so that tests can tell apart processes that share a key.
 */
export function splitCaller(path: string): { readonly caller?: string; readonly path: string } {
  const [, caller, rest] = /^\/~([^/]+)(\/.*)$/.exec(path) ?? [];
  return caller === undefined || rest === undefined ? { path } : { caller, path: rest };
}
