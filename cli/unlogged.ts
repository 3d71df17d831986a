import type { Log } from "../lib/core/log.ts";

/** Discards log lines, for parts of lib whose results a command prints itself. */
export const unlogged: Log = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => unlogged,
};
