import type { Log } from "../lib/core/log.ts";

/** For parts of lib that log what a command tells by its answer. */
export const unlogged: Log = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => unlogged,
};
