export type Leave = () => void;

/** A concurrency limit; callers are served in order of arrival. */
export interface Gate {
  /** Undefined when the limit is reached. */
  tryEnter(): Leave | undefined;
  /** Waits for a slot. Rejects with `signal.reason` if aborted while waiting. */
  enter(signal: AbortSignal): Promise<Leave>;
}

export function createGate(limit: number): Gate {
  let inside = 0;
  const waiting = new Set<(leave: Leave) => void>();
  const admit = (): Leave => {
    inside += 1;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      inside -= 1;
      const [next] = waiting;
      if (next === undefined) return;
      waiting.delete(next);
      next(admit());
    };
  };
  const tryEnter = (): Leave | undefined => (inside < limit ? admit() : undefined);
  return {
    tryEnter,
    enter(signal) {
      if (signal.aborted) return Promise.reject(signal.reason);
      const now = tryEnter();
      if (now !== undefined) return Promise.resolve(now);
      return new Promise((resolve, reject) => {
        const onAbort = (): void => {
          waiting.delete(onPlace);
          reject(signal.reason);
        };
        const onPlace = (leave: Leave): void => {
          signal.removeEventListener("abort", onAbort);
          resolve(leave);
        };
        waiting.add(onPlace);
        signal.addEventListener("abort", onAbort, { once: true });
      });
    },
  };
}
