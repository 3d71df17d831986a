/**
 * `/~NAME/path`: a base address may name who calls. The local servers take the name off and put it into their journals, so
 * that tests can tell apart processes that share one key.
 */
export function splitCaller(path: string): { readonly caller?: string; readonly path: string } {
  const [, caller, rest] = /^\/~([^/]+)(\/.*)$/.exec(path) ?? [];
  return caller === undefined || rest === undefined ? { path } : { caller, path: rest };
}
