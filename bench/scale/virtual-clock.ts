import type { Clock } from "../../lib/core/clock.ts";

export interface VirtualClock extends Clock {
  /**
   * Advances time until the work is done.
   * @throws what the work throws; Error if nothing is left to wait for
   */
  runUntil(work: Promise<unknown>): Promise<void>;
}

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

/**
 * A clock that jumps to the next timer as soon as everything waits. Hours take seconds, and the result is
 * always the same.
 */
export function createVirtualClock(): VirtualClock {
  let nowMs = 0;
  /** By the time at which they wake. The map keeps the order of those that wake at the same time. */
  const sleepers = new Map<number, Set<Sleeper>>();
  const times: number[] = [];

  const add = (sleeper: Sleeper): void => {
    const { atMs } = sleeper;
    const known = sleepers.get(atMs);
    if (known) return void known.add(sleeper);
    sleepers.set(atMs, new Set([sleeper]));
    times.splice(times.findLastIndex((time) => time < atMs) + 1, 0, atMs);
  };

  return {
    now: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const onAbort = (): void => {
          sleepers.get(sleeper.atMs)?.delete(sleeper);
          reject(signal?.reason);
        };
        const sleeper: Sleeper = {
          atMs: nowMs + Math.max(0, Math.round(ms)),
          wake: () => {
            signal?.removeEventListener("abort", onAbort);
            resolve();
          },
        };
        signal?.addEventListener("abort", onAbort, { once: true });
        add(sleeper);
      }),
    async runUntil(work) {
      const state = { isOver: false };
      const end = (): void => void (state.isOver = true);
      work.then(end, end);
      for (await settle(); !state.isOver; await settle()) {
        const atMs = times.shift();
        if (atMs === undefined) throw new Error("nobody waits for anything, and the work is not done");
        nowMs = atMs;
        const due = sleepers.get(atMs) ?? [];
        sleepers.delete(atMs);
        for (const sleeper of due) sleeper.wake();
      }
      await work;
    },
  };
}

/** Lets everything run that does not wait for time. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
