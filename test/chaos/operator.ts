import { setTimeout as pause } from "node:timers/promises";
import type { Scene } from "./scene.ts";

const lookMs = 300;
/** A longer wait than this is cleared once it has been seen for a moment. */
const patienceMs = 3_000;

export interface Operator {
  longestHoldMs(): number;
  stop(): Promise<void>;
}

/** An operator who clears a pool's back-off that is too long for our time. Until all is over: faults can still be on their way. */
export function clearBackoffs({ stage, options }: Scene): Operator {
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
