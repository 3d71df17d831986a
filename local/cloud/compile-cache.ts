import { flushCompileCache, getCompileCacheDir } from "node:module";

const variable = "NODE_COMPILE_CACHE";

/** The variables with which a process uses the compile cache of this one, if there is any (`npm test` has one). */
export function compileCacheOfThis(): Readonly<Record<string, string>> {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { [variable]: folder };
}

/** Hides the cache from a function's code, which finds the variables of Lambda. */
export const hideCompileCache = (env: NodeJS.ProcessEnv): void => void delete env[variable];

/** Saves what this process has compiled: one that is killed saves nothing. */
export const saveCompiled = (): void => flushCompileCache();
