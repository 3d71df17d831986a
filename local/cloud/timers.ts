import type { Clock } from "../../lib/core/clock.ts";

/**
 * Resolves after `ms`. Never settles after the signal aborts, so that it can lose a race without an error.
 */
export function after(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return clock.sleep(ms, signal).catch(() => new Promise<never>(() => undefined));
}

export interface Activity {
  /** Counts `work` as active until it settles. */
  track<T>(work: Promise<T>): Promise<T>;
  /** Resolves when no work is active. */
  idle(): Promise<void>;
}

export function createActivity(): Activity {
  let count = 0;
  let waiting: (() => void)[] = [];
  const leave = (): void => {
    count -= 1;
    if (count > 0) return;
    const resolved = waiting;
    waiting = [];
    for (const resolve of resolved) resolve();
  };
  return {
    track(work) {
      count += 1;
      return work.finally(leave);
    },
    idle: () => (count === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  };
}
