import type { Clock } from "../../lib/core/clock.ts";

export interface FakeClock extends Clock {
  /** Advances time and wakes sleepers in order. Lets what each starts run before the next one wakes. */
  advance(ms: number): Promise<void>;
  /** The number of sleepers. */
  sleeping(): number;
}

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

/** A clock that stands still until a test moves it. */
export function createFakeClock(startMs = 0): FakeClock {
  let nowMs = startMs;
  const sleepers = new Set<Sleeper>();
  const nextUntil = (endMs: number): Sleeper | undefined =>
    [...sleepers]
      .filter((sleeper) => sleeper.atMs <= endMs)
      .toSorted((left, right) => left.atMs - right.atMs)
      .at(0);
  return {
    now: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const onAbort = (): void => {
          sleepers.delete(sleeper);
          reject(signal?.reason);
        };
        const sleeper: Sleeper = {
          atMs: nowMs + ms,
          wake: () => {
            sleepers.delete(sleeper);
            signal?.removeEventListener("abort", onAbort);
            resolve();
          },
        };
        signal?.addEventListener("abort", onAbort, { once: true });
        sleepers.add(sleeper);
      }),
    async advance(ms) {
      const endMs = nowMs + ms;
      await settle();
      for (let next = nextUntil(endMs); next !== undefined; next = nextUntil(endMs)) {
        nowMs = Math.max(nowMs, next.atMs);
        next.wake();
        await settle();
      }
      nowMs = endMs;
    },
    sleeping: () => sleepers.size,
  };
}

/** Runs all microtasks and everything that is already due. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
