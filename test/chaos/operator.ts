import { setTimeout as pause } from "node:timers/promises";
import type { ChaosContext } from "./context.ts";

const lookMs = 300;
/** A longer wait than this is cleared shortly after it was seen. */
const patienceMs = 3_000;

/**
 * Clears the pool's back-off when it is too long for the test, as an operator would. Continues until the end,
 * because faults can still arrive.
 */
export function clearBackoffs({ stage, options }: ChaosContext) {
  const over = new AbortController();
  let longestMs = 0;
  let isSeen = false;
  const look = async (): Promise<void> => {
    const leftMs = await stage.heldBackMs();
    longestMs = Math.max(longestMs, leftMs);
    if (leftMs > patienceMs && isSeen) await stage.clearBackoff();
    isSeen = leftMs > patienceMs && !isSeen;
  };
  const watching = (async () => {
    if (!options.only.has("retry-after")) return;
    while (!over.signal.aborted) {
      await look();
      await pause(lookMs, undefined, { signal: over.signal }).catch(() => undefined);
    }
  })();
  return {
    longestHoldMs: () => longestMs,
    stop: async () => {
      over.abort();
      await watching;
      await stage.clearBackoff();
    },
  };
}
