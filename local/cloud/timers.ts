import type { Clock } from "../../lib/core/clock.ts";

/** Resolves after `ms`; never settles once the signal aborts, so that it can lose a race quietly. */
export function after(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return clock.sleep(ms, signal).catch(() => new Promise<never>(() => undefined));
}

export interface Activity {
  /** Counts `work` as something under way until it settles. */
  track<T>(work: Promise<T>): Promise<T>;
  /** Resolves once nothing is under way. */
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
